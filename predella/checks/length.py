"""Is the text as long as such texts are?"""

from collections.abc import Iterator

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

SAYS: Sayings = {
    None: ("The text has {words:,} words; such texts have {least:,} to {most:,} here.",),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell a text that is much shorter or longer than was asked for."""
    count, limits = len(wording.words), context.thresholds.length.of(context.kind)
    if limits.least <= count <= limits.most:
        return
    evidence = {"words": count, "least": limits.least, "most": limits.most}
    yield Remark(Severity.SOFT, evidence=evidence)
