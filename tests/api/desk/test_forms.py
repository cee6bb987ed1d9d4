"""What the forms of the settings and lists do, as a browser without scripts sends them."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from http import HTTPStatus

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella import clock, db
from predella.checks import CheckName, Severity
from predella.formats import profiles
from predella.ids import AccountId, AnalysisId, CollectionId
from predella.models import (
    Collection,
    Decision,
    Glossary,
    Item,
    ItemState,
    ObjectGate,
    Refusal,
    Role,
    Run,
    Standing,
    Submission,
)
from predella.sampling import Plan
from predella.services import (
    accounts,
    collections,
    exports,
    gates,
    lots,
    memberships,
    preferences,
    selections,
    submissions,
)
from predella.services.gates import Change
from predella.settings import get_settings
from tests import factories
from tests.api.conftest import Acting
from tests.pictures import tiny
from tests.services import Bucket

Ask = Callable[..., Response]


def _run(session: Session) -> None:
    """Let a model have written at a rate that is known: one picture in four minutes."""
    began = clock.now() - timedelta(minutes=50)
    end = began + timedelta(minutes=40)
    names = {"worker": "gpu", "model_name": "Test Model", "device": "cpu", "batch_size": 1}
    session.add(Run(**names, created_at=began, updated_at=end, ended_at=end, images=10))


def _posted(client: TestClient, path: str, **data: object) -> str:
    """Send a form; return where the answer leads."""
    answer = client.post(path, data=data, follow_redirects=False)
    assert answer.status_code == HTTPStatus.SEE_OTHER, answer.text
    return answer.headers["Location"]


def _seen(client: TestClient, path: str) -> str:
    """Return what a page says that its form was drawn from, as a browser sends it back."""
    (found,) = re.findall(r'name="seen" value="([^"]*)"', client.get(path).text)
    return unescape(found)


class TestNumbering:
    def test_of_a_collection_holds_unless_a_hand_in_takes_nothing_from_it(
        self, admin: TestClient
    ) -> None:
        with db.transaction() as session:
            made = factories.collection(session, slug="prints", bucket="museum", prefix="").id
        field = "Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo"
        leads_to = _posted(admin, "/desk/collections/prints/numbering", number_field=field)
        assert f'value="{field}"' in admin.get(leads_to).text

        hand_in = {"collection_id": str(made), "source": "s3://museum/"}
        shown = admin.get(_posted(admin, "/desk/submissions", **hand_in)).text
        assert f'<span class="code">{field}</span>' in shown
        _posted(admin, "/desk/submissions", **hand_in, only_these="true")

        with db.transaction() as session:
            query = select(Submission.number_field).order_by(Submission.id)
            assert session.scalars(query).all() == [field, None]

    def test_that_cannot_be_is_told(self, admin: TestClient) -> None:
        with db.transaction() as session:
            factories.collection(session, slug="prints")

        answer = admin.post("/desk/collections/prints/numbering", data={"number_field": "a:b"})

        assert "no prefix that is known here" in answer.text


class TestSubmissions:
    def test_failed_items_are_tried_again_for_one_reason_only(self, acting: Acting) -> None:
        somebody = acting(Role.DIGITIZER)
        with db.transaction() as session:
            within = factories.submission(session)
            fields = {"state": ItemState.FAILED, "error": "so it is", "finished_at": clock.now()}
            factories.item(session, within, error_code="engine", **fields)
            still = factories.item(session, within, error_code="image_damaged", **fields).id
            path = f"/desk/submissions/{within.id}"

        leads_to = _posted(somebody, f"{path}/requeue", code="engine")

        assert "1 item is tried again." in somebody.get(leads_to).text
        with db.transaction() as session:
            assert session.get_one(Item, still).state is ItemState.FAILED

    def test_progress_is_told_while_it_goes_on(self, acting: Acting) -> None:
        somebody = acting(Role.CURATOR)
        with db.transaction() as session:
            path = f"/desk/submissions/{factories.item(session).submission_id}"

        assert f'data-poll="{path}/progress"' in somebody.get(path).text
        assert "data-running" in somebody.get(f"{path}/progress").text


class TestLooking:
    _ROWS = (
        "object_number,filename,rights_work,sensitivity\n"
        "1,1.jpg,,\n2,2.jpg,http://creativecommons.org/publicdomain/mark/1.0/,restricted\n"
        "3,3.jpg,,\n4,2.jpg,public,\n"
    )

    @pytest.fixture
    def form(self, stranger: TestClient, s3: Bucket) -> dict[str, str]:
        """What somebody hands in: two rows that are accepted, and two that are not."""
        assert stranger
        for key in ("1.jpg", "2.jpg", "left over.jpg"):
            s3.client.put_object(Bucket=s3.name, Key=key, Body=tiny(key))
        s3.client.put_object(Bucket=s3.name, Key="m.csv", Body=self._ROWS.encode())
        with db.transaction() as session:
            within = factories.collection(session, bucket=s3.name)
            _run(session)
            return {"collection_id": str(within.id), "source": f"s3://{s3.name}/m.csv"}

    def test_says_what_handing_in_would_bring_and_leaves_nothing(
        self, acting: Acting, form: dict[str, str]
    ) -> None:
        shown = acting(Role.DIGITIZER).post("/desk/submissions/look", data=form).text

        for part in (
            *("No such file", "Rights statement not known", "files that no row names"),
            *("withheld from the model", "rights are not known", "about 4 minutes"),
            "Hand in 2 items",
        ):
            assert part in shown, part
        with db.transaction() as session:
            for kept in (Submission, Item, Refusal, ObjectGate):
                assert session.query(kept).count() == 0

    def test_is_followed_by_handing_in_what_was_looked_at(
        self, acting: Acting, form: dict[str, str], s3: Bucket
    ) -> None:
        digitizer = acting(Role.DIGITIZER)
        named = {"title": 'Box "12" & more', "preview": "1", "number_pattern": "(?P<number>[0-9]+)"}
        shown = digitizer.post("/desk/submissions/look", data=form | named).text

        sent = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown))
        leads_to = _posted(
            digitizer, "/desk/submissions", **{k: unescape(v) for k, v in sent.items()}
        )
        submissions.receive_waiting(s3.store)

        told = digitizer.get(leads_to).text
        assert sent.keys() == form.keys() | named.keys() | {"number_field", "only_these"}
        assert "What became of the rows" in told
        with db.transaction() as session:
            made = session.query(Submission).one()
            assert (made.title, made.preview) == (named["title"], 1)
            assert made.number_pattern == named["number_pattern"]
        again = digitizer.post("/desk/submissions/look", data=form | named).text
        assert leads_to in again
        assert "Hand in" not in again

    def test_says_why_the_whole_would_be_refused(
        self, acting: Acting, form: dict[str, str], s3: Bucket
    ) -> None:
        s3.client.put_object(Bucket=s3.name, Key="m.csv", Body=b"number,picture\n1,1.jpg\n")

        shown = acting(Role.DIGITIZER).post("/desk/submissions/look", data=form).text

        assert "The whole would be refused:" in shown
        assert "no column object_number" in shown
        assert '<button class="go"' not in shown

    def test_is_for_who_may_hand_in(self, curator: TestClient, form: dict[str, str]) -> None:
        answer = curator.post("/desk/submissions/look", data=form)

        assert answer.status_code == HTTPStatus.FORBIDDEN


class TestCollections:
    def test_what_exports_say_is_changed_and_shown(self, admin: TestClient) -> None:
        with db.transaction() as session:
            factories.collection(session, slug="prints", credit_line="Gift")
        said = {"name": "Prints", "institution": "Museum & Sons", "language": "nl"}
        said |= {"text_rights": "https://creativecommons.org/licenses/by/4.0/deed.nl"}

        shown = admin.get(_posted(admin, "/desk/collections/prints/facts", **said)).text
        refused = admin.post("/desk/collections/prints/facts", data=said | {"concept_uri": "term"})

        assert "http://creativecommons.org/licenses/by/4.0/" in shown
        assert "Museum &amp; Sons" in shown
        assert "Gift" not in shown
        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "concept_uri" in refused.text

    def test_rules_are_chosen_all_at_once(self, admin: TestClient) -> None:
        with db.transaction() as session:
            made = factories.collection(session, slug="prints").id

        chosen = {"open_to_harvesters": "true", "reading_floor": "true"}
        shown = admin.get(_posted(admin, "/desk/collections/prints/rules", **chosen)).text

        assert "PREDELLA_PUBLIC_URL" in shown
        with db.transaction() as session:
            kept = session.get_one(Collection, made).review_rules
        assert kept == {"open_to_harvesters": True}

    def test_harvesters_are_given_an_address_where_the_house_has_one(
        self, admin: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with db.transaction() as session:
            factories.collection(session, slug="prints")
        monkeypatch.setenv("PREDELLA_PUBLIC_URL", "https://predella.museum.example/")
        monkeypatch.setenv("PREDELLA_OAI_EMAIL", "registrar@museum.example")
        get_settings.cache_clear()

        shown = admin.get("/desk/collections/prints").text

        assert "https://predella.museum.example/oai<" in shown
        assert "registrar@museum.example" in shown

    def test_thresholds_are_kept_where_they_are_not_as_usual(self, admin: TestClient) -> None:
        with db.transaction() as session:
            made = factories.collection(session, slug="prints").id

        chosen = {"check.date": "soft", "check.loop": "off", "alt_text.least": "5"}
        chosen |= {"alt_text.most": "30", "similarity": "0.9", "names_allowed": "Barbara\nJerome\n"}
        leads_to = _posted(admin, "/desk/collections/prints/thresholds", **chosen)

        assert 'value="0.9"' in admin.get(leads_to).text
        with db.transaction() as session:
            kept = collections.thresholds_of(session.get_one(Collection, made))
        assert kept.severities == {CheckName.DATE: Severity.SOFT}
        assert kept.off == {CheckName.LOOP}
        assert (kept.length.alt_text.least, kept.length.alt_text.most) == (5, 30)
        assert kept.names_allowed == {"Barbara", "Jerome"}

    def test_are_changed_by_keepers_only(self, curator: TestClient) -> None:
        with db.transaction() as session:
            factories.collection(session, slug="prints")

        answer = curator.post("/desk/collections/prints/rules", data={"second_approver": "true"})

        assert answer.status_code == HTTPStatus.FORBIDDEN


class TestGlossaries:
    def test_a_list_is_brought_shown_and_dropped(self, admin: TestClient) -> None:
        with db.transaction() as session:
            made = factories.collection(session).id
        file = {"file": ("house.csv", b"term,ruling,why\nexotic,forbidden,from where?\n")}
        answer = admin.post(
            "/desk/glossaries",
            data={"collection_id": str(made), "name": "house"},
            files=file,
            follow_redirects=False,
        )
        shown = admin.get(answer.headers["Location"]).text

        leads_to = _posted(admin, f"{answer.headers['Location']}/drop")

        assert "exotic" in shown
        assert "from where?" in shown
        assert "the list is not used" in admin.get(leads_to).text
        with db.transaction() as session:
            assert session.query(Glossary).count() == 2


class TestAccounts:
    def test_the_secret_of_a_token_is_shown_once(self, admin: TestClient) -> None:
        leads_to = _posted(
            admin, "/desk/accounts", name="nia", display_name="Nia", roles=["curator"]
        )

        made = admin.post(f"{leads_to}/tokens", data={"name": "laptop"})

        secret = made.text.partition('class="secret" tabindex="0">')[2].partition("<")[0]
        assert admin.get("/desk/me", headers={"Authorization": f"Bearer {secret}"}).is_success
        assert secret not in admin.get(leads_to).text

    def test_a_closed_account_opens_nothing(self, admin: TestClient) -> None:
        leads_to = _posted(admin, "/desk/accounts", name="n", display_name="N", roles=["curator"])

        _posted(admin, f"{leads_to}/disabling")

        assert "was closed on" in admin.get(leads_to).text


class TestMe:
    def test_single_keys_are_turned_off_by_an_empty_box(self, acting: Acting) -> None:
        somebody = acting(Role.CURATOR, name="ann")

        _posted(somebody, "/desk/me/preferences", language="")

        with db.transaction() as session:
            ann = accounts.by_name(session, "ann")
            assert preferences.of(accounts.get(session, AccountId(ann.id))).single_keys is False


class TestLots:
    def test_a_lot_is_made_and_waits_for_its_sample(self, acting: Acting) -> None:
        somebody = acting(Role.APPROVER)
        with db.transaction() as session:
            within = factories.submission(session)
            collection_id = within.collection_id
            factories.analyses(session, 3, within)

        lot = _posted(somebody, "/desk/lots", collection_id=str(collection_id), plan="quick_look")

        shown = somebody.get(lot).text
        assert "0 of 3" in shown
        assert "Accept the rest by sample" not in shown
        assert somebody.get("/desk/lots").text.count(lot) == 1


class TestRoles:
    def test_are_kept_for_the_house_and_for_one_collection(self, admin: TestClient) -> None:
        with db.transaction() as session:
            prints = factories.collection(session, slug="prints", name="Prints").id
            address = f"/desk/accounts/{factories.account(session, Role.CURATOR, name='ines').id}"

        _posted(admin, f"{address}/roles", roles=["registrar"], seen=_seen(admin, address))
        leads_to = _posted(
            admin,
            f"{address}/memberships",
            collection_id=str(prints),
            roles=["curator", "approver"],
        )

        shown = admin.get(leads_to).text
        assert "Kept." in shown
        assert shown.count("checked") == 3
        with db.transaction() as session:
            account = accounts.by_name(session, "ines")
            assert account.roles == ["registrar"]
            (kept,) = memberships.of(session, account)
            assert kept.roles == ["approver", "curator"]
        _posted(admin, f"{address}/memberships", collection_id=str(prints))
        _posted(admin, f"{address}/roles", seen=_seen(admin, address))
        assert "checked" not in admin.get(address).text

    def test_the_last_admin_is_told_why_the_role_stays(self, admin: TestClient) -> None:
        me = admin.get("/v1/me").json()["account"]["id"]

        answer = admin.post(
            f"/desk/accounts/{me}/roles",
            data={"seen": _seen(admin, f"/desk/accounts/{me}")},
            headers={"Accept": "text/html"},
        )

        assert answer.status_code == HTTPStatus.CONFLICT
        assert "give somebody else that role first" in answer.text

    def test_that_a_second_admin_chose_meanwhile_are_not_overwritten(
        self, admin: TestClient
    ) -> None:
        with db.transaction() as session:
            address = f"/desk/accounts/{factories.account(session, name='ines').id}"
        drawn = _seen(admin, address)
        _posted(admin, f"{address}/roles", roles=["approver"], seen=drawn)

        answer = admin.post(
            f"{address}/roles",
            data={"roles": ["registrar"], "seen": drawn},
            headers={"Accept": "text/html"},
        )

        assert answer.status_code == HTTPStatus.PRECONDITION_FAILED
        assert "Go back, look at it anew, and decide again." in answer.text
        with db.transaction() as session:
            assert accounts.by_name(session, "ines").roles == ["approver"]


class TestWebhooks:
    @pytest.fixture
    def address(self, admin: TestClient, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setenv("PREDELLA_WEBHOOK_KEY", "k" * 32)
        monkeypatch.setenv("PREDELLA_WEBHOOK_PRIVATE_NETWORKS", '["127.0.0.0/8"]')
        get_settings.cache_clear()
        body = {"url": "http://127.0.0.1:9/hook", "event_types": ["export.written"]}
        made = admin.post("/v1/webhooks", json=body)
        return f"/desk/webhooks/{made.json()['id']}"

    def test_are_told_something_else_and_elsewhere_from_then_on(
        self, admin: TestClient, address: str
    ) -> None:
        with db.transaction() as session:
            prints = str(factories.collection(session, slug="prints", name="Prints").id)
        wanted = {
            "url": "http://127.0.0.1:9/elsewhere",
            "event_types": ["lot.concluded", "export.failed"],
            "description": "the catalogue",
            "collection_id": prints,
        }

        leads_to = _posted(admin, address, **wanted, seen=_seen(admin, address))

        shown = admin.get(leads_to).text
        assert 'value="http://127.0.0.1:9/elsewhere"' in shown
        assert f'value="{prints}" selected' in shown
        told_of = sorted(wanted["event_types"])
        assert re.findall(r'value="([a-z.]+)" checked', shown) == told_of
        kept = admin.get(address.replace("/desk/", "/v1/")).json()
        assert kept.items() >= (wanted | {"event_types": told_of}).items()

    def test_are_not_changed_by_a_form_that_is_out_of_date(
        self, admin: TestClient, address: str
    ) -> None:
        drawn = _seen(admin, address)
        wanted = {"url": "http://127.0.0.1:9/first", "event_types": ["export.failed"]}
        _posted(admin, address, **wanted, seen=drawn)

        answer = admin.post(address, data={**wanted, "url": "http://127.0.0.1:9/b", "seen": drawn})

        assert answer.status_code == HTTPStatus.PRECONDITION_FAILED
        assert "http://127.0.0.1:9/first" in admin.get(address).text


class TestButtons:
    def test_are_there_where_the_member_may_use_them_and_nowhere_else(self, acting: Acting) -> None:
        member = acting(name="member")
        with db.transaction() as session:
            account = accounts.by_name(session, "member")
            texts = {}
            for slug, role in {"prints": Role.APPROVER, "maps": Role.CURATOR}.items():
                within = factories.collection(session, slug=slug)
                memberships.change(session, account, within, [role])
                handed_in = factories.submission(session, within)
                texts[slug] = factories.analysis(session, factories.item(session, handed_in)).id

        prints, maps = (member.get(f"/desk/analyses/{id_}").text for id_ in texts.values())

        assert "/approve" in prints
        assert "/reject" in maps
        assert "/approve" not in maps
        lots = member.get("/desk/lots").text
        assert "(prints)" in lots
        assert "(maps)" not in lots
        exports = member.get("/desk/exports").text
        assert "(prints)" not in exports
        assert "registrar or admin" in exports

    def test_a_form_about_another_collection_is_refused(self, acting: Acting) -> None:
        member = acting(name="member")
        with db.transaction() as session:
            account = accounts.by_name(session, "member")
            own, other = (factories.collection(session) for _ in range(2))
            memberships.change(session, account, own, list(Role))
            hidden = {"collection_id": str(other.id)}

        for path, data in {
            "/desk/exports": {"format": "jsonl"},
            "/desk/lots": {"plan": "strict"},
            "/desk/submissions": {"source": "s3://museum/manifest.csv"},
        }.items():
            assert member.post(path, data=hidden | data).status_code == HTTPStatus.NOT_FOUND
        brought = member.post(
            "/desk/glossaries",
            data=hidden | {"name": "house"},
            files={"file": ("terms.csv", b"term\nvase\n")},
        )
        assert brought.status_code == HTTPStatus.NOT_FOUND

    def test_the_sample_of_a_lot_and_no_other_text_is_read(self, acting: Acting) -> None:
        somebody = acting(Role.APPROVER)
        with db.transaction() as session:
            within = factories.submission(session)
            made = lots.create(
                session,
                collection=session.get_one(Collection, within.collection_id),
                plan=Plan.QUICK_LOOK,
                account=factories.account(session),
                analysis_ids=[AnalysisId(factories.analyses(session, 2, within)[0].id)],
            )
            lot_id = made.id

        shown = somebody.get(f"/desk/lots/{lot_id}").text

        assert f"/desk/review?q=sample%3A{lot_id}" in shown
        found = somebody.get("/desk", params={"q": f"sample:{lot_id}"}).text
        assert "the one text that the search finds" in found


class TestSelections:
    def test_a_lot_of_two_collections_names_one(self, acting: Acting) -> None:
        somebody = acting(Role.APPROVER)
        with db.transaction() as session:
            first, _ = factories.analysis(session), factories.analysis(session)
            standing = session.get_one(Standing, first.id)
            collection_id = str(standing.collection_id)
        path = _posted(somebody, "/desk/selections?q=", purpose="sample").partition("?")[0]

        asked = somebody.post(f"{path}/decision", data={"choice": "lot", "count": "2"})
        lot = _posted(
            somebody, f"{path}/decision", choice="lot", count="2", collection_id=collection_id
        )

        assert asked.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "choose the collection" in asked.text
        assert "0 of 1" in somebody.get(lot).text

    def test_only_an_approver_approves(self, acting: Acting) -> None:
        somebody = acting(Role.CURATOR)
        with db.transaction() as session:
            factories.analysis(session)
        path = _posted(somebody, "/desk/selections", purpose="bulk", everything="true")

        answer = somebody.post(f"{path}/decision", data={"choice": "approve", "count": "1"})

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "Approving and making lots needs the role approver." in somebody.get(path).text

    def test_too_many_are_not_frozen_and_the_queue_says_what_to_do(
        self, acting: Acting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        somebody = acting(Role.CURATOR)
        with db.transaction() as session:
            factories.analyses(session, 3)
        monkeypatch.setattr(selections, "MAX_MEMBERS", 2)

        answer = somebody.post("/desk/selections", data={"purpose": "bulk", "everything": "true"})

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "finds more than 2 texts" in answer.text

    def test_a_list_of_yesterday_is_not_decided_on(
        self, acting: Acting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        somebody = acting(Role.CURATOR)
        with db.transaction() as session:
            factories.analysis(session)
        path = _posted(somebody, "/desk/selections", purpose="bulk", everything="true")
        tomorrow = clock.now() + timedelta(hours=25)
        monkeypatch.setattr(clock, "now", lambda: tomorrow)

        chosen = {"choice": "reject", "reason": "style", "count": "1"}
        answer = somebody.post(f"{path}/decision", data=chosen)

        assert answer.status_code == HTTPStatus.CONFLICT
        assert "older than 24 hours. Nothing was done" in answer.text


class TestQueue:
    def test_tells_the_time_that_is_left_to_whom_it_takes_it(self, acting: Acting) -> None:
        ann, joe = acting(Role.CURATOR, name="ann"), acting(Role.CURATOR, name="joe")
        with db.transaction() as session:
            made = factories.analyses(session, 40)
            by = accounts.by_name(session, "ann")
            for one in made[:20]:
                factories.review(session, one, Decision.REJECTED, by=by, seconds_seen=60.0)

        assert "about 20 minutes at your pace" in ann.get("/desk").text
        assert "at your pace" not in joe.get("/desk").text

    def test_asks_nobody_to_choose_who_cannot_decide(self, acting: Acting) -> None:
        somebody = acting(Role.REGISTRAR)
        with db.transaction() as session:
            factories.analysis(session)

        shown = somebody.get("/desk").text

        assert 'name="id"' not in shown
        assert "Decide on many" not in shown


class TestExports:
    _PROFILE = b"\xef\xbb\xbfcolumns: {Nummer: object_number, Tekst: text, Herkomst: disclosure}"

    @pytest.fixture
    def ask(self, admin: TestClient) -> Ask:
        with db.transaction() as session:
            within = factories.collection(session)
            factories.approved(session, factories.submission(session, within))
            form = {"collection_id": str(within.id), "changes": "true"}

        def post(profile: bytes, format: str = "csv") -> Response:  # noqa: A002  (its name)
            return admin.post(
                "/desk/exports",
                data=form | {"format": format},
                files={"profile": ("ours.yaml", profile)},
                follow_redirects=False,
            )

        return post

    def test_have_the_columns_of_a_museums_own_profile(
        self, admin: TestClient, ask: Ask, s3: Bucket
    ) -> None:
        first = ask(self._PROFILE).headers["Location"]
        exports.write_waiting(s3.store)
        second = ask(self._PROFILE).headers["Location"]

        assert admin.get(f"{first}/file").text.startswith("Nummer,Tekst,Herkomst\r\n")
        assert "Tekst: text" in admin.get(first).text
        assert "Only what changed since" not in admin.get(first).text
        assert "Only what changed since" in admin.get(second).text

    @pytest.mark.parametrize(
        ("profile", "format_", "reason"),
        [
            (b"columns: {Text: text}", "csv", "disclosure"),
            (b"columns: {Text: txt, Origin: disclosure}", "csv", "no field &#39;txt&#39;"),
            (b"columns: [", "csv", "cannot be read as YAML"),
            ("columns: {Größe: text}".encode("latin-1"), "csv", "ours.yaml is not in UTF-8"),
            (b"#" * 100_001, "csv", "larger than 100,000 bytes"),
            (_PROFILE, "lido", "columns of csv"),
        ],
    )
    def test_say_what_is_wrong_with_a_profile(
        self, ask: Ask, profile: bytes, format_: str, reason: str
    ) -> None:
        refused = ask(profile, format_)

        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert unescape(reason) in refused.json()["detail"]

    def test_of_what_changed_follow_the_newest_one_in_this_format(
        self, admin: TestClient, s3: Bucket
    ) -> None:
        with db.transaction() as session:
            collection = factories.collection(session)
            within = factories.submission(session, collection)
            for number in ("SK-1", "SK-2"):
                factories.approved(session, within, object_number=number)
            id_ = CollectionId(collection.id)
        form = {"collection_id": str(id_), "format": "omeka-s", "changes": "true"}

        first = _posted(admin, "/desk/exports", **form)
        exports.write_waiting(s3.store)
        with db.transaction() as session:
            closed, by = Change(exportable=False), factories.account(session)
            gates.change(session, id_, "SK-1", closed, account=by, reason="a letter")
        second = _posted(admin, "/desk/exports", **form)
        exports.write_waiting(s3.store)

        whole = admin.get(first).text
        assert "Only what changed since" not in whole
        assert "SK-2" in whole
        changes = admin.get(second).text
        assert "Only what changed since" in changes
        assert '<span class="stop">withdrawn</span>' in changes
        assert "SK-2" not in changes
        assert "/mapping" not in changes

    def test_offer_the_mapping_sheet_where_the_importer_wants_one(
        self, admin: TestClient, s3: Bucket
    ) -> None:
        with db.transaction() as session:
            collection = factories.collection(session)
            factories.approved(session, factories.submission(session, collection))
            form = {"collection_id": str(collection.id), "format": "collectiveaccess"}

        export = _posted(admin, "/desk/exports", **form)
        exports.write_waiting(s3.store)

        assert f'href="{export}/mapping"' in admin.get(export).text
        assert admin.get(f"{export}/mapping").content == profiles.mapping("collectiveaccess")
