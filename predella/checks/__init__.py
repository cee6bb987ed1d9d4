"""The automatic checks on a wording: pure functions. They flag; nothing is ever refused by them."""

from predella.checks.context import Context, Lookalike, Picture, Record, Term
from predella.checks.finding import CheckName, Finding, Severity
from predella.checks.registry import BY_NAME, CHECKS, run, suite
from predella.checks.saying import Writer
from predella.checks.thresholds import Thresholds
from predella.checks.wording import Wording

__all__ = [
    "BY_NAME",
    "CHECKS",
    "CheckName",
    "Context",
    "Finding",
    "Lookalike",
    "Picture",
    "Record",
    "Severity",
    "Term",
    "Thresholds",
    "Wording",
    "Writer",
    "run",
    "suite",
]
