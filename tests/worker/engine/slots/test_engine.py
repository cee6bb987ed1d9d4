from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from tests.worker.engine.slots import small
from tests.worker.engine.slots.running import engine, finish, paintings, write
from worker.engine.decoding import PAPER
from worker.engine.slots.config import Way

RUNS = list(product(["masked", "ragged"], [1, 3, 8], [(1, 1), (4, 4)]))


class TestTexts:
    def test_differ_and_end_in_every_way(self, alone: dict[int, list[int]]) -> None:
        lengths = {len(tokens) for tokens in alone.values()}
        ended = [tokens[-1] == small.END for tokens in alone.values()]

        assert len({tuple(tokens) for tokens in alone.values()}) == len(alone)
        assert {1, small.MOST} <= lengths
        assert any(ended)
        assert not all(ended)

    @pytest.mark.parametrize(("attention", "slots", "group"), RUNS)
    def test_are_those_of_generate_alone(
        self,
        alone: dict[int, list[int]],
        attention: Way,
        slots: int,
        group: tuple[int, int],
    ) -> None:
        refill, block = group
        running = engine(slots, refill=refill, block=block, attention=attention)

        assert write(running, paintings()) == alone

    @pytest.mark.parametrize("seed", range(3))
    def test_do_not_depend_on_the_order_in_which_paintings_came(
        self, alone: dict[int, list[int]], seed: int
    ) -> None:
        shuffled = paintings(np.random.default_rng(seed).permutation(24).tolist())

        assert write(engine(3, refill=2), shuffled) == alone

    def test_do_not_depend_on_when_paintings_came(self, alone: dict[int, list[int]]) -> None:
        running = engine(3, refill=2)
        coming = iter(paintings())
        done: dict[object, list[int]] = {}

        for one in coming:
            running.put(one)
            done |= {ended.key: ended.tokens for ended in running.step()}

        assert done | {key: one.tokens for key, one in finish(running).items()} == alone

    @pytest.mark.parametrize("attention", ["masked", "ragged"])
    def test_do_not_depend_on_what_the_neighbours_are_asked(
        self, alone: dict[int, list[int]], attention: Way
    ) -> None:
        longer = small.prompt(1, suffix=19)
        others = [small.painting(100 + n, asked=longer, most=27) for n in range(6)]
        mixed = [one for pair in zip(paintings(range(6)), others, strict=True) for one in pair]

        written = write(engine(3, refill=4, attention=attention), mixed)

        assert {key: written[key] for key in range(6)} == {key: alone[key] for key in range(6)}
        for other in others:
            assert written[other.key] == small.generated(other)

    @pytest.mark.parametrize("attention", ["masked", "ragged"])
    def test_are_those_of_generate_where_heads_share_their_keys(self, attention: Way) -> None:
        running = engine(3, attention=attention, model=small.model(kv_heads=2))

        written = write(running, paintings(range(6)))

        assert written == {n: small.generated(small.painting(n), kv_heads=2) for n in range(6)}

    def test_that_are_drawn_do_not_depend_on_their_neighbours(self) -> None:
        drawing = replace(PAPER, temperature=2.0)

        many = write(engine(8, refill=4, block=4, decoding=drawing), paintings(range(12)))
        one = write(engine(1, decoding=drawing), paintings(range(12)))
        greedy = write(engine(8), paintings(range(12)))

        assert many == one
        assert many != greedy

    def test_that_are_drawn_leave_those_beside_them_as_they_were(
        self, alone: dict[int, list[int]]
    ) -> None:
        drawing = replace(PAPER, temperature=2.0)
        drawn = write(engine(1, decoding=drawing), paintings(range(6)))
        mixed = paintings(range(6)) + [replace(small.painting(n), seed=None) for n in range(6, 12)]

        for order in (mixed, mixed[::-1]):
            running = engine(3, refill=2, block=4, decoding=drawing)
            written = write(running, [replace(one, tokens=[], logprobs=[]) for one in order])

            assert {n: written[n] for n in range(6)} == drawn
            assert {n: written[n] for n in range(6, 12)} == {n: alone[n] for n in range(6, 12)}


class TestLogprobs:
    def test_are_those_of_the_bare_model_among_the_allowed_words(self) -> None:
        running = engine(3, refill=2, block=4)
        for one in paintings(range(6)):
            running.put(one)

        for key, written in finish(running).items():
            scores = small.forward(small.painting(key), written.tokens)
            scores[:, small.model().generation_config.suppress_tokens] = -torch.inf
            wanted = scores.log_softmax(-1)[range(len(written.tokens)), written.tokens]
            assert torch.allclose(torch.tensor(written.logprobs), wanted, atol=1e-4)


class TestEnds:
    def test_at_the_most_that_a_painting_may_have(self, alone: dict[int, list[int]]) -> None:
        numbers = range(8)

        written = write(
            engine(3, refill=2, block=4), [small.painting(n, most=1 + 2 * n) for n in numbers]
        )

        assert written == {n: alone[n][: 1 + 2 * n] for n in numbers}

    def test_a_cancelled_painting_leaves_the_others_as_they_were(
        self, alone: dict[int, list[int]]
    ) -> None:
        running = engine(3, block=2)
        for one in paintings(range(12)):
            running.put(one)
        done = {ended.key: ended.tokens for _ in range(3) for ended in running.step()}
        seated = [one.key for _, one in running._scheduler.seated()]
        cancelled = {seated[1], 11}

        for key in cancelled:
            running.cancel(key)
        done |= {key: one.tokens for key, one in finish(running).items()}

        assert done == {key: alone[key] for key in range(12) if key not in cancelled}

    @pytest.mark.parametrize("attention", ["masked", "ragged"])
    def test_a_broken_painting_harms_neither_its_group_nor_who_comes_after(
        self, alone: dict[int, list[int]], attention: Way
    ) -> None:
        broken = small.painting(50)
        broken.pixels[0, 3, 3] = torch.nan
        running = engine(2, refill=2, block=4, attention=attention)

        for one in [*paintings(range(3)), broken, *paintings(range(3, 10))]:
            running.put(one)
        done = finish(running)

        assert [key for key, one in done.items() if one.is_broken] == [50]
        assert {key: done[key].tokens for key in range(10)} == {
            key: alone[key] for key in range(10)
        }

    def test_what_breaks_while_it_is_written_ends_alone(self, alone: dict[int, list[int]]) -> None:
        running = engine(3)
        for one in paintings(range(9)):
            running.put(one)
        done = {one.key: one for one in running.step()}
        slot, victim = next(seat for seat in running._scheduler.seated() if seat[1].key == 2)
        running._runner.cache.layers[1].values[slot, 0, 2] = torch.inf

        done |= finish(running)

        assert [key for key, one in done.items() if one.is_broken] == [victim.key]
        others = set(range(9)) - {victim.key}
        assert {key: done[key].tokens for key in others} == {key: alone[key] for key in others}


class TestRoom:
    def test_is_for_every_free_slot_and_a_group_to_follow(self) -> None:
        running = engine(4, refill=2)

        rooms = [running.room]
        for one in paintings(range(7)):
            running.put(one)
            rooms.append(running.room)

        assert rooms == [6, 5, 4, 3, 2, 1, 0, 0]

    def test_comes_back_when_a_text_ends(self, alone: dict[int, list[int]]) -> None:
        running = engine(2)
        longest = max(alone, key=lambda key: len(alone[key]))
        shortest = next(key for key in alone if 1 < len(alone[key]) < 5)
        for number in (longest, shortest):
            running.put(small.painting(number))

        while not (done := running.step()):
            pass

        assert [one.key for one in done] == [shortest]
        assert running.room == 2

    def test_a_painting_longer_than_a_slot_is_refused_at_once(self) -> None:
        running = engine(capacity=60)

        with pytest.raises(ValueError, match="71 tokens do not fit into 60"):
            running.put(small.painting(1))

        assert running.is_idle


class TestOccupancy:
    def test_is_the_share_of_slot_steps_in_which_something_was_written(self) -> None:
        running = engine(2)
        for number, most in ((3, 3), (10, 5)):
            running.put(small.painting(number, most=most))

        finish(running)

        # Both read one token from their prompts; then two and four steps of two slots.
        assert running.occupancy == (2 + 4) / (2 * 4)
