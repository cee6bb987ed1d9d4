from pathlib import Path

from predella.errors import InvalidError


class ReleaseFileError(InvalidError):
    """One of the files cannot be used as it is."""

    def __init__(self, file: Path, what: str, remedy: str) -> None:
        super().__init__(f"{file}: {what}; {remedy}")
        self.file = file
