"""What can go wrong, named by kind; callers decide what a kind means to them.

No HTTP codes here: ``api/errors.py`` maps kinds to a status, ``predella/cli`` to an exit
code, ``worker`` to retry or give up.
"""

from collections.abc import Collection as Names
from collections.abc import Sequence
from datetime import datetime
from math import ceil
from uuid import UUID

_NAMED = 20
"""Things that one sentence names."""


class PredellaError(Exception):
    """Base class of every error that predella raises on purpose."""


class NotFoundError(PredellaError):
    """The thing asked for does not exist."""

    def __init__(self, noun: str, name: UUID | str) -> None:
        super().__init__(f"no {noun} {name}")
        self.noun, self.name = noun, name


class ConflictError(PredellaError):
    """The request is well formed but the thing is in the wrong state for it."""


class LastAdminError(ConflictError):
    """Nobody would be left to run the house."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is the last open account with the role admin in the whole house;"
            " give somebody else that role first"
        )
        self.name = name


class InvalidError(PredellaError):
    """What was asked cannot be right, whatever the state of things."""


class UnknownObjectsError(InvalidError):
    """Of some object numbers nothing was ever handed in to the collection."""

    def __init__(self, numbers: Sequence[str]) -> None:
        named = ", ".join(numbers[:_NAMED]) + (", ..." if len(numbers) > _NAMED else "")
        super().__init__(
            f"nothing was changed: no object of {len(numbers)} of these numbers was handed in to"
            f" the collection: {named}"
        )
        self.numbers = numbers


class AuthenticationError(PredellaError):
    """We do not know who is asking."""


class PermissionDeniedError(PredellaError):
    """We know who is asking, and they may not."""

    def __init__(
        self, missing: str, *, roles: Sequence[str], collection: str | None = None
    ) -> None:
        there = f" in the collection {collection!r}" if collection else ""
        super().__init__(
            f"this needs the scope {missing!r}{there}, which the role {' or '.join(roles)} gives"
        )
        self.missing, self.roles, self.collection = missing, roles, collection


class UnavailableError(PredellaError):
    """A part that we depend on does not answer; trying again later may help."""


class ForgedError(PredellaError):
    """A browser sends what no page of ours has made."""

    def __init__(self) -> None:
        super().__init__("this form is not of this session; load the page again and send it anew")


class SignInRefusedError(PredellaError):
    """Somebody else vouches for who is asking, and they may not come in."""


class TooManyError(PredellaError):
    """Too many tries in too short a time."""

    def __init__(self, what: str, *, wait: float) -> None:
        self.wait = max(1, ceil(wait))
        super().__init__(f"{what}; wait {ceil(self.wait / 60)} min and try again")


class StillRunningError(ConflictError):
    """The first request with this key has not ended yet."""

    wait = 1

    def __init__(self) -> None:
        super().__init__("this was sent already and is still being done; ask again in a moment")


class KeyReusedError(InvalidError):
    """The key was sent with another request."""

    def __init__(self, key: str, request: str) -> None:
        super().__init__(
            f"the key {key!r} stands for another request ({request}, or with another body); "
            "take a new key for every new request"
        )
        self.key, self.request = key, request


class NameTakenError(ConflictError):
    """Something of this kind already has this name."""

    def __init__(self, noun: str, name: str) -> None:
        super().__init__(f"there is already a {noun} named {name!r}")
        self.noun, self.name = noun, name


class StaleRevisionError(ConflictError):
    """Somebody wrote a newer wording while this one was on screen."""

    def __init__(self, analysis_id: UUID, *, seen: int, newest: int) -> None:
        super().__init__(f"analysis {analysis_id}: wording {newest} replaced wording {seen}")
        self.analysis_id, self.seen, self.newest = analysis_id, seen, newest


class AlreadyDecidedError(ConflictError):
    """The analysis is decided; undo that decision before taking another."""

    def __init__(self, analysis_id: UUID, *, decision: str, reviewer: str) -> None:
        super().__init__(f"analysis {analysis_id} was already {decision} by {reviewer}; undo first")
        self.analysis_id, self.decision, self.reviewer = analysis_id, decision, reviewer


class WithheldError(ConflictError):
    """The museum closed the object, or its hand-in was withdrawn, while the text was on screen."""

    def __init__(self, analysis_id: UUID) -> None:
        super().__init__(
            f"analysis {analysis_id} is withheld: its object was closed, or its hand-in withdrawn"
        )
        self.analysis_id = analysis_id


class ClaimedError(ConflictError):
    """A colleague has the analysis on screen."""

    def __init__(self, analysis_id: UUID, *, colleague: str, until: datetime) -> None:
        super().__init__(
            f"analysis {analysis_id} is with {colleague} until {until:%H:%M} UTC; take another"
        )
        self.analysis_id, self.colleague, self.until = analysis_id, colleague, until


class TooSoonError(ConflictError):
    """The text was not on screen for long enough to be read."""

    def __init__(self, analysis_id: UUID, *, wait: float) -> None:
        super().__init__(
            f"analysis {analysis_id}: the text was on screen too briefly to be read; "
            f"approve it in {ceil(wait)} s"
        )
        self.analysis_id, self.wait = analysis_id, wait


class SecondApproverError(ConflictError):
    """Somebody else than who wrote the wording has to approve it."""

    def __init__(self, analysis_id: UUID) -> None:
        super().__init__(
            f"analysis {analysis_id}: you wrote this wording, and in this collection "
            "somebody else has to approve it; ask a colleague"
        )
        self.analysis_id = analysis_id


class OpenCheckError(ConflictError):
    """A hard check on this wording is neither mended nor dismissed."""

    def __init__(self, analysis_id: UUID, checks: Sequence[str]) -> None:
        super().__init__(
            f"analysis {analysis_id}: open findings forbid the approval ({', '.join(checks)});"
            " mend the text, or dismiss them with a reason"
        )
        self.analysis_id, self.checks = analysis_id, checks


class BatchRefusedError(ConflictError):
    """All or nothing was wanted, and some of it is forbidden."""

    def __init__(self, *, forbidden: int, of: int, results: Sequence[object]) -> None:
        super().__init__(f"{forbidden:,} of {of:,} decisions are forbidden; nothing was decided")
        self.forbidden, self.of, self.results = forbidden, of, results


class NotOpenedError(ConflictError):
    """The account has not had this wording open, and nobody approves unread."""

    def __init__(self, analysis_id: UUID) -> None:
        super().__init__(f"analysis {analysis_id}: open the text before you approve it")
        self.analysis_id = analysis_id


class CountMismatchError(ConflictError):
    """The selection does not hold as many as the caller thinks."""

    def __init__(self, *, expected: int, actual: int) -> None:
        super().__init__(
            f"the selection holds {actual:,} texts, not {expected:,}; nothing was done"
        )
        self.expected, self.actual = expected, actual


class ExpiredSelectionError(ConflictError):
    """The selection was frozen too long ago to be decided on."""

    def __init__(self, selection_id: UUID) -> None:
        super().__init__(f"selection {selection_id} has expired; freeze a new one")
        self.selection_id = selection_id


class StaleFindingError(ConflictError):
    """There is a newer wording, or the checks were run again."""

    def __init__(self, analysis_id: UUID, finding_id: UUID) -> None:
        super().__init__(
            f"finding {finding_id} is no longer about the newest wording of analysis"
            f" {analysis_id}, or the checks were run again; look at it anew"
        )
        self.analysis_id, self.finding_id = analysis_id, finding_id


class NotShownError(ConflictError):
    """No object has this text any more, or it is being worked on."""

    def __init__(self, analysis_id: UUID) -> None:
        super().__init__(f"analysis {analysis_id}: no object stands behind it that is done")
        self.analysis_id = analysis_id


class ReplacedError(ConflictError):
    """An earlier text was taken up again in its place."""

    def __init__(self, analysis_id: UUID) -> None:
        super().__init__(
            f"analysis {analysis_id}: an earlier text was taken up again in its place;"
            " ask for a new text there"
        )
        self.analysis_id = analysis_id


class TooManySamplesError(ConflictError):
    """As many new texts as are allowed were asked for already."""

    def __init__(self, analysis_id: UUID, *, most: int) -> None:
        super().__init__(
            f"analysis {analysis_id}: {most} new texts were asked for already;"
            " amend one of them, or reject it"
        )
        self.analysis_id, self.most = analysis_id, most


class NothingToUndoError(ConflictError):
    """Nobody has decided or amended anything yet."""

    def __init__(self, analysis_id: UUID) -> None:
        super().__init__(f"analysis {analysis_id} has no decision or amendment to undo")
        self.analysis_id = analysis_id


class ManifestError(InvalidError):
    """The manifest as a whole cannot be used: nothing of it is queued."""


class SourceError(InvalidError):
    """The place that a submission names cannot be read or may not be used."""


class RefusedImageError(PredellaError):
    """The image itself is at fault: trying again with the same bytes cannot help.

    ``code`` is for programs, the message is a sentence for a digitization team.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class MissingObjectError(RefusedImageError):
    """The bucket holds nothing under this key."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__("object_missing", f"there is no object {key!r} in bucket {bucket!r}")


class SourceChangedError(RefusedImageError):
    """The object is no longer the one that was handed in."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(
            "source_changed",
            f"{key!r} changed after it was handed in ({what}); hand the new file in again",
        )


class UnknownNamesError(InvalidError):
    """Names from a closed list were misspelt."""

    def __init__(self, noun: str, unknown: Names[str], known: Names[str]) -> None:
        super().__init__(
            f"unknown {noun}: {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}"
        )


class QueryError(InvalidError):
    """A query cannot be understood; ``position`` counts its characters from 1."""

    def __init__(self, position: int, sentence: str) -> None:
        super().__init__(f"query, character {position}: {sentence}")
        self.position = position
