import time

from worker.bench.meter import Meter


class TestMeasured:
    def test_does_not_count_what_others_do_meanwhile_on_the_cpu(self) -> None:
        with Meter("cpu").measured() as spent:
            time.sleep(0.2)

        assert spent.wall >= 0.2
        assert spent.seconds == spent.cpu < 0.2

    def test_forgets_the_peak_of_what_was_before(self) -> None:
        meter, megabytes = Meter("cpu"), 200 * 2**20
        with meter.measured() as large:
            held = bytearray(megabytes)
            held[::4096] = b"x" * len(held[::4096])
        del held

        with meter.measured() as small:
            pass

        assert small.peak < large.peak - megabytes / 2
