from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worker.images import Limits, prepare
from worker.training.demo import attributes, data
from worker.training.demo.colours import Pixels


def _samples(count: int, seed: int = 8) -> list[data.Sample]:
    return data.samples(np.random.default_rng(seed), count)


def _in_production(picture: Path) -> Pixels:
    prepared = prepare(picture, limits=Limits())
    with Image.open(BytesIO(prepared.model_png)) as image:
        return np.asarray(image.resize((data.SIDE, data.SIDE), Image.Resampling.BICUBIC))


class TestSamples:
    def test_are_the_same_for_the_same_seed_and_others_for_another(self) -> None:
        first, again, other = _samples(4), _samples(4), _samples(4, seed=9)

        assert (first[3].square == again[3].square).all()
        assert not (first[3].square == other[3].square).all()

    def test_show_nearly_every_value_of_every_attribute(self) -> None:
        values = [attributes.classify(sample.measured) for sample in _samples(400)]

        for attribute, known in attributes.VALUES.items():
            missing = set(known) - {value[attribute] for value in values}
            assert len(missing) <= (2 if attribute in {"ground", "accent"} else 0)


class TestFrame:
    @pytest.mark.parametrize(("width", "height"), [(960, 500), (610, 960), (960, 893), (700, 700)])
    def test_pads_as_production_does(self, tmp_path: Path, width: int, height: int) -> None:
        plain = np.broadcast_to(np.array([200, 40, 90], np.uint8), (height, width, 3))
        Image.fromarray(plain).save(tmp_path / "plain.png")
        short = data.SIDE * min(width, height) / max(width, height)
        rows = 2 * int(np.ceil(short / 2))
        shape = (data.SIDE, rows, 3) if width < height else (rows, data.SIDE, 3)

        framed = data.frame(np.broadcast_to(plain[0, 0], shape), short)

        difference = framed.astype(float) - _in_production(tmp_path / "plain.png")
        assert np.abs(difference).mean() < 1.5
        assert np.abs(difference).max() < 30


class TestBatch:
    def test_depends_on_its_number_alone_so_that_training_can_resume(self) -> None:
        made = _samples(40)

        first, again = data.batch(3, made, 8, 6), data.batch(3, made, 8, 6)

        assert all((a.square == b.square).all() for a, b in zip(first, again, strict=True))

    def test_takes_every_sample_once_in_a_round(self) -> None:
        made = _samples(40)

        round_of = [one for number in range(5) for one in data.batch(3, made, 8, number)]

        assert {id(one.measured) for one in round_of} == {id(one.measured) for one in made}

    def test_mirrors_pictures_without_changing_what_is_true_of_them(self) -> None:
        made = [one for one in _samples(80) if one.measured.format == 0]

        for one in data.batch(3, made, len(made), 0):
            again = attributes.measure(one.square)
            assert attributes.classify(again) == attributes.classify(one.measured)


class TestMake:
    def test_makes_what_is_missing_and_reads_back_what_was_made(self, tmp_path: Path) -> None:
        files = data.make(tmp_path, seed=5, count=6)
        before = files[0].stat().st_mtime_ns

        again = data.load(data.make(tmp_path, seed=5, count=6))

        assert files[0].stat().st_mtime_ns == before
        fresh = data.samples(np.random.default_rng([5, 0]), 6)
        for read, one in zip(again, fresh, strict=True):
            assert (read.square == one.square).all()
            assert attributes.classify(read.measured) == attributes.classify(one.measured)
