"""Is the text cut?"""

from collections.abc import Iterator

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_ENDS = (*".!?…\")]:;'", "\u3002", "\uff01", "\uff1f")
_TAIL = 60
_UNENDED = {"alt_text"}
"""Kinds of text that need no full stop."""

SAYS: Sayings = {
    "limit": ("The model ran into its limit: the text is cut here.",),
    "unended": ("The text ends without a full stop.",),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell a text that the model could not finish, or that ends in the middle of a sentence."""
    text = wording.plain.rstrip()
    span = max(wording.sentence_at(len(text))[0], len(text) - _TAIL), len(text)
    if context.finish_reason == "length":
        yield Remark(Severity.HARD, span, {"kind": "limit", "finish_reason": "length"})
    elif text and not text.endswith(_ENDS) and context.kind not in _UNENDED:
        yield Remark(Severity.SOFT, span, {"kind": "unended"})
