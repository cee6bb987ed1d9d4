"""What a curator waits for at the desk, over a slow line: with our script, and without any."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from playwright.sync_api import Browser, Page, sync_playwright

from predella import clock, db, storage
from predella.cli.stack import Stack
from predella.models import Image, Zoom
from predella.services import images, sessions
from predella.settings import get_settings
from tests import factories
from tests.bench.journey import forget
from tests.bench.review import Figures
from worker import zooming

_ROUNDS = 40
_LATENCY = 60
"""Milliseconds."""
_SPEED = 20_000_000 / 8
"""Bytes per second, in both directions."""
_WATCH = """
document.addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
  if (!document.body.hasAttribute("aria-busy")) return;
  requestAnimationFrame(() => setTimeout(() => { deskMarks.painted = performance.now(); }));
}).observe(document.body, { attributes: true, attributeFilter: ["aria-busy"] }))
"""
"""Marks when the page has been painted that says that something is under way."""
_SIZE = (1536, 2048)
_LARGE = (9_000, 12_000)
_CLOSER = 5
"""Browsers that look closely, each without a tile at first."""
_STEPS = 6
"""Keys that each brings one closer by."""
_PAUSE = 2_000
"""Milliseconds of reading between two keys, in which the next picture comes."""
_SHARP = "() => deskMarks.still > deskMarks.key && deskMarks.sharp >= deskMarks.still"
_TURNED = "n => deskMarks.swaps === n && deskMarks.opened > deskMarks.swapped"
_MARKS = {"acknowledged": "painted", "next text": "swapped", "next picture": "opened"}


def measure(count: int, *, report: Callable[[str], None]) -> Figures:
    """Let a browser decide on some of so many texts, each with a picture of its own.

    Plain form posts and whole pages, without any script, are the baseline.
    """
    figures = Figures(count)
    with _desk(count, report) as (address, large), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        report("measuring")
        _with_script(_page(browser, address, "script", javascript=True), figures)
        _with_pages(_page(browser, address, "pages", javascript=False), figures)
        for turn in range(_CLOSER):
            _closer(_page(browser, address, f"closer{turn}", javascript=True), large, figures)
        browser.close()
    return figures


@contextmanager
def _desk(count: int, report: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Start a stack of its own and fill it; yield the address of its API, and of a large work."""
    with (
        tempfile.TemporaryDirectory(prefix="predella-bench-") as home,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("PREDELLA_HOME", home)
        forget()
        extra = {"PREDELLA_ENGINE": "trivial", "PREDELLA_LOG_LEVEL": "warning"}
        with Stack(Path(home), report=report, extra=extra) as stack:
            stack.start_services()
            report(f"painting {count:,} pictures")
            _fill(count)
            large = _large(Path(home))
            stack.start_apps()
            yield stack.address, large
        forget()


def _fill(count: int) -> None:
    with db.transaction() as session:
        within = factories.collection(session, review_rules={"reading_floor": False})
        pictured = [
            session.get_one(Image, one.image_id)
            for one in factories.analyses(session, count, factories.submission(session, within))
        ]
        for number, image in enumerate(pictured):
            key = images.review_key(image.collection_id, image.sha256, image.preprocessing)
            storage.store().put(
                get_settings().bucket, key, _painted(number), media_type="image/jpeg"
            )


def _large(home: Path) -> str:
    """Put a large work there with its tiles, and return the address of its text."""
    with db.transaction() as session:
        made = factories.analysis(session)
        image = session.get_one(Image, made.image_id)
        image.width, image.height = _LARGE
        session.add(Zoom(image_id=image.id, made_at=clock.now()))
        names = (image.collection_id, image.sha256, image.preprocessing)
        address = f"/desk/analyses/{made.id}"
    zooming._save_pyramid(_painted(0, _LARGE), home / "zoom.tif")
    for key, body in (
        (images.zoom_key(*names), (home / "zoom.tif").read_bytes()),
        (images.review_key(*names), _painted(0)),
    ):
        storage.store().put(get_settings().bucket, key, body, media_type="image/jpeg")
    return address


def _painted(number: int, size: tuple[int, int] = _SIZE) -> bytes:
    """Return a picture with the grain of a canvas, so that it is as heavy as one."""
    grain = np.random.default_rng(number).normal(128, 12, (*size[::-1], 3))
    out = BytesIO()
    Picture.fromarray(grain.clip(0, 255).astype("uint8")).save(out, "JPEG", quality=70)
    return out.getvalue()


def _page(browser: Browser, address: str, name: str, *, javascript: bool) -> Page:
    """Open a browser of its own, signed in, behind a slow line."""
    with db.transaction() as session:
        secret = sessions.begin(session, factories.account(session, name=name))
    context = browser.new_context(
        base_url=address, java_script_enabled=javascript, viewport={"width": 1440, "height": 900}
    )
    context.add_cookies([{"name": "predella", "value": secret, "url": address}])
    context.add_init_script(_WATCH)
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    speed = {"downloadThroughput": _SPEED, "uploadThroughput": _SPEED}
    line.send("Network.emulateNetworkConditions", {"offline": False, "latency": _LATENCY, **speed})
    page.goto("/desk/review")
    return page


def _with_script(page: Page, figures: Figures) -> None:
    page.wait_for_function("() => window.deskMarks?.opened")
    for turn in range(1, _ROUNDS + 1):
        page.wait_for_timeout(_PAUSE)
        page.keyboard.press("a")
        page.wait_for_function(_TURNED, arg=turn)
        marks = page.evaluate("window.deskMarks")
        for name, mark in _MARKS.items():
            figures.add(f"script: {name}", marks[mark] - marks["key"])


def _with_pages(page: Page, figures: Figures) -> None:
    for _ in range(_ROUNDS):
        page.wait_for_timeout(_PAUSE)
        began = time.perf_counter()
        with page.expect_navigation(wait_until="domcontentloaded"):
            page.locator("[data-key=a]").click(no_wait_after=True)
        figures.add("pages: next text", (time.perf_counter() - began) * 1000)
        page.wait_for_load_state("load")
        figures.add("pages: next picture", (time.perf_counter() - began) * 1000)


def _closer(page: Page, address: str, figures: Figures) -> None:
    """Come closer step by step, each time until the picture is as sharp as it gets."""
    page.goto(address)
    page.wait_for_function("() => window.deskMarks?.sharp")
    for _ in range(_STEPS):
        page.wait_for_timeout(_PAUSE)
        page.keyboard.press("+")
        page.wait_for_function(_SHARP)
        marks = page.evaluate("window.deskMarks")
        figures.add("script: zoomed in, sharp", marks["sharp"] - marks["key"])
