from typing import Any

import pytest
from jinja2 import Environment

from tests.worker import golden
from worker.engine.templates import CHAT_TEMPLATE, TEMPLATES, VICUNA_V1


def chat(*texts: str, ask: bool) -> str:
    """Render turns that begin with a question about a picture."""
    messages: list[dict[str, Any]] = [
        {
            "role": "assistant" if number % 2 else "user",
            "content": [{"type": "text", "text": text}],
        }
        for number, text in enumerate(texts)
    ]
    messages[0]["content"].insert(0, {"type": "image"})
    template = Environment(autoescape=False).from_string(CHAT_TEMPLATE)  # noqa: S701  (no HTML)
    return template.render(messages=messages, add_generation_prompt=ask)


class TestRender:
    @pytest.mark.parametrize("name", TEMPLATES)
    def test_is_the_original_to_the_character(self, name: str) -> None:
        cases = [case for case in golden.ALL_CASES.values() if case["conv_mode"] == name]

        assert cases
        for case in cases:
            asked = golden.QUESTIONS[case["query"]]
            assert TEMPLATES[name].render(asked) == case["prompt"]


class TestChatTemplate:
    def test_is_vicuna_v1(self) -> None:
        assert chat(" Why? ", ask=True) == VICUNA_V1.render(" Why? ")

    def test_ends_every_answer_as_in_training(self) -> None:
        assert chat("Q", "A", "R", ask=True) == (VICUNA_V1.render("Q") + " A</s>USER: R ASSISTANT:")
