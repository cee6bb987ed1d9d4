import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from lxml import etree

from predella.formats import oai
from predella.formats.entry import CatalogEntry, Departing, TextKind, object_id
from predella.formats.oai import ErrorCode, Header, Record, Request, Token
from predella.formats.xml import NAMESPACES, Element
from tests.predella.formats import factories, hostile
from tests.predella.formats.judging import official, problems
from tests.predella.formats.parsing import PARSER

REPOSITORY = "predella.example.org"
EVERY_PREFIX = pytest.mark.parametrize("prefix", oai.PAYLOADS)
MAIL = "registrar@example.org"


def asked(**arguments: str) -> Request:
    moment = datetime(2026, 3, 1, 12, 0, 0, 999, tzinfo=timezone(timedelta(hours=1)))
    return Request(address="https://x.example.org/oai", answered_at=moment, arguments=arguments)


def record(line: Departing, *others: CatalogEntry) -> Record:
    bundle = factories.bundle(line, *others) if isinstance(line, CatalogEntry) else None
    head = Header(
        identifier=oai.identifier(object_id(line), REPOSITORY),
        changed_at=line.approval.decided_at
        if isinstance(line, CatalogEntry)
        else line.withdrawn_at,
        set=line.collection,
        deleted=bundle is None,
    )
    return Record(head, bundle)


def page(*lines: Departing, prefix: str = "oai_dc", token: Token | None = None) -> bytes:
    request = asked(verb="ListRecords", metadataPrefix=prefix)
    return oai.list_records(request, map(record, lines), token, prefix=prefix)


def root(reply: bytes) -> Element:
    return etree.fromstring(reply, PARSER)


def said(reply: bytes, path: str) -> str | None:
    return root(reply).findtext(f".//{path}", None, NAMESPACES)


def odd() -> list[CatalogEntry]:
    return [
        factories.full(text, title=text, artist=text, medium=text, number=f"{place} {text[:60]}")
        for place, text in enumerate(hostile.TEXTS.values())
    ]


def every_reply() -> dict[str, bytes]:
    whole = record(factories.full())
    head = whole.header
    since = datetime(2026, 1, 1, tzinfo=UTC)
    one = asked(verb="GetRecord", identifier=head.identifier, metadataPrefix="lido")
    return {
        "identify": oai.identify(
            asked(verb="Identify"), name="A & B", mail=MAIL, since=since, repository=REPOSITORY
        ),
        "formats": oai.list_formats(asked(verb="ListMetadataFormats")),
        "sets": oai.list_sets(asked(verb="ListSets"), {"paintings": "Paintings <1>"}),
        "identifiers": oai.list_identifiers(
            asked(verb="ListIdentifiers", metadataPrefix="oai_dc"), [head], Token(value="x")
        ),
        "record": oai.get_record(one, whole, prefix="lido"),
        "identify without a domain": oai.identify(
            asked(verb="Identify"), name="A", mail=MAIL, since=since, repository="localhost"
        ),
        "error": oai.error(asked(), [(code, f"no: {code}") for code in ErrorCode]),
        "last page": page(factories.full(), token=Token(complete_size=3, cursor=2)),
    }


class TestReplies:
    @pytest.mark.parametrize("name", every_reply())
    def test_are_valid(self, name: str) -> None:
        assert list(official().reply(io.BytesIO(every_reply()[name]))) == []

    @EVERY_PREFIX
    def test_carry_hostile_data_and_deletions(self, prefix: str, tmp_path: Path) -> None:
        path = tmp_path / "reply.xml"
        gone = [factories.tombstone(replace(entry, collection="old")) for entry in odd()]
        path.write_bytes(page(*odd(), *gone, prefix=prefix))

        assert problems(path) == []
        assert problems(path, official()) == []

    def test_write_moments_in_utc_to_the_second(self) -> None:
        assert said(page(factories.full()), "oai:responseDate") == "2026-03-01T11:00:00Z"

    def test_repeat_what_was_asked(self) -> None:
        request = root(page(factories.full())).find("oai:request", NAMESPACES)

        assert request is not None
        assert request.get("verb") == "ListRecords"
        assert request.get("metadataPrefix") == "oai_dc"

    def test_tell_a_withdrawn_record_from_one_that_is_there(self) -> None:
        entry = factories.full()
        reply = root(page(entry, factories.tombstone(entry)))

        heads = reply.findall(".//oai:header", NAMESPACES)

        assert [head.get("status") for head in heads] == [None, "deleted"]
        assert heads[0].findtext("oai:identifier", None, NAMESPACES) == heads[1].findtext(
            "oai:identifier", None, NAMESPACES
        )
        assert heads[1].findtext("oai:datestamp", None, NAMESPACES) == "2026-02-01T08:00:00Z"
        assert len(reply.findall(".//oai:metadata", NAMESPACES)) == 1

    def test_end_a_list_with_an_empty_token(self) -> None:
        more = page(factories.full(), token=Token(value="a&b", complete_size=3, cursor=0))
        last = page(factories.full(), token=Token(complete_size=3, cursor=2))

        assert said(more, "oai:resumptionToken") == "a&b"
        assert said(last, "oai:resumptionToken") == ""
        assert said(page(factories.full()), "oai:resumptionToken") is None

    def test_promise_that_deletions_are_remembered(self) -> None:
        assert said(every_reply()["identify"], "oai:deletedRecord") == "persistent"


class TestDublinCore:
    def test_carries_the_disclosure_in_brackets(self) -> None:
        described = said(page(factories.full()), "dc:description")

        assert described is not None
        assert described.startswith(f"A low horizon divides the canvas. [{factories.NOTICE}")
        assert "A. Curator" in described
        assert described.endswith("]")

    def test_states_the_terms_of_the_text_beside_it(self) -> None:
        assert said(page(factories.full()), "oai:about//dc:rights") == (
            "http://creativecommons.org/licenses/by/4.0/"
        )


class TestEveryPayload:
    @EVERY_PREFIX
    def test_is_one_record_with_every_text_of_the_object(self, prefix: str, tmp_path: Path) -> None:
        english = factories.full("A vase.")
        alt = factories.of_kind(TextKind.ALT_TEXT, "Vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")
        request = asked(verb="GetRecord", metadataPrefix=prefix, identifier="x")
        reply = oai.get_record(request, record(english, dutch, alt), prefix=prefix)

        path = tmp_path / "reply.xml"
        path.write_bytes(reply)

        assert problems(path, official()) == []
        name = "lido:descriptiveNoteValue" if prefix == "lido" else "dc:description"
        texts = root(reply).iterfind(f".//{name}", NAMESPACES)
        assert [
            (text.get(f"{{{NAMESPACES['xml']}}}lang"), (text.text or "").split(" [")[0])
            for text in texts
        ] == [("en", "A vase."), ("nl", "Een vaas."), ("en", "Vase.")]
        assert len(root(reply).findall(".//oai:about", NAMESPACES)) == 1


class TestObstacle:
    def test_finds_none_in_an_entry_with_accepted_rights_and_a_page(self) -> None:
        assert oai.obstacle(factories.bundle(factories.full())) is None

    @pytest.mark.parametrize("rights", [None, "http://rightsstatements.org/vocab/UND/1.0/"])
    def test_says_that_europeana_does_not_accept_the_rights(self, rights: str | None) -> None:
        assert "does not accept" in (
            oai.obstacle(factories.bundle(factories.full(rights_work=rights))) or ""
        )

    def test_says_that_there_is_nowhere_to_look(self) -> None:
        entry = factories.full(object_uri=None)
        blind = replace(entry, image=replace(entry.image, iiif=None))

        assert "can be seen" in (oai.obstacle(factories.bundle(blind)) or "")
