from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from tests.worker.engine.conftest import Open
from tests.worker.engine.pictures import picture
from worker.engine.prompts import FORMAL_ANALYSIS
from worker.engine.protocol import EngineFailure, Generation
from worker.engine.reference import ReferenceEngine

hub: Any = transformers


def written(answers: Sequence[Generation | EngineFailure]) -> list[Generation]:
    assert all(isinstance(answer, Generation) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, Generation)]


def forward(engine: ReferenceEngine, image: bytes, tokens: Sequence[int]) -> torch.Tensor:
    """Return the logits that the bare model gives before each of these tokens."""
    part = engine.llava.checkpoint
    prompt = engine.llava.question(FORMAL_ANALYSIS).ids.tolist()
    with torch.inference_mode():
        logits: torch.Tensor = part.model(
            input_ids=torch.tensor([prompt + list(tokens)]),
            pixel_values=torch.from_numpy(part.normalisation.tensor(image))[None],
        ).logits
    return logits[0, len(prompt) - 1 : -1]


def allowed(engine: ReferenceEngine, logits: torch.Tensor) -> torch.Tensor:
    logits = logits.clone()
    logits[:, engine.llava.checkpoint.model.generation_config.suppress_tokens] = -torch.inf
    return logits


class TestGenerate:
    def test_writes_the_greedy_choice_of_the_bare_model(
        self, engine: ReferenceEngine, pictures: list[bytes]
    ) -> None:
        answer = written(engine.generate(pictures[:1]))[0]

        best = allowed(engine, forward(engine, pictures[0], answer.token_ids)).argmax(-1)

        assert tuple(best.tolist()) == answer.token_ids

    def test_notes_the_log_probability_of_every_token_among_those_allowed(
        self, engine: ReferenceEngine, pictures: list[bytes]
    ) -> None:
        answer = written(engine.generate(pictures))[3]

        logits = allowed(engine, forward(engine, pictures[3], answer.token_ids))
        each = logits.log_softmax(-1)[range(answer.output_tokens), answer.token_ids].numpy()
        windows = [each[i : i + 16].mean() for i in range(max(1, len(each) - 15))]

        assert answer.mean_logprob == pytest.approx(each.mean(), abs=1e-4)
        assert answer.min_window_logprob == pytest.approx(min(windows), abs=1e-4)
        assert answer.min_window_logprob < answer.mean_logprob

    def test_in_float32_a_text_does_not_depend_on_its_batch(
        self, engine: ReferenceEngine, pictures: list[bytes]
    ) -> None:
        together = written(engine.generate(pictures))
        alone = [written(engine.generate([one]))[0] for one in pictures]

        assert [one.token_ids for one in together] == [one.token_ids for one in alone]
        assert len({one.output_tokens for one in together}) > 1
        assert len({one.text for one in together}) == len(pictures)

    def test_equals_what_the_processor_of_the_checkpoint_makes_of_the_picture(
        self, engine: ReferenceEngine, directory: Path, rng: np.random.Generator
    ) -> None:
        small = picture(rng, side=96)
        processor = hub.AutoProcessor.from_pretrained(directory, local_files_only=True)

        ours = engine.llava.checkpoint.normalisation.tensor(small)
        theirs = processor.image_processor(Image.open(BytesIO(small)), return_tensors="np")

        assert np.array_equal(ours, theirs["pixel_values"][0])

    def test_answers_more_than_a_batch_in_order(
        self, opened: Open, engine: ReferenceEngine, pictures: list[bytes]
    ) -> None:
        small = opened(batch_size=3)

        assert [one.text for one in written(small.generate(pictures))] == [
            one.text for one in written(engine.generate(pictures))
        ]
        assert [one.batch_size for one in written(small.generate(pictures))] == [3] * 6 + [1]

    def test_nothing_in_nothing_out(self, engine: ReferenceEngine) -> None:
        assert engine.generate([]) == []


class TestEnds:
    def test_says_stop_and_keeps_the_token_that_ended_the_text(
        self, opened: Open, pictures: list[bytes]
    ) -> None:
        answers = written(opened(most=400).generate(pictures))

        ended = [one for one in answers if one.finish_reason == "stop"]
        assert ended
        for one in ended:
            assert one.token_ids[-1] == 1
            assert one.token_ids.count(1) == 1
            assert one.output_tokens == len(one.token_ids) < 400
            assert "</s>" not in one.text

    def test_says_length_when_the_limit_cuts_it(self, opened: Open, pictures: list[bytes]) -> None:
        answers = written(opened(most=3).generate(pictures[1:3]))

        assert [one.finish_reason for one in answers] == ["length", "length"]
        assert [one.output_tokens for one in answers] == [3, 3]

    def test_may_end_with_the_very_first_token(self, opened: Open, pictures: list[bytes]) -> None:
        engine = opened()
        _always_end(engine)

        answer = written(engine.generate(pictures[:2]))[1]

        assert (answer.text, answer.token_ids, answer.finish_reason) == ("", (1,), "stop")
        assert answer.mean_logprob == answer.min_window_logprob == pytest.approx(0, abs=1e-3)


class TestFailures:
    def test_overflow_on_one_picture_leaves_the_others_as_they_were(
        self, opened: Open, pictures: list[bytes]
    ) -> None:
        whole = written(opened().generate(pictures[:3]))
        engine = opened()
        _overflow(engine, row=1)

        first, second, third = engine.generate(pictures[:3])

        assert (first, third) == (whole[0], whole[2])
        assert isinstance(second, EngineFailure)
        assert second.code == "not_finite"

    def test_a_picture_that_was_not_prepared_fails_alone(
        self, engine: ReferenceEngine, pictures: list[bytes], rng: np.random.Generator
    ) -> None:
        answers = engine.generate([b"no picture", pictures[0], picture(rng, mode="L")])

        assert [type(one) for one in answers] == [EngineFailure, Generation, EngineFailure]
        assert [one.code for one in answers if isinstance(one, EngineFailure)] == [
            "not_model_ready",
            "not_model_ready",
        ]

    def test_short_of_memory_it_goes_on_with_half_the_batch(
        self, opened: Open, pictures: list[bytes]
    ) -> None:
        engine = opened()
        sizes = _room_for(engine, 3)

        answers = written(engine.generate(pictures))

        assert sizes == [7, 3, 3, 1]
        assert engine.batch_size == 3
        assert len(answers) == 7

    def test_short_of_memory_for_one_picture_it_gives_up(
        self, opened: Open, pictures: list[bytes]
    ) -> None:
        engine = opened()
        _room_for(engine, 0)

        with pytest.raises(torch.OutOfMemoryError):
            engine.generate(pictures)


def _always_end(engine: ReferenceEngine) -> None:
    """Make the end token win whatever comes, through the model's own weights."""
    head = engine._model.get_output_embeddings()
    head.register_forward_hook(lambda _module, _inputs, logits: _raised(logits))


def _raised(logits: torch.Tensor) -> torch.Tensor:
    logits = logits.clone()
    logits[..., 1] = 1e4
    return logits


def _overflow(engine: ReferenceEngine, *, row: int) -> None:
    def poison(_module: Any, _inputs: Any, features: torch.Tensor) -> torch.Tensor:
        features = features.clone()
        features[row] = torch.inf
        return features

    engine._model.model.multi_modal_projector.register_forward_hook(poison)


def _room_for(engine: ReferenceEngine, most: int) -> list[int]:
    """Let the model refuse larger batches as CUDA does; return the sizes that were tried."""
    sizes = []

    def refuse(_module: Any, args: tuple[torch.Tensor, ...], kwargs: dict[str, Any]) -> None:
        pixels = kwargs.get("pixel_values", *args[:1])
        sizes.append(len(pixels))
        if len(pixels) > most:
            raise torch.OutOfMemoryError

    engine._model.model.vision_tower.register_forward_pre_hook(refuse, with_kwargs=True)
    return sizes
