import io
import os
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from predella.errors import UnknownNamesError
from predella.formats import catalog
from predella.formats.entry import CatalogEntry
from tests.predella.formats import factories

EVERY_FORMAT = pytest.mark.parametrize("name", catalog.FORMATS)


class TestWrite:
    @EVERY_FORMAT
    def test_tells_the_digest_of_the_very_bytes(self, name: str) -> None:
        out = io.BytesIO()
        form = catalog.named(name)

        lines = list(catalog.write([factories.full(), factories.bare()], out, to=form))

        at = len(form.BEGIN)
        for line in lines:
            assert sha256(out.getvalue()[at : at + line.size]).digest() == line.sha256
            at += line.size
        assert out.getvalue()[at:] == form.END
        assert [line.entry.object.number for line in lines] == ["SK-C/5 (1)", "1"]

    @EVERY_FORMAT
    def test_gives_an_entry_the_same_bytes_wherever_it_stands(self, name: str) -> None:
        first, second = factories.full(), factories.bare()
        form = catalog.named(name)

        forth = list(catalog.write([first, second], io.BytesIO(), to=form))
        back = list(catalog.write([second, first], io.BytesIO(), to=form))

        assert [line.sha256 for line in forth] == [line.sha256 for line in reversed(back)]

    @EVERY_FORMAT
    def test_holds_one_entry_at_a_time(self, name: str) -> None:
        def entries() -> Iterator[CatalogEntry]:
            for number in range(200):
                yield factories.full(f"{number} " + "colour " * 1_500)

        with Path(os.devnull).open("wb") as out:
            tracemalloc.start()
            for _ in catalog.write(entries(), out, to=catalog.named(name)):
                pass
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()

        assert peak < 1_500_000


class TestNamed:
    def test_says_which_formats_there_are(self) -> None:
        with pytest.raises(UnknownNamesError, match="csv, jsonl, lido"):
            catalog.named("excel")
