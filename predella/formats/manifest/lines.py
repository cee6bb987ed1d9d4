"""The lines of a manifest, within bounds that no hostile file can break."""

from collections.abc import Iterator
from typing import TextIO

from predella.formats.manifest.opening import DAMAGED
from predella.formats.manifest.problems import ManifestBrokenError

MAX_ROW = 1_000_000
"""Characters in one row."""
MAX_CHARACTERS = 4_000_000_000
"""In the whole manifest: a small compressed file can hold very much."""


class Lines(Iterator[str]):
    """Physical lines with their ends; a row may take several of them."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._left = MAX_CHARACTERS
        self._left_in_row = MAX_ROW
        self.row = 0
        """The row that is being read; the first is 1."""
        self.taken = 0
        """Lines of this row read so far."""

    def start_row(self) -> None:
        """Count the next line as the first of a further row."""
        self.row += 1
        self.taken = 0
        self._left_in_row = MAX_ROW

    def __next__(self) -> str:
        line = self._read()
        self._left -= len(line)
        self._left_in_row -= len(line)
        if self._left_in_row < 0:
            raise ManifestBrokenError(
                self.row,
                f"it is longer than {MAX_ROW} characters. Is a quotation mark left open?",
            )
        if self._left < 0:
            raise ManifestBrokenError(
                self.row, f"the manifest has more than {MAX_CHARACTERS} characters; part it."
            )
        if not line:
            raise StopIteration
        self.taken += 1
        return line

    def _read(self) -> str:
        try:
            return self._text.readline(self._left_in_row + 1)
        except DAMAGED as error:
            raise ManifestBrokenError(
                self.row, "the compressed file is damaged; send it again."
            ) from error
