"""The automatic checks on a wording: pure functions. They flag; nothing is ever refused by them."""

from predella.checks.context import Context, Lookalike, Picture, Record, Term
from predella.checks.finding import CheckName, Finding, Severity
from predella.checks.registry import CHECKS, run, suite
from predella.checks.thresholds import Thresholds
from predella.checks.wording import Wording

__all__ = [
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
    "run",
    "suite",
]
