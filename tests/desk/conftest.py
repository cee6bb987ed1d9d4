"""The desk in a real browser: Debian's Chromium against the API as a process of its own."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image as Picture
from PIL import ImageDraw, ImageOps
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella import db
from predella.models import Account, Analysis, Image, Review
from predella.services import checkups, images, sessions
from predella.settings import Settings
from tests import factories
from tests.api.server import serving
from tests.services import Bucket

TEXT = (
    "Painted in 1642, the work stands at the end of a tradition. A strong diagonal runs from the "
    "lower left to the upper right and divides the field into a warm and a cool half. A single "
    "rounded form, red against the muted ground, holds the eye a little left of the middle. Light "
    "is even, without cast shadows; the values stay in the middle of the scale, so that the dark "
    "line reads as the firmest element of the whole."
)
CLEAN = TEXT.partition(". ")[2]
_CHROMIUM = shutil.which("chromium")
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WATCH = """
document.addEventListener("securitypolicyviolation", event =>
  console.error(`CSP ${event.violatedDirective} ${event.blockedURI}`))
"""


@dataclass
class Desk:
    """A desk with texts to read, and a browser before it."""

    address: str
    browser: Browser
    analyses: list[UUID]
    faults: list[str] = field(default_factory=list)
    """What a page complained of: errors on its console, violations of its policy."""
    strangers: list[str] = field(default_factory=list)
    """Requests that left the origin."""

    def context(self, name: str = "ines", **options: object) -> BrowserContext:
        """Open a browser of its own, signed in as somebody who may decide."""
        with db.transaction() as session:
            secret = sessions.begin(session, somebody(session, name))
        made = self.browser.new_context(
            base_url=self.address,
            **{"viewport": {"width": 1440, "height": 900}} | options,  # type: ignore[arg-type]
        )
        made.add_cookies([{"name": "predella", "value": secret, "url": self.address}])
        made.add_init_script(_WATCH)
        made.set_default_timeout(10_000)
        return made

    def watch(self, page: Page) -> Page:
        """Note what a page complains of, and where it sends requests."""
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self._look(request.url))
        return page

    def _note(self, message: object) -> None:
        if message.type == "error" and "status of 4" not in message.text:  # type: ignore[attr-defined]
            self.faults.append(message.text)  # type: ignore[attr-defined]

    def _look(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.strangers.append(url)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if _CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_QUIET))
        yield opened
        opened.close()


@pytest.fixture
def desk(settings: Settings, s3: Bucket, browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    """Three texts to review: the first is held by a date, the others are clean."""
    assert settings.bucket == s3.name
    made = texts(s3, [TEXT, CLEAN, f"{CLEAN} The edges are soft."])
    with serving(tmp_path / "api.log") as address:
        yield Desk(address, browser, made)
    assert "Traceback" not in (tmp_path / "api.log").read_text()


def somebody(session: Session, name: str) -> Account:
    """Return the account of this name; a new one may decide."""
    known = session.scalars(select(Account).filter_by(name=name)).first()
    return known or factories.account(session, name=name)


def texts(s3: Bucket, wordings: list[str]) -> list[UUID]:
    """Write analyses of pictures that lie in our bucket; the floor for reading is off."""
    with db.transaction() as session:
        collection = factories.collection(session, review_rules={"reading_floor": False})
        submission = factories.submission(session, collection)
        release = factories.release(session)
        made = []
        for place, wording in enumerate(wordings):
            image = factories.image(session, collection, width=900, height=1200)
            item = factories.item(
                session,
                submission,
                image_id=image.id,
                object_number=f"SK-A-{1000 + place}",
                title=f"Composition no. {12 + place}",
                artist="Nobody",
            )
            one = factories.analysis(session, item, text=wording, by=release)
            _paint(s3, image, place)
            made.append(one.id)
        session.flush()
        checkups.run(
            session,
            [factories.newest_revision(session, session.get_one(Analysis, one)).id for one in made],
        )
    return made


def _paint(s3: Bucket, image: Image, place: int) -> None:
    picture = Picture.new("RGB", (image.width, image.height), (96 + 20 * place, 104, 112))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((250, 400, 580, 790), fill=(168, 56, 40))
    pen.line((0, 1100, 900, 150), fill=(24, 20, 48), width=26)
    names = (image.collection_id, image.sha256, image.preprocessing)
    for key, kind, shown in (
        (images.review_key(*names), "JPEG", picture),
        (images.model_key(*names), "PNG", ImageOps.pad(picture, (336, 336), color=(122, 116, 104))),
    ):
        out = BytesIO()
        shown.save(out, kind)
        s3.store.put(s3.name, key, out.getvalue(), media_type=f"image/{kind.lower()}")


@pytest.fixture
def page(desk: Desk) -> Iterator[Page]:
    """A page of somebody who may decide; at the end it has not complained of anything."""
    context = desk.context()
    yield desk.watch(context.new_page())
    context.close()
    assert desk.faults == []
    assert desk.strangers == []


@pytest.fixture
def decisions() -> Callable[[], list[str]]:
    """Return every decision that was taken, in order."""

    def all_of_them() -> list[str]:
        with db.transaction() as session:
            return [
                str(one) for one in session.scalars(select(Review.decision).order_by(Review.id))
            ]

    return all_of_them
