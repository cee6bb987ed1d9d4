"""Prompts: what models are asked about pictures; a changed wording is a new version."""

import re
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella.errors import InvalidError, NotFoundError
from predella.formats.text import normalise
from predella.models import Prompt, PromptKind

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CONTROL = re.compile(r"<[^\s<>]+>|\[/?INST\]|###|(?i:\b(?:user|assistant|human|system):)")
"""Marks that one family of models or another takes for turns of the conversation or pictures."""
_MAX_LENGTH = 4000
_MAX_SECTIONS = 20

Section = tuple[str, str]
"""A heading, and the reference (``line`` or ``line/2``) of what is asked under it."""


def listed(session: Session) -> Sequence[Prompt]:
    """Return every version of every prompt, by name, the newest version first."""
    return session.scalars(select(Prompt).order_by(Prompt.name, Prompt.version.desc())).all()


def get(session: Session, prompt_id: str) -> Prompt:
    """Return one version of a prompt.

    Raises:
        NotFoundError: there is none with this id.
    """
    found = session.get(Prompt, prompt_id)
    if found is None:
        raise NotFoundError("prompt", prompt_id)
    return found


def find(session: Session, reference: str) -> Prompt:
    """Return the prompt ``name/version``, or the newest version of ``name``.

    Raises:
        NotFoundError: there is none.
    """
    if "/" in reference:
        return get(session, reference)
    found = _newest(session, reference)
    if found is None:
        raise NotFoundError("prompt", reference)
    return found


def add(
    session: Session,
    name: str,
    *,
    kind: PromptKind,
    text: str | None = None,
    sections: Sequence[Section] = (),
) -> Prompt:
    """Return the newest version of a prompt, which has these words; made if it had others.

    It asks one question, or, with ``sections``, one under each heading.

    Raises:
        InvalidError: the name or the words cannot be used, or another version is of another
            kind.
        NotFoundError: a section names a prompt that there is not.
    """
    _require_usable_name(name)
    made = Prompt(name=name, kind=kind, text=_question(text), sections=_asked(session, sections))
    if (made.text is None) == (made.sections is None):
        raise InvalidError("a prompt needs either a text or sections")
    _wait_for_other_writers(session, name)
    newest = _newest(session, name)
    if newest is not None and newest.kind is not kind:
        raise InvalidError(f"{newest.id} asks for {newest.kind}; give another kind another name")
    if newest is not None and (newest.text, newest.sections) == (made.text, made.sections):
        return newest
    made.version = newest.version + 1 if newest else 1
    made.id = f"{name}/{made.version}"
    session.add(made)
    session.flush()
    return made


def questions(session: Session, prompt: Prompt) -> list[tuple[str | None, Prompt]]:
    """Return what is asked, each with its heading; one question alone has none."""
    if prompt.sections is None:
        return [(None, prompt)]
    return [(part["heading"], get(session, part["prompt_id"])) for part in prompt.sections]


def _newest(session: Session, name: str) -> Prompt | None:
    query = select(Prompt).where(Prompt.name == name).order_by(Prompt.version.desc())
    return session.scalar(query.limit(1))


def _wait_for_other_writers(session: Session, name: str) -> None:
    """Keep other transactions from adding a version of this name until this one has ended."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"prompt {name}"))))


def _require_usable_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidError(
            f"the name {name!r} must have 1 to 63 of a-z, 0-9 and -, and not begin with -"
        )


def _question(text: str | None) -> str | None:
    if text is None:
        return None
    words = normalise(text).strip()
    if not words or len(words) > _MAX_LENGTH:
        raise InvalidError(f"a prompt needs words, and at most {_MAX_LENGTH} characters of them")
    if found := _CONTROL.search(words):
        raise InvalidError(
            f"{found[0]!r} could be taken for a control of the model; say it in other words"
        )
    return words


def _asked(session: Session, sections: Sequence[Section]) -> list[dict[str, str]] | None:
    if len(sections) > _MAX_SECTIONS:
        raise InvalidError(f"a prompt has at most {_MAX_SECTIONS} sections")
    return [_section(session, *section) for section in sections] or None


def _section(session: Session, heading: str, reference: str) -> dict[str, str]:
    asked = find(session, reference)
    if asked.sections is not None:
        raise InvalidError(f"{asked.id} has sections itself; name one of its parts")
    return {"heading": _heading(heading), "prompt_id": asked.id}


def _heading(heading: str) -> str:
    words = normalise(heading).strip()
    if not words or "\n" in words:
        raise InvalidError("each section needs a heading of one line")
    return words
