import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from predella.errors import RefusedImageError, UnavailableError
from tests.worker.images.files import painting, png_bomb
from worker import images
from worker.images import Limits, Sandbox


@pytest.fixture
def own() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "größe.jpg"
    painting(320, 240).save(path)
    return path


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return png_bomb(tmp_path_factory.mktemp("bombs") / "slow.png", 9000, interlaced=True)


def pid(sandbox: Sandbox) -> int:
    assert sandbox._process is not None
    return sandbox._process.pid


class TestProcess:
    def test_is_kept_from_one_picture_to_the_next(self, own: Sandbox, picture: Path) -> None:
        own.prepare(picture, Limits())
        first = pid(own)
        own.prepare(picture, Limits())

        assert pid(own) == first

    def test_is_replaced_after_a_picture_that_took_too_much_memory(
        self, own: Sandbox, picture: Path, slow: Path
    ) -> None:
        before = own.prepare(picture, Limits())
        first = pid(own)

        with pytest.raises(RefusedImageError) as refused:
            own.prepare(slow, Limits(base_memory=300 << 20, bytes_per_pixel=0))

        assert refused.value.code == "out_of_memory"
        assert own.prepare(picture, Limits()) == before
        assert pid(own) != first

    def test_is_replaced_after_a_picture_that_took_too_long(
        self, own: Sandbox, picture: Path, slow: Path
    ) -> None:
        own.prepare(picture, Limits())
        with pytest.raises(RefusedImageError) as refused:
            own.prepare(slow, Limits(wall_seconds=0.05))

        assert refused.value.code == "timed_out"
        assert own.prepare(picture, Limits()).width == 320

    def test_that_computes_too_long_is_ended_by_the_kernel(
        self, own: Sandbox, picture: Path, slow: Path
    ) -> None:
        own.prepare(picture, Limits())

        with pytest.raises(RefusedImageError) as refused:
            own.prepare(slow, Limits(cpu_seconds=-1))

        assert refused.value.code == "timed_out"

    def test_crashing_is_the_fault_of_the_file(self, own: Sandbox, slow: Path) -> None:
        with pytest.raises(RefusedImageError) as refused:
            prepare_while(own, slow, signal.SIGSEGV)

        assert refused.value.code == "decoder_crashed"

    def test_killed_from_outside_is_not(self, own: Sandbox, picture: Path, slow: Path) -> None:
        with pytest.raises(UnavailableError, match="status -9"):
            prepare_while(own, slow, signal.SIGKILL)

        assert own.prepare(picture, Limits()).width == 320

    def test_that_died_between_two_pictures_is_not_noticed(
        self, own: Sandbox, picture: Path
    ) -> None:
        own.prepare(picture, Limits())
        os.kill(pid(own), signal.SIGKILL)
        time.sleep(0.2)

        assert own.prepare(picture, Limits()).width == 320

    def test_serves_several_threads_in_turn(self, own: Sandbox, tmp_path: Path) -> None:
        paths = [tmp_path / f"{n}.png" for n in range(8)]
        for n, path in enumerate(paths):
            Image.new("RGB", (20 + n, 30)).save(path)

        with ThreadPoolExecutor(4) as threads:
            widths = list(threads.map(lambda path: own.prepare(path, Limits()).width, paths))

        assert widths == [20 + n for n in range(8)]

    def test_does_not_hear_the_ctrl_c_that_its_parent_hears(
        self, own: Sandbox, picture: Path
    ) -> None:
        own.prepare(picture, Limits())

        assert os.getpgid(pid(own)) != os.getpgid(0)

    def test_ends_with_its_parent(self, picture: Path) -> None:
        script = (
            "import sys, pathlib\n"
            "from worker.images import Limits, Sandbox\n"
            "sandbox = Sandbox()\n"
            "sandbox.prepare(pathlib.Path(sys.argv[1]), Limits())\n"
            "print(sandbox._process.pid, flush=True)\n"
            "sys.stdin.read()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, str(picture)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as parent:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            parent.kill()

        assert gone(child)

    def test_a_missing_file_is_the_callers_affair(self, own: Sandbox, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            own.prepare(tmp_path / "missing.jpg", Limits())


class TestConfinement:
    def test_gives_the_process_nothing_of_ours(
        self, own: Sandbox, picture: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PREDELLA_S3_SECRET_ACCESS_KEY", "hidden")
        with (picture.parent / "open").open("w") as ours:
            os.dup2(ours.fileno(), 99, inheritable=True)
            own.prepare(picture, Limits())
            os.close(99)

        process = Path("/proc") / str(pid(own))
        assert b"PREDELLA" not in (process / "environ").read_bytes()
        assert {link.name for link in (process / "fd").iterdir()} == {"0", "1", "2"}

    def test_leaves_it_unable_to_touch_a_file_or_the_network(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("hidden")
        attempts = (
            f"open({str(secret)!r}).read()",
            f"open({str(tmp_path / 'new')!r}, 'w').write('x')",
            f"os.unlink({str(secret)!r})",
            f"open('/proc/{os.getpid()}/environ').read()",
            "os.listdir('/')",
            "os.execv('/bin/true', ['true'])",
            "socket.create_connection(('127.0.0.1', 9), timeout=1)",
            f"os.kill({os.getpid()}, 0)",
        )
        script = (
            "import os, socket\n"
            "from predella.confined.confinement import confine\n"
            "confine()\n"
            "def denied(attempt):\n"
            "    try: eval(attempt)\n"
            "    except PermissionError: return True\n"
            f"print([attempt for attempt in {attempts!r} if not denied(attempt)])\n"
        )

        allowed = subprocess.check_output([sys.executable, "-c", script], text=True)

        assert allowed.strip() == "[]"
        assert secret.read_text() == "hidden"
        assert list(tmp_path.iterdir()) == [secret]

    def test_lets_an_ordinary_user_decode_and_start_neither_process_nor_thread(
        self, tmp_path: Path
    ) -> None:
        names = ["x.jpg", "x.jp2", "x.png", "x.tif", "x.webp"]
        for name in names:
            painting(5000, 300).save(tmp_path / name)
        script = (
            "import os, sys, threading\n"
            "from predella.confined import confinement\n"
            "from worker.images import child\n"
            "from worker.images.prepared import Limits\n"
            "files = [os.open(name, os.O_RDONLY) for name in sys.argv[1:]]\n"
            "child._rehearse()\n"
            "if os.getuid() == 0:\n"
            "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            "confinement.confine()\n"
            "made = [child._prepare(file, Limits(), exact=False) for file in files]\n"
            "def denied(attempt, error):\n"
            "    try: attempt()\n"
            "    except error: return True\n"
            "print([one.width for one in made], denied(os.fork, BlockingIOError),\n"
            "    denied(threading.Thread(target=print).start, RuntimeError))\n"
        )

        said = subprocess.check_output(
            [sys.executable, "-c", script, *(tmp_path / name for name in names)], text=True
        )

        assert said.split("\n")[-2] == "[5000, 5000, 5000, 5000, 5000] True True"

    def test_keeps_the_library_that_streams_from_every_other_format(self, tmp_path: Path) -> None:
        for kind in ("png", "tif", "jpg", "webp", "gif"):
            painting(64, 64).save(tmp_path / f"x.{kind}")
        (tmp_path / "x.csv").write_text("1,2\n3,4\n")
        (tmp_path / "x.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' width='9'/>")
        script = (
            "import pyvips, sys\n"
            "import worker.images.streaming\n"
            "for name in sys.argv[1:]:\n"
            "    try: print(pyvips.Image.new_from_file(name).get('vips-loader'))\n"
            "    except pyvips.Error: pass\n"
        )

        said = subprocess.check_output(
            [sys.executable, "-c", script, *sorted(tmp_path.iterdir())], text=True
        )

        assert said.split() == ["pngload", "tiffload"]


class TestPrepare:
    def test_works_in_a_daemonic_process(self, picture: Path) -> None:
        script = (
            "import multiprocessing, pathlib, sys\n"
            "from worker.images import Limits, prepare\n"
            "def work(path): print(prepare(pathlib.Path(path), limits=Limits()).width)\n"
            "if __name__ == '__main__':\n"
            "    context = multiprocessing.get_context('fork')\n"
            "    one = context.Process(target=work, args=sys.argv[1:], daemon=True)\n"
            "    one.start(); one.join(); sys.exit(one.exitcode)\n"
        )

        said = subprocess.check_output([sys.executable, "-c", script, str(picture)], text=True)

        assert said.strip() == "320"

    def test_adds_little_to_the_work_itself(self, picture: Path) -> None:
        images.prepare(picture, limits=Limits())

        started = time.process_time()
        for _ in range(5):
            images.prepare(picture, limits=Limits())

        assert (time.process_time() - started) / 5 < 0.02


def prepare_while(sandbox: Sandbox, path: Path, number: signal.Signals) -> None:
    """Prepare a picture that takes long; a signal arrives meanwhile."""
    sandbox._running()
    timer = threading.Timer(1.0, lambda: os.kill(pid(sandbox), number))
    timer.start()
    try:
        sandbox.prepare(path, Limits())
    finally:
        timer.join()


def gone(process: int) -> bool:
    """Wait for a process that is no child of ours to end."""
    for _ in range(100):
        state = Path(f"/proc/{process}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
