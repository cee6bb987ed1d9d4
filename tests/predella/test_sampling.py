from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predella import ids, sampling
from predella.sampling import TERMS, Plan

_SHARES = (0.005, 0.01, 0.02, 0.025, 0.04, 0.05, 0.08)


class TestAcceptance:
    @pytest.mark.parametrize(
        ("allowed", "expected"),
        [
            (3, (0.983, 0.860, 0.430, 0.259, 0.038, 0.009, 0.000)),
            (5, (1.00, 0.985, 0.788, 0.616, 0.183, 0.061, 0.001)),
            (10, (1.00, 1.00, 0.998, 0.988, 0.822, 0.583, 0.067)),
            (14, (1.00, 1.00, 1.00, 1.00, 0.986, 0.924, 0.358)),
        ],
    )
    def test_is_that_of_the_tables(self, allowed: int, expected: tuple[float, ...]) -> None:
        chances = [
            sampling.acceptance(
                members=10_000, bad=round(10_000 * share), sample=200, allowed=allowed
            )
            for share in _SHARES
        ]

        assert chances == pytest.approx(expected, abs=0.0006)

    @given(st.integers(1, 400), st.data())
    def test_falls_with_every_bad_text_and_with_every_one_read(
        self, members: int, data: st.DataObject
    ) -> None:
        bad = data.draw(st.integers(0, members - 1))
        sample = data.draw(st.integers(0, members - 1))
        allowed = data.draw(st.integers(0, 10))

        chance = sampling.acceptance(members=members, bad=bad, sample=sample, allowed=allowed)

        assert 0 <= chance <= 1
        worse = sampling.acceptance(members=members, bad=bad + 1, sample=sample, allowed=allowed)
        closer = sampling.acceptance(members=members, bad=bad, sample=sample + 1, allowed=allowed)
        assert max(worse, closer) <= chance


class TestSampleSize:
    @pytest.mark.parametrize(
        ("plan", "number"), [(Plan.STRICT, 263), (Plan.STANDARD, 105), (Plan.QUICK_LOOK, 60)]
    )
    def test_of_ten_thousand_is_the_plan_s_own_and_keeps_its_promise(
        self, plan: Plan, number: int
    ) -> None:
        terms = TERMS[plan]

        assert sampling.sample_size(plan, 10_000) == number
        bad = round(10_000 * terms.limit)
        chance = sampling.acceptance(members=10_000, bad=bad, sample=number, allowed=terms.allowed)
        assert chance <= terms.risk

    @given(st.sampled_from(Plan), st.integers(1, 20_000))
    def test_is_never_more_than_the_lot(self, plan: Plan, members: int) -> None:
        assert 0 < sampling.sample_size(plan, members) <= min(members, TERMS[plan].sample)


class TestUpperBound:
    @pytest.mark.parametrize(
        ("defects", "sample", "per_cent"), [(2, 200, 3.1), (1, 61, 7.5), (0, 60, 4.9)]
    )
    def test_is_that_of_clopper_and_pearson(
        self, defects: int, sample: int, per_cent: float
    ) -> None:
        bound = sampling.upper_bound(defects=defects, sample=sample)

        assert round(100 * bound, 1) == per_cent

    def test_of_nothing_read_and_of_nothing_good_is_everything(self) -> None:
        assert sampling.upper_bound(defects=0, sample=0) == 1
        assert sampling.upper_bound(defects=5, sample=5) == 1

    @given(st.integers(0, 20), st.integers(21, 400))
    def test_rises_with_defects_and_falls_with_reading(self, defects: int, sample: int) -> None:
        bound = sampling.upper_bound(defects=defects, sample=sample)

        assert defects / sample < bound
        assert sampling.upper_bound(defects=defects + 1, sample=sample) >= bound
        assert sampling.upper_bound(defects=defects, sample=sample + 1) <= bound


class TestAllocate:
    @given(
        st.dictionaries(st.text(max_size=3), st.integers(1, 500), min_size=1, max_size=8),
        st.data(),
    )
    def test_reads_five_of_every_stratum_that_has_so_many(
        self, sizes: dict[str, int], data: st.DataObject
    ) -> None:
        sample = data.draw(st.integers(1, sum(sizes.values())))

        shares = sampling.allocate(sizes, sample)

        assert sum(shares.values()) >= sample
        assert all(min(5, size) <= shares[name] <= size for name, size in sizes.items())


class TestDraw:
    def test_is_the_same_for_the_same_seed_whatever_the_order_of_the_list(self) -> None:
        members = [ids.new() for _ in range(300)]

        drawn = sampling.draw({"one": members}, 50, seed=77120)

        assert drawn == sampling.draw({"one": members[::-1]}, 50, seed=77120)
        assert len(set(drawn)) == 50
        assert drawn != sampling.draw({"one": members}, 50, seed=77121)

    def test_is_the_same_on_every_machine(self) -> None:
        members = [UUID(int=number) for number in range(100)]

        drawn = sampling.draw({"one": members}, 3, seed=1)

        assert [one.int for one in drawn] == [14, 89, 75, 92, 42]
