"""Does something stand in the text that belongs to the conversation with the model?"""

import re
from collections.abc import Iterator

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity, Span
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_ROLE = re.compile(
    r"\b(?:USER|ASSISTANT|SYSTEM|HUMAN)\s?:|^(?:User|Assistant|Human|System):|"
    r"#{2,}\s?(?:Human|Assistant|Instruction|Response|User|System)\b|"
    r"</?(?:s|image|pad|unk|bos|eos|think|start_of_turn|end_of_turn)>|<\|[a-z_]+\|>|\[/?INST\]",
    re.MULTILINE,
)
_REFUSAL = re.compile(
    r"\bas an? (?:AI|artificial intelligence|(?:large )?language model)\b|"
    r"\bI(?:'m| am) (?:sorry|unable|not able|an AI)\b|\bI apologi[sz]e\b|"
    r"\bI (?:cannot|can't|can not|do not|don't) (?:see|view|identify|provide|assist|help|"
    r"access|determine|have access|describe|analy[sz]e)\b",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"\A\W*(?:(?:Sure|Certainly|Of course|Absolutely)[,!.]|"
    r"Here(?:'s| is| are) (?:a|an|the|your)\b[^.!?\n]{0,80}"
    r"\b(?:analysis|paragraph|description|text)\b[^.!?\n]{0,60}:)",
    re.IGNORECASE,
)
_PATTERNS = {"role": _ROLE, "refusal": _REFUSAL, "preamble": _PREAMBLE}
_ECHO = 7
"""Words of the question in a row; its own subject takes fewer."""
_FRAMES = frozenset({"user", "assistant", "image", "s"})

SAYS: Sayings = {
    "role": ("This is a mark of the conversation with the model, not of the text.",),
    "refusal": ("Here the model speaks of itself, or refuses.",),
    "preamble": ("Here the model answers whoever asked; it is no part of the text.",),
    "echo": ("This repeats the question that the model was asked.",),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell role marks, refusals, answers to the asker, and the question itself."""
    for kind, pattern in _PATTERNS.items():
        for match in pattern.finditer(wording.plain):
            yield Remark(Severity.HARD, match.span(), {"kind": kind})
    for span in _echoes(wording, Wording(context.prompt)):
        yield Remark(Severity.HARD, span, {"kind": "echo"})


def _echoes(wording: Wording, prompt: Wording) -> Iterator[Span]:
    asked = _runs([word.text for word in prompt.words])
    said = [word.text for word in wording.words]
    start = None
    for place in range(len(said) - _ECHO + 2):
        inside = tuple(said[place : place + _ECHO]) in asked
        if inside and start is None:
            start = place
        elif not inside and start is not None:
            yield wording.words[start].start, wording.words[place + _ECHO - 2].end
            start = None


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    runs = {tuple(words[place : place + _ECHO]) for place in range(len(words) - _ECHO + 1)}
    return {run for run in runs if not _FRAMES & set(run)}
