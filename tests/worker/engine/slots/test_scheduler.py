from tests.worker.engine.slots import small
from worker.engine.slots import Painting
from worker.engine.slots.scheduler import Scheduler

OTHER = small.prompt(1)


def line(scheduler: Scheduler, *paintings: Painting) -> None:
    for one in paintings:
        scheduler.put(one)


def read(scheduler: Scheduler) -> list[tuple[int, object]]:
    group = scheduler.next_group()
    for slot, painting in group:
        scheduler.seat(slot, painting)
    return [(slot, painting.key) for slot, painting in group]


class TestNextGroup:
    def test_reads_together_those_that_came_first_up_to_the_most(self) -> None:
        scheduler = Scheduler(slots=5, refill=2)
        line(scheduler, *map(small.painting, range(5)))

        groups = [read(scheduler) for _ in range(4)]

        assert groups == [[(0, 0), (1, 1)], [(2, 2), (3, 3)], [(4, 4)], []]

    def test_lets_one_free_slot_wait_for_another_while_many_wait(self) -> None:
        scheduler = Scheduler(slots=4, refill=2)
        line(scheduler, *map(small.painting, range(8)))
        while read(scheduler):
            pass

        scheduler.leave(3)
        one_free = read(scheduler)
        scheduler.leave(1)
        two_free = read(scheduler)

        assert one_free == []
        assert two_free == [(1, 4), (3, 5)]

    def test_fills_a_slot_at_once_when_nobody_else_waits(self) -> None:
        scheduler = Scheduler(slots=4, refill=2)
        line(scheduler, small.painting(0))

        assert read(scheduler) == [(0, 0)]

    def test_never_reads_different_questions_together_nor_out_of_order(self) -> None:
        scheduler = Scheduler(slots=8, refill=4)
        asked = [None, None, OTHER, None]
        line(scheduler, *(small.painting(n, asked=one) for n, one in enumerate(asked)))

        groups = [[key for _, key in read(scheduler)] for _ in range(3)]

        assert groups == [[0, 1], [2], [3]]


class TestCancel:
    def test_takes_out_who_waits_and_says_where_somebody_sat(self) -> None:
        scheduler = Scheduler(slots=2, refill=1)
        line(scheduler, *map(small.painting, range(3)))
        read(scheduler)
        read(scheduler)

        left = [scheduler.cancel(key) for key in (1, 2, "nobody")]

        assert left == [1, None, None]
        assert [one.key for _, one in scheduler.seated()] == [0]
        assert read(scheduler) == []
