from pathlib import Path

from predella.errors import InvalidError


class CheckpointError(InvalidError):
    """The model directory cannot be served: nothing is analyzed until somebody mends it."""

    def __init__(self, directory: Path | None, why: str) -> None:
        super().__init__(f"model directory {directory or '(not set)'}: {why}")
        self.directory = directory


class AdapterError(CheckpointError):
    """The adapter cannot be added to the model: nothing is analyzed until somebody mends it."""

    def __init__(self, directory: Path, why: str) -> None:
        InvalidError.__init__(self, f"adapter directory {directory}: {why}")
        self.directory = directory


class PromptError(InvalidError):
    """The question cannot be put to this model."""

    def __init__(self, why: str) -> None:
        super().__init__(f"prompt: {why}")
