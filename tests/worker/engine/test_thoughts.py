from collections.abc import Sequence

import pytest

from worker.engine.thoughts import Thoughts

PIECES = ["<think>", "</think>", "<th", "ink", ">", "</", "th", "Cool", " greys", ".", "\n", "wall"]
ASKED = "USER: Describe. ASSISTANT:"


def shown(tokens: Sequence[int]) -> str:
    return "".join(PIECES[token] for token in tokens)


def spelt(*pieces: str) -> list[int]:
    return [PIECES.index(piece) for piece in pieces]


def left_out(*pieces: str, prompt: str = ASKED) -> str:
    return shown(Thoughts("<think>", "</think>", shown).left_out(spelt(*pieces), prompt))


class TestLeftOut:
    def test_leaves_an_answer_without_thoughts_as_it_is(self) -> None:
        assert left_out("Cool", " greys", ".") == "Cool greys."
        assert not left_out()

    @pytest.mark.parametrize("closing", [("</think>",), ("</", "th", "ink", ">")])
    @pytest.mark.parametrize("opening", [("<think>",), ("<th", "ink", ">")])
    def test_drops_a_thought_however_its_marks_are_cut(
        self, opening: tuple[str, ...], closing: tuple[str, ...]
    ) -> None:
        assert left_out(*opening, "wall", *closing, "Cool", " greys") == "Cool greys"

    def test_drops_a_thought_that_the_prompt_opened(self) -> None:
        prompt = f"{ASKED}<think>\n"

        assert left_out("wall", ".", "</think>", "Cool", prompt=prompt) == "Cool"
        assert not left_out("wall", ".", "wall", prompt=prompt)

    def test_drops_every_thought(self) -> None:
        assert left_out("<think>", "</think>", "wall", "</think>", "Cool", ".") == "Cool."

    def test_leaves_nothing_where_a_thought_does_not_end(self) -> None:
        assert not left_out("<think>", "wall", ".")
        assert not left_out("<think>", "</think>", "Cool", "<think>", "wall")

    def test_a_prompt_that_closed_its_thought_asks_for_the_answer(self) -> None:
        assert left_out("Cool", prompt=f"{ASKED}<think>\n\n</think>\n") == "Cool"
