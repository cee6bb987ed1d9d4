"""Getting a new wording from a person or a program, and never losing it."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from predella.cli.output import err
from predella.errors import ConflictError, InvalidError


def edited(text: str) -> str:
    """Return the text as it comes back from the person's editor ($VISUAL, $EDITOR).

    Raises:
        InvalidError: they left the editor without saving, or there is none.
    """
    try:
        changed = click.edit(text, extension=".txt")
    except click.ClickException as error:
        raise InvalidError(f"{error.format_message()}; try --file") from error
    if changed is None:
        raise InvalidError("nothing was saved in the editor; the wording stays as it is")
    return changed.rstrip()


def read(name: str) -> str:
    """Return the text of a file; ``-`` is stdin. The line break at its end is no part of it.

    Raises:
        InvalidError: there is no such file, or it is not UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return data.decode("utf-8-sig").rstrip()
    except OSError as error:
        raise InvalidError(f"cannot read {name!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidError(f"{name!r} is not in UTF-8; save it as UTF-8 and try again") from error


@contextmanager
def kept_when_refused(text: str) -> Iterator[None]:
    """Put the text into a file when somebody was faster, so that no work is lost."""
    try:
        yield
    except ConflictError:
        with tempfile.NamedTemporaryFile(
            "w", prefix="predella-wording-", suffix=".txt", encoding="utf-8", delete=False
        ) as kept:
            kept.write(text)
        err.print(f"Your text is kept in {kept.name}", soft_wrap=True, highlight=False)
        raise
