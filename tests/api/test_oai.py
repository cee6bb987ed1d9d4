"""OAI-PMH as harvesters meet it, among them two that museums and aggregators really use."""

import io
from collections.abc import Iterable, Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from lxml import etree
from oaipmh_scythe import Scythe
from sickle import Sickle
from sickle.oaiexceptions import NoRecordsMatch

from predella import clock, db
from predella.formats import oai
from predella.formats.entry import object_id, stamp
from predella.formats.xml import NAMESPACES, Element
from predella.ids import CollectionId
from predella.models import Analysis, CatalogRecord, Collection, Decision, Sensitivity, Submission
from predella.services import gates, outgoing, records, rules
from predella.services.gates import Change
from predella.settings import Settings, get_settings
from tests import factories
from tests.api.problems import problem
from tests.api.server import serving
from tests.predella.formats import hostile
from tests.predella.formats.judging import official, problems
from tests.predella.formats.parsing import PARSER

LIST = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
TITLES = [text for text in hostile.TEXTS.values() if text]
MANY = 300
THOUSANDS = 3_000


@pytest.fixture(autouse=True)
def repository(stranger: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened, once everything else has looked at the settings."""
    assert (stranger, settings.oai_email) == (stranger, None)
    monkeypatch.setenv("PREDELLA_PUBLIC_URL", "https://predella.museum.example")
    monkeypatch.setenv("PREDELLA_OAI_EMAIL", "registrar@museum.example")
    get_settings.cache_clear()


@pytest.fixture
def paintings(repository: None) -> Submission:
    """A hand-in of a collection that is open to harvesters."""
    assert repository is None
    with db.transaction() as session:
        of = factories.collection(
            session, slug="paintings", review_rules={"open_to_harvesters": True}
        )
        made = factories.submission(session, of)
        session.expunge(made)
        return made


def approve(within: Submission, *numbers: str, **fields: Any) -> None:
    with db.transaction() as session:
        own = session.get_one(Submission, within.id)
        for number in numbers:
            factories.approved(session, own, object_number=number, **fields)
    compare()


def compare() -> None:
    with db.transaction() as session:
        records.refresh(session, older_than=timedelta(0))


def close(within: Submission, number: str) -> None:
    with db.transaction() as session:
        by = factories.account(session)
        id_ = CollectionId(within.collection_id)
        to = Change(sensitivity=Sensitivity.RESTRICTED)
        gates.change(session, id_, number, to, account=by, reason="It was asked for.")


def undo(number: str, name: str = "formal-analysis/en") -> None:
    """Take the approval of an object's text back."""
    with db.transaction() as session:
        found = session.query(CatalogRecord).filter_by(object_number=number, name=name)
        record = found.one()
        analysis = session.get_one(Analysis, record.analysis_id)
        factories.review(session, analysis, Decision.REOPENED, undoes_id=record.review_id)


def identifier(number: str, slug: str = "paintings") -> str:
    return oai.identifier(f"{slug}/{number}", "predella.museum.example")


def ask(client: TestClient, **arguments: str) -> Element:
    """Return the reply to a request, which has to be one of the protocol."""
    return parsed(client.get("/oai", params=arguments))


def parsed(answer: Response) -> Element:
    assert answer.status_code == HTTPStatus.OK, answer.text
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    return etree.fromstring(answer.content, PARSER)


def said(reply: Element, path: str) -> list[str]:
    return [found.text or "" for found in reply.iterfind(f".//oai:{path}", NAMESPACES)]


def whole(reply: Element) -> str:
    return etree.tostring(reply, encoding="unicode", method="text")


def code(reply: Element) -> str | None:
    error = reply.find("oai:error", NAMESPACES)
    return None if error is None else error.get("code")


def deleted(reply: Element) -> list[str]:
    path = ".//oai:header[@status='deleted']/oai:identifier"
    return [found.text or "" for found in reply.iterfind(path, NAMESPACES)]


def pages(client: TestClient, **arguments: str) -> Iterator[Response]:
    while True:
        answer = client.get("/oai", params=arguments)
        yield answer
        token = said(parsed(answer), "resumptionToken")
        if not token or not token[0]:
            return
        arguments = {"verb": arguments["verb"], "resumptionToken": token[0]}


class TestIdentify:
    def test_tells_who_we_are_and_that_deletions_are_kept(
        self, stranger: TestClient, paintings: Submission
    ) -> None:
        approve(paintings, "A")

        reply = ask(stranger, verb="Identify")

        assert said(reply, "repositoryName") == ["Example Museum"]
        assert said(reply, "baseURL") == ["https://predella.museum.example/oai"]
        assert said(reply, "request") == ["https://predella.museum.example/oai"]
        assert said(reply, "adminEmail") == ["registrar@museum.example"]
        assert said(reply, "deletedRecord") == ["persistent"]
        first = ask(stranger, verb="ListIdentifiers", metadataPrefix="oai_dc")
        assert said(reply, "earliestDatestamp") == said(first, "datestamp")

    def test_404_where_nobody_has_opened_the_repository(
        self, stranger: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PREDELLA_OAI_EMAIL")
        get_settings.cache_clear()

        answer = stranger.get("/oai", params={"verb": "Identify"})

        problem(answer, HTTPStatus.NOT_FOUND)
        assert "PREDELLA_OAI_EMAIL" in answer.json()["detail"]


class TestListSets:
    def test_has_open_collections_alone(self, stranger: TestClient, paintings: Submission) -> None:
        with db.transaction() as session:
            factories.approved(session)

        reply = ask(stranger, verb="ListSets")

        assert said(reply, "setSpec") == ["paintings"]
        assert paintings.id


class TestListMetadataFormats:
    def test_has_those_that_a_record_can_be_had_in(
        self, stranger: TestClient, paintings: Submission
    ) -> None:
        approve(paintings, "A")

        every = ask(stranger, verb="ListMetadataFormats")
        of_one = ask(stranger, verb="ListMetadataFormats", identifier=identifier("A"))

        assert said(every, "metadataPrefix") == ["oai_dc", "lido", "edm"]
        # There is no address at which it can be seen.
        assert said(of_one, "metadataPrefix") == ["oai_dc", "lido"]


class TestGetRecord:
    @pytest.mark.parametrize("prefix", oai.PAYLOADS)
    def test_tells_the_approved_wording_whatever_the_number_of_the_object(
        self, stranger: TestClient, paintings: Submission, prefix: str
    ) -> None:
        number = "A/1.é b%2F"
        approve(paintings, number, object_uri="https://museum.example/a")

        reply = ask(
            stranger, verb="GetRecord", metadataPrefix=prefix, identifier=identifier(number)
        )

        assert said(reply, "identifier") == [identifier(number)]
        assert said(reply, "setSpec") == ["paintings"]
        assert factories.TEXT in whole(reply)

    @pytest.mark.parametrize("prefix", oai.PAYLOADS)
    def test_tells_every_text_of_an_object_until_the_last_is_gone(
        self, stranger: TestClient, paintings: Submission, prefix: str
    ) -> None:
        approve(paintings, "A", object_uri="https://museum.example/a", text="A formal analysis.")
        with db.transaction() as session:
            own = session.get_one(Submission, paintings.id)
            item = factories.item(
                session, own, object_number="A", object_uri="https://museum.example/a"
            )
            by = factories.release(session, prompt_id="alt-text/1")
            made = factories.analysis(session, item, by=by, text="A short text.")
            factories.review(session, made)
        compare()
        one = {"metadataPrefix": prefix, "identifier": identifier("A")}

        both = ask(stranger, verb="GetRecord", **one)
        undo("A", "formal-analysis/en")
        compare()
        short = ask(stranger, verb="GetRecord", **one)
        undo("A", "alt-text/en")
        compare()
        none = ask(stranger, verb="GetRecord", **one)

        has = [("formal analysis" in whole(r), "short text" in whole(r)) for r in (both, short)]
        assert has == [(True, True), (False, True)]
        assert deleted(none) == [identifier("A")]
        moments = [said(reply, "datestamp") for reply in (both, short, none)]
        assert sorted(moments) == moments
        listed = ask(stranger, verb="ListIdentifiers", metadataPrefix=prefix)
        assert deleted(listed) == said(listed, "identifier") == [identifier("A")]

    def test_is_a_deletion_from_the_moment_on_at_which_a_gate_closes(
        self, stranger: TestClient, paintings: Submission
    ) -> None:
        approve(paintings, "A")
        close(paintings, "A")
        one = {"metadataPrefix": "oai_dc", "identifier": identifier("A")}

        reply = ask(stranger, verb="GetRecord", **one)

        assert deleted(reply) == [identifier("A")]
        assert factories.TEXT not in whole(reply)

    def test_what_a_format_cannot_hold_cannot_be_had_in_it(
        self, stranger: TestClient, paintings: Submission
    ) -> None:
        approve(paintings, "A")
        one = {"metadataPrefix": "edm", "identifier": identifier("A")}

        reply = ask(stranger, verb="GetRecord", **one)
        listed = ask(stranger, verb="ListRecords", metadataPrefix="edm")

        assert code(reply) == "cannotDisseminateFormat"
        assert deleted(listed) == [identifier("A")]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "badVerb"),
    ({"verb": "Harvest"}, "badVerb"),
    ({"verb": ["Identify", "Identify"]}, "badVerb"),
    ({"verb": "Identify", "until": "2026-01-01"}, "badArgument"),
    ({"verb": "ListRecords"}, "badArgument"),
    ({"verb": "GetRecord", "metadataPrefix": "oai_dc"}, "badArgument"),
    (LIST | {"set": ["a", "b"]}, "badArgument"),
    (LIST | {"resumptionToken": "x"}, "badArgument"),
    (LIST | {"from": "yesterday"}, "badArgument"),
    (LIST | {"from": "2026-02-30"}, "badArgument"),
    (LIST | {"from": "2026-01-20T10:00:00"}, "badArgument"),
    (LIST | {"from": "٢٠٢٦-01-01"}, "badArgument"),
    (LIST | {"from": "2026-01-02", "until": "2026-01-01"}, "badArgument"),
    (LIST | {"from": "2026-01-02", "until": "2026-01-03T00:00:00Z"}, "badArgument"),
    (LIST | {"set": ""}, "badArgument"),
    (LIST | {"set": "a\x00b"}, "badArgument"),
    ({"verb": "ListRecords", "metadataPrefix": "marc"}, "cannotDisseminateFormat"),
    (LIST | {"set": "nothing"}, "noRecordsMatch"),
    (LIST | {"until": "1999-12-31"}, "noRecordsMatch"),
    (LIST | {"from": "9999-12-31T23:59:59Z"}, "noRecordsMatch"),
    ({"verb": "ListRecords", "resumptionToken": "x"}, "badResumptionToken"),
    ({"verb": "ListSets", "resumptionToken": "x"}, "badResumptionToken"),
    ({"verb": "ListMetadataFormats", "identifier": "oai:x:y"}, "idDoesNotExist"),
    (
        {"verb": "ListMetadataFormats", "identifier": f"{identifier('A')}%00"},
        "idDoesNotExist",
    ),
    (
        {"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": identifier("Z")},
        "idDoesNotExist",
    ),
]


class TestErrors:
    def test_are_told_with_the_code_of_the_protocol(
        self, stranger: TestClient, paintings: Submission
    ) -> None:
        approve(paintings, "A")

        for arguments, expected in WRONG:
            reply = parsed(stranger.get("/oai", params=arguments))

            assert code(reply) == expected, arguments
            request = reply.find("oai:request", NAMESPACES)
            assert request is not None
            assert bool(request.attrib) == (expected not in {"badVerb", "badArgument"})

    def test_there_is_no_set_while_no_collection_is_open(self, stranger: TestClient) -> None:
        assert code(ask(stranger, verb="ListSets")) == "noSetHierarchy"

    def test_a_token_is_good_for_its_verb_and_for_a_day(
        self, stranger: TestClient, many: Submission, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert many.id
        (token,) = said(ask(stranger, **LIST), "resumptionToken")

        def resume(verb: str) -> str | None:
            return code(ask(stranger, verb=verb, resumptionToken=token))

        assert (resume("ListRecords"), resume("ListIdentifiers")) == (None, "badResumptionToken")
        long_ago = clock.now() - timedelta(hours=25)
        monkeypatch.setattr(clock, "now", lambda: long_ago)
        (old,) = said(ask(stranger, **LIST), "resumptionToken")
        reply = ask(stranger, verb="ListRecords", resumptionToken=old)
        assert code(reply) == "badResumptionToken"

    def test_413_for_a_form_that_is_too_large(self, stranger: TestClient) -> None:
        answer = stranger.post("/oai", data={"verb": "x" * 20_001})

        problem(answer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def test_503_and_when_to_come_again_for_who_asks_too_often(
        self, stranger: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PREDELLA_RATE_LIMIT", "2/minute")
        get_settings.cache_clear()

        first, _, third = (stranger.get("/oai", params={"verb": "Identify"}) for _ in range(3))

        assert first.status_code == HTTPStatus.OK
        problem(third, HTTPStatus.SERVICE_UNAVAILABLE)
        assert 1 <= int(third.headers["Retry-After"]) <= 60

    def test_503_and_when_to_come_again_while_records_are_compared(
        self, stranger: TestClient
    ) -> None:
        with db.transaction() as session:
            session.execute(records._LOCK)
            answer = stranger.get("/oai", params={"verb": "Identify"})

        problem(answer, HTTPStatus.SERVICE_UNAVAILABLE)
        assert answer.headers["Retry-After"] == "5"


class TestPost:
    @pytest.mark.parametrize(
        "arguments", [LIST, {"verb": "Identify"}, {"verb": "ListRecords"}, LIST | {"set": "ü"}]
    )
    def test_is_answered_like_get(
        self, stranger: TestClient, paintings: Submission, arguments: dict[str, str]
    ) -> None:
        approve(paintings, "A")

        got = parsed(stranger.get("/oai", params=arguments))
        posted = parsed(stranger.post("/oai", data=arguments))

        for reply in (got, posted):
            moment = reply.find("oai:responseDate", NAMESPACES)
            assert moment is not None
            reply.remove(moment)
        assert etree.tostring(got) == etree.tostring(posted)


@pytest.fixture
def count(request: pytest.FixtureRequest) -> int:
    """How many records there are, where a test does not say it."""
    return getattr(request, "param", MANY)


@pytest.fixture
def many(paintings: Submission, count: int) -> Submission:
    """It has so many approved texts, some of them with hostile titles."""
    with db.transaction() as session:
        own = session.get_one(Submission, paintings.id)
        factories.approvals(session, factories.analyses(session, count - len(TITLES), own))
        for number, title in enumerate(TITLES):
            factories.approved(
                session, own, object_number=f"H {number}", title=title, artist=title, text=title
            )
    compare()
    return paintings


class TestReplies:
    @pytest.mark.parametrize("prefix", oai.PAYLOADS)
    def test_are_valid_on_every_page(
        self, stranger: TestClient, many: Submission, prefix: str, tmp_path: Path
    ) -> None:
        close(many, "H 1")
        found = list(pages(stranger, verb="ListRecords", metadataPrefix=prefix))

        assert len(found) == -(-MANY // 50)
        for number, answer in enumerate(found):
            path = tmp_path / f"{number}.xml"
            path.write_bytes(answer.content)
            assert problems(path) == []

    @pytest.mark.parametrize("prefix", oai.PAYLOADS)
    def test_are_valid_by_the_official_schemas(
        self, stranger: TestClient, many: Submission, prefix: str, tmp_path: Path
    ) -> None:
        schemas = official()
        close(many, "H 1")

        for number, answer in enumerate(pages(stranger, verb="ListRecords", metadataPrefix=prefix)):
            path = tmp_path / f"{number}.xml"
            path.write_bytes(answer.content)
            assert problems(path, schemas) == []
        one = {"identifier": identifier("H 2"), "metadataPrefix": "lido"}
        for arguments in (
            {"verb": "Identify"},
            {"verb": "ListSets"},
            {"verb": "ListMetadataFormats"},
            {"verb": "GetRecord"} | one,
            {"verb": "GetRecord", "identifier": "x:y"},
            {"verb": "ListIdentifiers", "metadataPrefix": "lido"},
        ):
            reply = stranger.get("/oai", params=arguments)
            assert list(schemas.reply(io.BytesIO(reply.content))) == []


def allowed() -> set[str]:
    """What may leave now: its names."""
    with db.transaction() as session:
        collection = session.query(Collection).filter_by(slug="paintings").one()
        return {
            oai.identifier(object_id(one.entry), "predella.museum.example")
            for one in outgoing.departures(session, collection)
        }


def kept(heads: Iterable[Any], before: Iterable[str] = ()) -> set[str]:
    """What a harvester has at the end that follows these headers."""
    has = set(before)
    for head in heads:
        (has.discard if head.deleted else has.add)(head.identifier)
    return has


def disturbed(heads: Iterator[Any], within: Submission) -> Iterator[Any]:
    """Pass headers on; every some pages two texts that were told go, and two that are to come."""
    with db.transaction() as session:
        told = session.query(CatalogRecord).order_by(CatalogRecord.id)
        numbers = [row.object_number for row in told]
    for place, head in enumerate(heads):
        yield head
        if place % 600 == 75:
            undo(numbers[place - 70])
            undo(numbers[place + 125])
            close(within, numbers[place - 69])
            close(within, numbers[place + 126])
            compare()


def _now() -> str:
    return stamp(clock.now())


class TestHarvesters:
    @pytest.mark.parametrize(("method", "count"), [("GET", THOUSANDS), ("POST", MANY)])
    def test_sickle_loses_nothing_that_changes_between_pages(
        self, many: Submission, tmp_path: Path, method: str, count: int
    ) -> None:
        first = allowed()
        with serving(tmp_path / "log") as address:
            client = Sickle(f"{address}/oai", http_method=method)
            found = client.ListRecords(metadataPrefix="oai_dc")
            has = kept(disturbed((record.header for record in found), many))
            assert (len(first), len(has)) == (count, count - 4 * -(-count // 600))
            assert has == allowed()
            moment = _now()
            approve(many, "late")
            since = client.ListRecords(metadataPrefix="oai_dc", **{"from": moment})
            has = kept((record.header for record in since), has)

        assert identifier("late") in has
        assert has == allowed()

    @pytest.mark.parametrize("count", [THOUSANDS])
    def test_scythe_gets_every_form_and_what_changed_since(
        self, many: Submission, tmp_path: Path, count: int
    ) -> None:
        with serving(tmp_path / "log") as address, Scythe(f"{address}/oai") as scythe:
            client: Any = scythe
            for prefix in ("oai_dc", "lido"):
                found = client.list_records(metadata_prefix=prefix)
                assert kept(record.header for record in found) == allowed()
            heads = list(client.list_identifiers(metadata_prefix="oai_dc", set_="paintings"))
            assert len(heads) == count
            newest = max(head.datestamp for head in heads)
            close(many, "H 3")
            compare()
            changed = client.list_identifiers(metadata_prefix="oai_dc", from_=newest)
            assert kept(changed, kept(heads)) == allowed()
            (one,) = [head for head in heads if head.identifier == identifier("H 3")]
            assert client.get_record(identifier=one.identifier, metadata_prefix="lido").deleted

    def test_a_collection_that_is_closed_to_harvesters_is_taken_back(
        self, many: Submission, tmp_path: Path
    ) -> None:
        with serving(tmp_path / "log") as address:
            client = Sickle(f"{address}/oai")
            has = kept(client.ListIdentifiers(metadataPrefix="oai_dc"))
            with db.transaction() as session:
                rules.choose(session, session.get_one(Collection, many.collection_id), {})
            has = kept(client.ListIdentifiers(metadataPrefix="oai_dc"), has)
            future = stamp(clock.now() + timedelta(days=2))
            with pytest.raises(NoRecordsMatch):
                client.ListIdentifiers(metadataPrefix="oai_dc", **{"from": future})

        assert has == set()
