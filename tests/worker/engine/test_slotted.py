from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.worker.engine.test_llava import written
from worker.engine.decoding import ANOTHER, GREEDY, PAPER, Decoding
from worker.engine.llava import Llava
from worker.engine.prompts import Prompt
from worker.engine.protocol import EngineFailure, Generation, Request, answers, stream
from worker.engine.reference import ReferenceEngine
from worker.engine.slots.memory import NoRoomError, fitted
from worker.engine.slotted import SlottedEngine

LONG = Prompt("long/1", "Describe the line, the colour, the light, the space and the forms. " * 4)
Opened = Callable[..., SlottedEngine]


@pytest.fixture(scope="module")
def slots(directory: Path) -> Opened:
    def engine(
        *, most: int = 48, decoding: Decoding = GREEDY, dtype: str = "float32", **options: Any
    ) -> SlottedEngine:
        llava = Llava(directory, device="cpu", dtype=dtype, max_new_tokens=most, decoding=decoding)
        return SlottedEngine(llava, **{"slots": 3, **options})

    return engine


def bare(answers: Sequence[Generation | EngineFailure]) -> list[Generation]:
    """Without what may differ: how many were written at once, and the last bits of a float."""
    return [
        replace(one, batch_size=0, mean_logprob=0, min_window_logprob=0) for one in written(answers)
    ]


class TestGenerate:
    @pytest.mark.parametrize("decoding", [GREEDY, replace(PAPER, temperature=1.0)])
    def test_writes_what_the_reference_writes(
        self, slots: Opened, pictures: list[bytes], decoding: Decoding
    ) -> None:
        engine = slots(decoding=decoding)
        reference = ReferenceEngine(engine.llava, batch_size=4)

        ours, theirs = engine.generate(pictures), reference.generate(pictures)

        assert bare(ours) == bare(theirs)
        for one, other in zip(written(ours), written(theirs), strict=True):
            assert one.mean_logprob == pytest.approx(other.mean_logprob, abs=1e-4)
            assert one.min_window_logprob == pytest.approx(other.min_window_logprob, abs=1e-4)
            assert one.batch_size == 3

    def test_ends_as_the_reference_does(self, slots: Opened, pictures: list[bytes]) -> None:
        reasons = {one.finish_reason for one in written(slots(most=400).generate(pictures))}

        cut = written(slots(most=5).generate(pictures))

        assert "stop" in reasons
        assert {one.output_tokens for one in cut if one.finish_reason == "length"} == {5}
        assert all(one.output_tokens <= 5 for one in cut)

    def test_nothing_in_nothing_out(self, slots: Opened) -> None:
        assert slots().generate([]) == []


class TestFurtherSamples:
    def test_are_the_same_in_any_order_and_company_and_as_the_reference_writes_them(
        self, slots: Opened, pictures: list[bytes]
    ) -> None:
        engine = slots()
        asked = [Request(one, engine.llava.prompt, n) for one in pictures[:4] for n in range(3)]

        together = bare(answers(engine, asked))
        backwards = bare(answers(engine, asked[::-1]))
        alone = [bare(answers(engine, [one]))[0] for one in asked]

        assert together == backwards[::-1] == alone
        assert together == bare(answers(ReferenceEngine(engine.llava, batch_size=5), asked))
        assert together[::3] == bare(engine.generate(pictures[:4]))

    def test_say_something_else_each_time_and_name_their_seeds(
        self, slots: Opened, pictures: list[bytes]
    ) -> None:
        engine = slots()

        found = written(
            answers(engine, [Request(pictures[0], engine.llava.prompt, n) for n in range(4)])
        )

        assert len({one.text for one in found}) == 4
        assert found[0].seed is None
        assert len({one.seed for one in found}) == 4

    def test_are_of_another_release_that_names_the_chance(self, slots: Opened) -> None:
        engine = slots()

        assert engine.release.decoding["strategy"] == "greedy"
        assert engine.drawing.decoding == {**engine.release.decoding, **ANOTHER.as_json()}

    def test_are_of_the_same_release_where_everything_is_drawn(self, slots: Opened) -> None:
        engine = slots(decoding=PAPER)

        assert engine.drawing == engine.release


class TestStream:
    def test_keeps_the_order_and_lets_failures_stand_in_their_places(
        self, slots: Opened, pictures: list[bytes]
    ) -> None:
        engine = slots()
        refused = EngineFailure("unreadable", "The file cannot be read.")
        asked = [Request(one, engine.llava.prompt) for one in (b"no picture", *pictures)]

        found = list(stream(engine, [asked[0], refused, *asked[1:]]))

        assert isinstance(found[0], EngineFailure)
        assert found[0].code == "not_model_ready"
        assert found[1] == refused
        assert bare(found[2:]) == bare(engine.generate(pictures))

    def test_takes_no_more_than_it_has_room_for(self, slots: Opened, pictures: list[bytes]) -> None:
        engine, taken = slots(), []

        def coming() -> Any:
            for one in pictures:
                taken.append(one)
                yield Request(one, engine.llava.prompt)

        next(stream(engine, coming()))

        assert len(taken) < len(pictures)


class TestLongerQuestions:
    def test_are_answered_in_longer_slots_once_the_shorter_are_free(
        self, slots: Opened, pictures: list[bytes]
    ) -> None:
        engine = slots()
        asked = [
            Request(one, LONG if n % 3 == 1 else engine.llava.prompt)
            for n, one in enumerate(pictures)
        ]
        before = engine._engine.config.capacity

        found = answers(engine, asked)

        assert engine._engine.config.capacity > before
        assert bare(found) == bare(answers(ReferenceEngine(engine.llava, batch_size=1), asked))

    def test_fail_alone_where_memory_holds_no_such_slot(
        self, slots: Opened, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = slots()
        usual = bare(engine.generate(pictures[:2]))

        def small(model: Any, config: Any, **rest: Any) -> Any:
            if config.capacity > engine_capacity:
                raise NoRoomError(5 * 10**9, 10**9)
            return fitted(model, config, **rest)

        engine_capacity = engine._engine.config.capacity
        monkeypatch.setattr("worker.engine.slotted.fitted", small)
        asked = [Request(one, engine.llava.prompt) for one in pictures[:2]]

        first, failed, second = answers(engine, [asked[0], Request(pictures[2], LONG), asked[1]])

        assert isinstance(failed, EngineFailure)
        assert failed.code == "no_room"
        assert "5.00 GB" in failed.sentence
        assert bare([first, second]) == usual


class TestCancel:
    def test_leaves_no_trace_wherever_the_picture_was(
        self, slots: Opened, pictures: list[bytes]
    ) -> None:
        engine = slots()
        usual = bare(engine.generate(pictures))
        for number, one in enumerate(pictures):
            engine.put(number, engine.open(Request(one, engine.llava.prompt)))
        engine.put("long", engine.open(Request(pictures[0], LONG)))
        done: dict[Any, Any] = dict(engine.step())
        engine.put("spoilt", engine.open(Request(b"", engine.llava.prompt)))

        for key in (1, 6, "long", "spoilt", "nobody"):
            engine.cancel(key)
        while not engine.is_idle:
            done |= dict(engine.step())

        kept = [number for number in range(len(pictures)) if number not in {1, 6}]
        assert sorted(done) == kept
        assert bare([done[key] for key in kept]) == [usual[key] for key in kept]


class TestRelease:
    def test_names_what_of_the_engine_can_change_a_text(self, slots: Opened) -> None:
        exact, half = slots(), slots(dtype="bfloat16")
        eight = slots(dtype="bfloat16", kv_cache="fp8")

        engines = [one.release.decoding["engine"] for one in (exact, half, eight)]

        assert engines == ["slots", "slots/masked", "slots/masked/fp8"]
        assert len({one.release.digest() for one in (exact, half, eight)}) == 3

    def test_is_another_than_that_of_the_reference(self, slots: Opened) -> None:
        engine = slots()

        reference = ReferenceEngine(engine.llava, batch_size=1)

        assert reference.release.decoding["engine"] == "generate"
        assert reference.release.digest() != engine.release.digest()


class TestFailures:
    def test_overflow_on_one_picture_leaves_the_others_as_they_were(
        self, slots: Opened, pictures: list[bytes]
    ) -> None:
        engine = slots()
        usual = bare(engine.generate(pictures))
        broken = engine.open(Request(pictures[0], engine.llava.prompt))
        broken.pixels[:] = torch.inf  # type: ignore[union-attr]  # (the picture can be opened)
        for number, one in enumerate(pictures):
            engine.put(number, engine.open(Request(one, engine.llava.prompt)))
            if number == 2:
                engine.put("broken", broken)

        done: dict[Any, Any] = {}
        while not engine.is_idle:
            done |= dict(engine.step())

        assert done.pop("broken").code == "not_finite"
        assert bare([done[number] for number in range(len(pictures))]) == usual
