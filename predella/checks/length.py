"""Is the text as long as such texts are?"""

from collections.abc import Iterator

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.wording import Wording


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell a text that is much shorter or longer than was asked for."""
    count, limits = len(wording.words), context.thresholds.length.of(context.kind)
    if limits.least <= count <= limits.most:
        return
    sentence = (
        f"The text has {count:,} words; such texts have {limits.least:,} to {limits.most:,} here."
    )
    evidence = {"words": count, "least": limits.least, "most": limits.most}
    yield Remark(Severity.SOFT, sentence, evidence=evidence)
