from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.worker.engine.pictures import picture
from worker.engine import asking
from worker.engine.errors import PromptError
from worker.engine.prompts import FORMAL_ANALYSIS, Prompt, Section, sectioned
from worker.engine.protocol import Answer, Engine, EngineFailure, Generation, Request
from worker.engine.reference import ReferenceEngine
from worker.engine.trivial import TrivialEngine

LINE = Prompt("line/1", "Describe the line.")
COLOUR = Prompt("colour/1", "Describe the colour, and only that, in many words.")
BOTH = sectioned("both/1", (Section("Line", LINE), Section("Colour", COLOUR)))


class Scripted(TrivialEngine):
    """Answers each question with what the test gave it."""

    def __init__(self, **answers: Generation | EngineFailure) -> None:
        super().__init__(batch_size=4)
        self._said = answers

    def _answers(self, batch: Sequence[Request]) -> list[Answer]:
        return [self._said[one.prompt.id.removesuffix("/1")] for one in batch]


def write(engine: Engine, requests: Sequence[Request]) -> list[Answer]:
    whole = asking.Asking(engine)
    for number, one in enumerate(requests):
        whole.put(number, whole.open(one))
    found: dict[Hashable, Answer] = {}
    while not whole.is_idle:
        found |= dict(whole.step())
    return [found[number] for number in range(len(requests))]


def said(text: str, logprobs: Sequence[float], **fields: object) -> Generation:
    made = Generation(
        text=text,
        token_ids=tuple(range(len(logprobs))),
        finish_reason="stop",
        prompt_tokens=10,
        output_tokens=len(logprobs),
        mean_logprob=float(np.mean(logprobs)),
        min_window_logprob=min(logprobs),
        rendered_prompt=f"asked: {text}",
        seed=None,
        batch_size=1,
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # (fields of Generation)


class TestReleaseFor:
    def test_is_the_engines_own_for_the_prompt_it_was_loaded_with(
        self, engine: ReferenceEngine
    ) -> None:
        assert asking.release_for(engine, FORMAL_ANALYSIS).digest() == engine.release.digest()

    def test_is_one_for_all_further_samples(self, engine: ReferenceEngine) -> None:
        samples = [asking.release_for(engine, LINE, sample=number) for number in range(3)]

        assert samples[0].digest() != samples[1].digest() == samples[2].digest()
        assert (samples[1].prompt_id, samples[1].decoding) == ("line/1", engine.drawing.decoding)

    def test_differs_from_prompt_to_prompt_and_tells_all_parts(
        self, engine: ReferenceEngine
    ) -> None:
        both, line = asking.release_for(engine, BOTH), asking.release_for(engine, LINE)

        assert both.digest() != line.digest()
        assert (both.prompt_id, both.weights_sha256) == ("both/1", line.weights_sha256)
        assert both.prompt_text == f"Line: {LINE.text}\n\nColour: {COLOUR.text}"
        assert both.prompt_rendered == f"{engine.render(LINE)}\n\n{engine.render(COLOUR)}"

    def test_refuses_what_the_model_would_take_for_a_control(self, engine: ReferenceEngine) -> None:
        with pytest.raises(PromptError):
            asking.release_for(engine, Prompt("bad/1", "Look at <image> again."))


class TestWrite:
    def test_a_text_does_not_depend_on_what_its_neighbours_were_asked(
        self, engine: ReferenceEngine, pictures: list[bytes]
    ) -> None:
        requests = [Request(pictures[0], LINE), Request(pictures[1], COLOUR)]

        together = write(engine, requests)

        alone = [write(engine, [one])[0] for one in requests]
        assert [one.token_ids for one in together if isinstance(one, Generation)] == [
            one.token_ids for one in alone if isinstance(one, Generation)
        ]
        assert len(together) == 2
        assert all(isinstance(one, Generation) for one in together)

    def test_joins_sections_under_their_headings(self, rng: np.random.Generator) -> None:
        line = said("Thin lines.", [-1.0, -3.0])
        colour = said("Warm reds.", [-0.5] * 6, finish_reason="length")

        joined, plain = write(
            Scripted(line=line, colour=colour),
            [Request(picture(rng), BOTH), Request(picture(rng), LINE)],
        )

        assert plain == line
        assert isinstance(joined, Generation)
        assert joined.text == "Line\n\nThin lines.\n\nColour\n\nWarm reds."
        assert (joined.finish_reason, joined.prompt_tokens) == ("length", 20)
        assert (joined.output_tokens, len(joined.token_ids)) == (8, 8)
        assert joined.mean_logprob == pytest.approx((-4.0 - 3.0) / 8)
        assert joined.min_window_logprob == -3.0
        assert joined.rendered_prompt == "asked: Thin lines.\n\nasked: Warm reds."

    def test_leaves_a_heading_out_that_nothing_was_written_under(self) -> None:
        engine = Scripted(line=said(" ", [-1.0]), colour=said("Warm reds.", [-1.0]))

        (joined,) = write(engine, [Request(b"", BOTH)])

        assert isinstance(joined, Generation)
        assert joined.text == "Colour\n\nWarm reds."

    def test_writes_nothing_when_one_part_fails(self) -> None:
        failure = EngineFailure("not_finite", "The model lost its numbers.")
        engine = Scripted(line=said("Thin lines.", [-1.0]), colour=failure)

        assert write(engine, [Request(b"", BOTH)]) == [failure]
