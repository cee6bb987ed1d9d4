import io
import tarfile

import pytest
from lxml import etree

from predella.formats import xmp
from predella.formats.entry import TextKind
from predella.formats.xml import NAMESPACES
from tests.predella.formats import factories
from tests.predella.formats.parsing import PARSER


def sidecar(data: bytes) -> tuple[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data + xmp.END)) as archive:
        (name,) = archive.getnames()
        file = archive.extractfile(name)
        assert file
        return name, file.read()


class TestEncode:
    @pytest.mark.parametrize(
        ("kind", "field"),
        [
            (TextKind.ALT_TEXT, "AltTextAccessibility"),
            (TextKind.FORMAL_ANALYSIS, "ExtDescrAccessibility"),
            (TextKind.LONG_DESCRIPTION, "ExtDescrAccessibility"),
        ],
    )
    def test_writes_the_one_field_that_is_meant_for_the_text(
        self, kind: TextKind, field: str
    ) -> None:
        _, data = sidecar(xmp.encode(factories.of_kind(kind, "A vase.")))

        described = etree.fromstring(data, PARSER).findall(".//rdf:Description/*", NAMESPACES)

        assert [child.tag for child in described] == [f"{{{NAMESPACES['iptc']}}}{field}"]
        assert (described[0].findtext(".//rdf:li", "", NAMESPACES)).startswith("A vase. [")

    def test_does_not_call_the_photograph_a_work_of_ai(self) -> None:
        _, data = sidecar(xmp.encode(factories.full()))

        assert b"digitalsourcetype" not in data.lower()

    def test_lies_where_the_image_lies(self) -> None:
        name, _ = sidecar(xmp.encode(factories.of_kind(TextKind.ALT_TEXT)))

        assert name == "alt-text/paintings/a/%C3%85%20b.tif.xmp"


class TestBury:
    def test_overwrites_the_text(self) -> None:
        entry = factories.full()

        (name, _), (there, data) = map(
            sidecar, (xmp.encode(entry), xmp.bury(factories.tombstone(entry)))
        )

        assert name == there
        assert b"was withdrawn on 2026-02-01" in data
