import io
import json
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from predella.errors import UnknownNamesError
from predella.formats import catalog
from predella.formats.bundle import Unit
from predella.formats.catalog import CatalogFormat
from predella.formats.entry import CatalogEntry, Departing
from tests.predella.formats import factories

EVERY_FORMAT = pytest.mark.parametrize("name", catalog.FORMATS)


def of(form: CatalogFormat, *entries: CatalogEntry) -> list[CatalogEntry]:
    """Return the entries with a text of a kind that has a place in this format."""
    kind = min(form.KINDS)
    return [replace(entry, wording=replace(entry.wording, kind=kind)) for entry in entries]


class TestWrite:
    @EVERY_FORMAT
    def test_tells_the_digest_of_the_very_bytes(self, name: str) -> None:
        out = io.BytesIO()
        form = catalog.named(name)

        lines = list(catalog.write(of(form, factories.full(), factories.bare()), out, to=form))

        at = len(form.BEGIN)
        for number, line in enumerate(lines):
            at += len(form.SEPARATOR) if number else 0
            assert sha256(out.getvalue()[at : at + line.size]).digest() == line.sha256
            at += line.size
        assert out.getvalue()[at:] == form.END
        assert [line.entry.object.number for line in lines] == ["SK-C/5 (1)", "1"]

    @EVERY_FORMAT
    def test_gives_an_entry_the_same_bytes_wherever_it_stands(self, name: str) -> None:
        form = catalog.named(name)
        first, second = of(form, factories.full(), factories.bare())

        forth = list(catalog.write([first, second], io.BytesIO(), to=form))
        back = list(catalog.write([second, first], io.BytesIO(), to=form))

        assert [line.sha256 for line in forth] == [line.sha256 for line in reversed(back)]

    @EVERY_FORMAT
    def test_holds_one_record_at_a_time(self, name: str) -> None:
        form = catalog.named(name)

        def entries() -> Iterator[Departing]:
            for number in range(200):
                entry = factories.full(f"{number} " + "colour " * 1_500, number=f"{number}")
                image = replace(entry.image, key=f"{number}.jpg")
                yield from of(form, replace(entry, image=image))

        with Path(os.devnull).open("wb") as out:
            tracemalloc.start()
            for _ in catalog.write(entries(), out, to=form):
                pass
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()

        assert peak < 1_500_000

    @EVERY_FORMAT
    def test_lets_nothing_of_a_withdrawn_text_out(self, name: str) -> None:
        form = catalog.named(name)
        (entry,) = of(form, factories.full("A secret vase."))
        out = io.BytesIO()

        list(catalog.write([factories.tombstone(entry)], out, to=form))

        assert b"secret" not in out.getvalue()
        assert name == "paintingform" or b"2026-02-01" in out.getvalue()

    @EVERY_FORMAT
    def test_writes_one_record_of_all_texts_that_share_one(self, name: str) -> None:
        form, out = catalog.named(name), io.BytesIO()
        (english,) = of(form, factories.full("A vase."))
        dutch = factories.in_language(english, "nl", "Een vaas.")

        lines = list(catalog.write([english, dutch], out, to=form))

        assert [line.entry for line in lines] == [english, dutch]
        assert len({line.sha256 for line in lines}) == (2 if form.UNIT is Unit.TEXT else 1)
        for text in ("A vase.", "Een vaas."):
            assert text.encode() in out.getvalue()

    def test_leaves_no_gap_where_a_format_has_nothing_for_a_tombstone(self) -> None:
        entry, out = factories.full(), io.BytesIO()
        lines: list[Departing] = [
            factories.tombstone(entry),
            entry,
            factories.tombstone(entry),
            entry,
        ]

        sizes = [line.size for line in catalog.write(lines, out, to=catalog.named("paintingform"))]

        assert len(json.loads(out.getvalue())) == 2
        assert [size == 0 for size in sizes] == [True, False, True, False]


class TestNamed:
    def test_says_which_formats_there_are(self) -> None:
        with pytest.raises(UnknownNamesError, match="csv, iiif, jsonl, lido"):
            catalog.named("excel")
