"""The engine against the outputs of GalleryGPT's original code."""

import hashlib
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.worker import golden
from tests.worker.conftest import bring_in
from worker.engine import as_paper
from worker.engine.llava import Llava
from worker.engine.loading import Question
from worker.engine.prompts import Prompt
from worker.engine.protocol import Answer, Generation
from worker.engine.reference import ReferenceEngine
from worker.engine.slotted import SlottedEngine
from worker.engine.templates import TEMPLATES

ASKED = {name: case for name, case in golden.CASES.items() if case["conv_mode"] in TEMPLATES}
HALF = [name for name in golden.META["fp16"]["cases"] if name in golden.CASES]


@pytest.fixture(scope="module")
def gallery(imported: Path) -> ReferenceEngine:
    return opened(imported, "float32")


def opened(directory: Path, dtype: str) -> ReferenceEngine:
    return ReferenceEngine(
        Llava(
            directory,
            device="cpu",
            dtype=dtype,
            max_new_tokens=32,
            preprocessing=as_paper.PREPROCESSING,
        ),
        batch_size=6,
    )


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    return {name: as_paper.picture(golden.image(name)) for name in golden.IMAGES}


def question(engine: ReferenceEngine, case: dict[str, Any]) -> Question:
    text = golden.QUESTIONS[case["query"]]
    return engine.llava.ask(Prompt("golden", text), case["conv_mode"])


def answered(
    engine: ReferenceEngine | SlottedEngine, batch: Sequence[tuple[bytes, Question]]
) -> list[Answer]:
    for number, (picture, asked) in enumerate(batch):
        engine.put(number, engine.llava.opened(picture, asked))
    found: dict[Hashable, Answer] = {}
    while not engine.is_idle:
        found |= dict(engine.step())
    return [found[number] for number in range(len(batch))]


def pixels(engine: ReferenceEngine, picture: bytes) -> torch.Tensor:
    values = torch.from_numpy(engine.llava.checkpoint.normalisation.tensor(picture))
    return values[None].to(engine.llava.dtype)


def prefill(engine: ReferenceEngine, case: dict[str, Any], picture: bytes) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = engine._model(
            input_ids=question(engine, case).ids[None], pixel_values=pixels(engine, picture)
        ).logits
    return logits[0].float()


class TestPictures:
    @pytest.mark.parametrize("name", golden.IMAGES)
    def test_are_the_same_to_the_last_bit(
        self, gallery: ReferenceEngine, pictures: dict[str, bytes], name: str
    ) -> None:
        values = gallery.llava.checkpoint.normalisation.tensor(pictures[name])

        digest = hashlib.sha256(values.tobytes()).hexdigest()

        assert digest == golden.META["images"][name]["sha256_float32_CHW"]

    @pytest.mark.parametrize("name", golden.IMAGES)
    def test_reach_the_language_model_alike(
        self, gallery: ReferenceEngine, pictures: dict[str, bytes], name: str
    ) -> None:
        with torch.inference_mode():
            found = gallery._model.get_image_features(
                pixel_values=pixels(gallery, pictures[name])
            ).pooler_output[0]

        wanted = golden.arrays()[f"features_first_last/{name}"]
        assert np.abs(found[[0, 1, 287, 574, 575]].numpy() - wanted).max() < 2e-4


class TestPrompts:
    @pytest.mark.parametrize("name", ASKED)
    def test_become_the_same_ids(self, gallery: ReferenceEngine, name: str) -> None:
        case = ASKED[name]

        asked = question(gallery, case)

        assert asked.rendered == case["prompt"]
        assert asked.ids.tolist() == expanded(case["input_ids"])
        assert len(asked.ids) == case["expanded_len"]

    def test_every_text_splits_as_in_the_original(self, gallery: ReferenceEngine) -> None:
        tokenizer = gallery.llava.checkpoint.processor.tokenizer
        controls = tokenizer.all_special_tokens
        texts = [row for row in golden.FUZZ if not any(one in row[0] for one in controls)]

        assert len(texts) == 101
        assert [tokenizer(text).input_ids for text, _, _ in texts] == [ids for _, ids, _ in texts]

    def test_tokens_become_text_as_in_the_original(self, gallery: ReferenceEngine) -> None:
        decode = gallery.llava.checkpoint.decode
        rows = [row for row in golden.FUZZ if "\u2581" not in row[2]]

        assert [decode(ids) for _, ids, _ in rows] == [text for _, _, text in rows]


def expanded(ids: list[int]) -> list[int]:
    places = [golden.TOKENS] * 576
    return [one for token in ids for one in (places if token == golden.PLACE else [token])]


class TestFloat32:
    @pytest.mark.parametrize("name", ASKED)
    def test_the_scores_after_the_prompt(
        self, gallery: ReferenceEngine, pictures: dict[str, bytes], name: str
    ) -> None:
        case = ASKED[name]
        before = case["input_ids"].index(golden.PLACE)

        logits = prefill(gallery, case, pictures[case["image"]])[:, : golden.TOKENS].numpy()

        length = len(logits)
        probes = logits[[0, before - 1, before + 576, length // 2, length - 2], ::16]
        wanted = golden.arrays()
        assert np.abs(logits[-1] - wanted[f"logits_last/{name}"]).max() < 1e-4
        assert np.abs(probes - wanted[f"logits_probe/{name}"]).max() < 1e-4

    @pytest.mark.parametrize("name", ASKED)
    def test_thirty_two_words_alone(
        self, gallery: ReferenceEngine, pictures: dict[str, bytes], name: str
    ) -> None:
        case = ASKED[name]

        (answer,) = answered(gallery, [(pictures[case["image"]], question(gallery, case))])

        assert_same(answer, case)

    def test_thirty_two_words_in_mixed_batches(
        self, gallery: ReferenceEngine, pictures: dict[str, bytes]
    ) -> None:
        mixed = sorted(
            ASKED.values(),
            key=lambda case: hashlib.md5(
                case["prompt"].encode() + case["image"].encode(), usedforsecurity=False
            ).digest(),
        )
        batch = [(pictures[case["image"]], question(gallery, case)) for case in mixed]
        assert len({len(asked.ids) for _, asked in batch[:6]}) > 1

        answers = answered(gallery, batch)

        for answer, case in zip(answers, mixed, strict=True):
            assert_same(answer, case)


class TestSlots:
    def test_write_the_same_words_whatever_their_neighbours_are_asked(
        self, gallery: ReferenceEngine, pictures: dict[str, bytes]
    ) -> None:
        batch = [(pictures[case["image"]], question(gallery, case)) for case in ASKED.values()]
        assert len({len(asked.ids) for _, asked in batch}) == 3

        answers = answered(SlottedEngine(gallery.llava, slots=5), batch)

        for answer, case in zip(answers, ASKED.values(), strict=True):
            assert_same(answer, case)


def assert_same(answer: object, case: dict[str, Any]) -> None:
    assert isinstance(answer, Generation)
    assert list(answer.token_ids) == case["greedy_ids"]
    assert answer.text == case["text"]


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> ReferenceEngine:
    out = tmp_path_factory.mktemp("half") / "release"
    return opened(bring_in(out, dtype="float16"), "float16")


class TestFloat16:
    @pytest.mark.parametrize("name", HALF)
    def test_the_scores_after_the_prompt(
        self, half: ReferenceEngine, pictures: dict[str, bytes], name: str
    ) -> None:
        case = golden.CASES[name]

        logits = prefill(half, case, pictures[case["image"]])[-1, : golden.TOKENS].numpy()

        assert np.abs(logits - golden.arrays()[f"fp16/logits_last/{name}"]).max() < 0.05
