import threading
import time
from collections.abc import Callable, Sequence

import pytest

from worker.backlog import Backlog


def backlog(
    work: Callable[[Sequence[int]], None],
    *,
    most: int = 100,
    tick: Callable[[], None] = lambda: None,
    seconds: float = 60,
) -> Backlog[int]:
    return Backlog(work, most=most, tick=tick, seconds=seconds)


def add_until_it_breaks(waiting: Backlog[int]) -> None:
    while True:
        waiting.add([1])


def breaks(_: Sequence[int]) -> None:
    raise ZeroDivisionError


class TestBacklog:
    def test_works_off_everything_in_order_before_it_is_left(self) -> None:
        done: list[int] = []

        with backlog(done.extend) as waiting:
            for number in range(50):
                waiting.add([number])

        assert done == list(range(50))

    def test_works_off_at_once_what_came_together_meanwhile(self) -> None:
        groups: list[list[int]] = []
        first, go_on = threading.Event(), threading.Event()

        def work(group: Sequence[int]) -> None:
            groups.append(list(group))
            first.set()
            go_on.wait(10)

        with backlog(work) as waiting:
            waiting.add([1])
            first.wait(10)
            waiting.add([2])
            waiting.add([3, 4])
            go_on.set()

        assert groups == [[1], [2, 3, 4]]

    def test_lets_whoever_adds_wait_when_too_much_waits_already(self) -> None:
        go_on = threading.Event()
        added: list[int] = []

        def fill() -> None:
            for number in range(5):
                waiting.add([number])
                added.append(number)

        def work(_: Sequence[int]) -> None:
            go_on.wait(10)

        with backlog(work, most=2) as waiting:
            filler = threading.Thread(target=fill)
            filler.start()
            time.sleep(0.3)
            held_back = len(added)
            go_on.set()
            filler.join()

        assert held_back < 5
        assert len(added) == 5

    def test_raises_what_broke_it_where_the_next_is_added(self) -> None:
        with pytest.raises(ZeroDivisionError), backlog(breaks) as waiting:
            add_until_it_breaks(waiting)

    def test_raises_what_broke_it_at_the_end(self) -> None:
        with pytest.raises(ZeroDivisionError), backlog(breaks) as waiting:
            waiting.add([1])

    def test_ticks_though_nothing_comes(self) -> None:
        ticks = threading.Semaphore(0)

        with backlog(lambda _: None, tick=ticks.release, seconds=0.02):
            assert all(ticks.acquire(timeout=10) for _ in range(3))
