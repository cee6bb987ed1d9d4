"""Why there is nothing to compare."""

from predella.errors import InvalidError


class UnmeasurableError(InvalidError):
    """The options of a benchmark contradict each other, this machine, or arithmetic."""
