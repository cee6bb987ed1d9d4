from typing import Any

import pytest
import torch

from worker.bench import models
from worker.bench.models import EOS, PROMPT, SIZES


@pytest.fixture(scope="module")
def model() -> Any:
    return models.build(SIZES["xs"], device="cpu", dtype=torch.float32, seed=0)


def written(model: Any, number: int, tokens: int = 24) -> list[int]:
    ids = models.prompt_ids(SIZES["xs"].vocabulary, seed=0)[None]
    text = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        pixel_values=models.picture(number, seed=0)[None],
        max_new_tokens=tokens,
    )
    found: list[int] = text[0, PROMPT:].tolist()
    return found


class TestBuild:
    def test_writes_something_else_about_every_picture(self, model: Any) -> None:
        texts = [written(model, number) for number in range(4)]

        assert len({tuple(text) for text in texts}) == len(texts)

    def test_does_not_fall_into_repeating_itself(self, model: Any) -> None:
        text = written(model, 0)

        assert len(set(text)) > len(text) / 2

    def test_never_ends_by_itself(self, model: Any) -> None:
        assert model.generation_config.suppress_tokens == [EOS]
        assert len(written(model, 0)) == 24

    def test_is_made_in_the_type_it_runs_in(self) -> None:
        half = models.build(SIZES["xs"], device="cpu", dtype=torch.float16, seed=0)

        assert {weight.dtype for weight in half.parameters()} == {torch.float16}
        assert torch.get_default_dtype() == torch.float32

    def test_has_the_parameters_of_the_model_that_it_stands_for(self) -> None:
        with torch.device("meta"):
            model = models.build(SIZES["7b"], device="meta", dtype=torch.float16, seed=0)

        assert model.num_parameters() == 7_063_427_072


class TestPromptIds:
    def test_has_a_place_for_every_part_of_the_picture(self, model: Any) -> None:
        ids = models.prompt_ids(SIZES["xs"].vocabulary, seed=0)

        assert len(ids) == 636
        assert int((ids == model.config.image_token_id).sum()) == 576


class TestPicture:
    def test_is_the_same_for_the_same_number_and_seed(self) -> None:
        assert torch.equal(models.picture(3, seed=1), models.picture(3, seed=1))

    def test_is_another_for_another_number_or_seed(self) -> None:
        pictures = [models.picture(*of) for of in ((3, 1), (4, 1), (3, 2))]

        assert not any(torch.equal(pictures[0], other) for other in pictures[1:])
