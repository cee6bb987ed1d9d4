"""What a model thinks aloud before it answers, told apart from the answer."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True, slots=True)
class Thoughts:
    """The two marks of a family, found among tokens however the vocabulary cuts them."""

    opening: str
    closing: str
    shown: Decode
    """From tokens to text, special tokens included: the marks may be such."""

    def left_out(self, tokens: Sequence[int], prompt: str) -> Sequence[int]:
        """Return the tokens of the answer; none, if the thought does not end.

        The prompt itself may open the thought.
        """
        thinking = prompt.rstrip().endswith(self.opening)
        while self.closing in self.shown(tokens):
            tokens, thinking = tokens[self._end_of_thought(tokens) :], False
        return () if thinking or self.opening in self.shown(tokens) else tokens

    def _end_of_thought(self, tokens: Sequence[int]) -> int:
        """Return how many tokens it takes to the end of the first closing mark."""
        lengths = range(1, len(tokens) + 1)
        ended = bisect_left(lengths, 1, key=lambda n: self.closing in self.shown(tokens[:n]))
        return lengths[ended]
