"""What can go wrong, named by kind; callers decide what a kind means to them.

No HTTP codes here: ``api/errors.py`` maps kinds to a status, ``predella/cli`` to an exit
code, ``worker`` to retry or give up.
"""

from collections.abc import Collection as Names
from collections.abc import Sequence
from uuid import UUID


class PredellaError(Exception):
    """Base class of every error that predella raises on purpose."""


class NotFoundError(PredellaError):
    """The thing asked for does not exist."""

    def __init__(self, noun: str, name: UUID | str) -> None:
        super().__init__(f"no {noun} {name}")
        self.noun, self.name = noun, name


class ConflictError(PredellaError):
    """The request is well formed but the thing is in the wrong state for it."""


class InvalidError(PredellaError):
    """What was asked cannot be right, whatever the state of things."""


class AuthenticationError(PredellaError):
    """We do not know who is asking."""


class PermissionDeniedError(PredellaError):
    """We know who is asking, and they may not."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"this needs the scope {missing!r}")
        self.missing = missing


class UnavailableError(PredellaError):
    """A part that we depend on does not answer; trying again later may help."""


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


class OpenCheckError(ConflictError):
    """A hard check on this wording is neither mended nor dismissed."""

    def __init__(self, analysis_id: UUID, checks: Sequence[str]) -> None:
        super().__init__(
            f"analysis {analysis_id}: open findings forbid the approval ({', '.join(checks)});"
            " mend the text, or dismiss them with a reason"
        )
        self.analysis_id, self.checks = analysis_id, checks


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
