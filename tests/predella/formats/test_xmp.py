import io
import tarfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from lxml import etree

from predella.formats import xmp
from predella.formats.entry import Departing, TextKind
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
        _, data = sidecar(xmp.encode(factories.bundle(factories.of_kind(kind, "A vase."))))

        described = etree.fromstring(data, PARSER).findall(".//rdf:Description/*", NAMESPACES)

        assert [child.tag for child in described] == [f"{{{NAMESPACES['iptc']}}}{field}"]
        assert (described[0].findtext(".//rdf:li", "", NAMESPACES)).startswith("A vase. [")

    def test_does_not_call_the_photograph_a_work_of_ai(self) -> None:
        _, data = sidecar(xmp.encode(factories.bundle(factories.full())))

        assert b"digitalsourcetype" not in data.lower()

    def test_lies_where_the_image_lies(self) -> None:
        name, _ = sidecar(xmp.encode(factories.bundle(factories.of_kind(TextKind.ALT_TEXT))))

        assert name == "paintings/a/%C3%85%20b.tif.xmp"

    def test_gives_keys_that_differ_by_a_slash_names_of_their_own(self) -> None:
        keys = ("a/b.tif", "a//b.tif", "/a/b.tif")
        images = [replace(factories.full().image, key=key) for key in keys]

        names = {said_in(replace(factories.full(), image=image))[0] for image in images}

        assert len(names) == 3

    def test_has_both_fields_in_every_language_the_first_for_all_others(self) -> None:
        english = factories.full("A vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")
        alt = factories.of_kind(TextKind.ALT_TEXT, "Vase.")

        _, said = said_in(alt, dutch, english)

        assert [(tag, text[:7]) for tag, text in said["ExtDescrAccessibility"]] == [
            ("x-default", "A vase."),
            ("en", "A vase."),
            ("nl", "Een vaa"),
        ]
        assert [(tag, text[:5]) for tag, text in said["AltTextAccessibility"]] == [
            ("x-default", "Vase."),
            ("en", "Vase."),
        ]

    def test_a_formal_analysis_goes_before_a_long_description_in_the_same_language(self) -> None:
        formal = factories.full("A vase.")
        long = factories.of_kind(TextKind.LONG_DESCRIPTION, "A long vase.")
        dutch = factories.in_language(long, "nl", "Een lange vaas.")

        _, said = said_in(long, dutch, formal)
        _, without = said_in(long, dutch, factories.tombstone(formal))

        assert [text.split(" [")[0] for _, text in said["ExtDescrAccessibility"]] == [
            "A vase.",
            "A vase.",
            "Een lange vaas.",
        ]
        assert without["ExtDescrAccessibility"][0][1].startswith("A long vase.")

    def test_of_two_objects_in_one_picture_the_text_stands_once(self) -> None:
        first = factories.full("A vase.", number="1")
        second = factories.full("A vase.", number="2")
        later = replace(
            factories.in_language(second, "en", "A vase, seen again."),
            approval=replace(second.approval, decided_at=datetime(2026, 3, 1, tzinfo=UTC)),
        )

        assert said_in(first, second) == said_in(first)
        for order in ((first, later), (later, first)):
            _, said = said_in(*order)
            assert said["ExtDescrAccessibility"][1][1].startswith("A vase, seen again.")

    def test_a_text_that_one_of_two_objects_lost_stays_for_the_other(self) -> None:
        first = factories.full("A vase.", number="1")
        gone = factories.tombstone(factories.full("A vase.", number="2"))

        assert said_in(first, gone) == said_in(first)


def said_in(*lines: Departing) -> tuple[str, dict[str, list[tuple[str | None, str]]]]:
    """Return the name of a sidecar, and what stands in each of its fields, by language."""
    name, data = sidecar(xmp.encode(factories.bundle(*lines)))
    fields = etree.fromstring(data, PARSER).iterfind(".//rdf:Description/*", NAMESPACES)
    return name, {
        etree.QName(field).localname: [
            (li.get(f"{{{NAMESPACES['xml']}}}lang"), li.text or "")
            for li in field.iterfind(".//rdf:li", NAMESPACES)
        ]
        for field in fields
    }


class TestBury:
    def test_overwrites_the_text(self) -> None:
        entry = factories.full()

        name, _ = sidecar(xmp.encode(factories.bundle(entry)))
        there, data = sidecar(xmp.encode(factories.bundle(factories.tombstone(entry))))

        assert name == there
        assert b"was withdrawn on 2026-02-01" in data

    def test_a_field_that_lost_its_text_says_so_beside_one_that_did_not(self) -> None:
        alt = factories.of_kind(TextKind.ALT_TEXT)

        _, said = said_in(factories.full("A vase."), factories.tombstone(alt))

        assert said["AltTextAccessibility"][0][1] == "This text was withdrawn on 2026-02-01."
        assert said["ExtDescrAccessibility"][0][1].startswith("A vase.")
