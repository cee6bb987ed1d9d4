"""What reviewing costs with many analyses in the database: a page, a count, a decision, a bulk."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Engine, create_engine, delete, make_url, text, update
from sqlalchemy.orm import Session

from predella import migrate
from predella.embedded.home import Home
from predella.embedded.postgres import Postgres
from predella.ids import AnalysisId, CollectionId, SelectionId
from predella.models import Account, Analysis, Claim, Client, Decision, RejectionReason
from predella.services import bulks, claims, collections, reviews, searches, selections
from predella.services.searches import Order, Search
from tests import factories
from tests.services import service_url, sqlalchemy_url

T = TypeVar("T")

_ROUNDS = 100
_BULK = 10_000
_QUEUE = "collection:bench state:needs_review"

# A row like the one that is there, but for what is named. Without triggers, which is why the
# tables that they keep are filled last, from the others.
_FILL = """
CREATE FUNCTION pg_temp.id(kind text, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '7' || substr(md5(kind || n), 1, 3)
        || '8' || substr(md5(kind || n), 4, 15))::uuid
$$;
SET session_replication_role = replica;
INSERT INTO image SELECT made.* FROM image, generate_series(1, {count}) n,
jsonb_populate_record(image, jsonb_build_object(
    'id', pg_temp.id('image', n), 'sha256', sha256(('image' || n)::bytea))) made
WHERE image.id = :image;
INSERT INTO object_gate (collection_id, object_number, sensitivity, ai_processing, exportable,
    told, account_id, changed_at)
SELECT item.collection_id, 'SK-B-' || n, 'none', true, true, '{{}}', account_id, now()
FROM item JOIN object_gate gate USING (collection_id, object_number), generate_series(1, {count}) n
WHERE item.id = :item;
INSERT INTO item SELECT made.* FROM item, generate_series(1, {count}) n,
jsonb_populate_record(item, jsonb_build_object(
    'id', pg_temp.id('item', n), 'object_number', 'SK-B-' || n, 'key', n || '.jpg',
    'etag', md5(n::text), 'sha256', sha256(('image' || n)::bytea),
    'image_id', pg_temp.id('image', n), 'analysis_id', pg_temp.id('analysis', n),
    'stage', 'analyze', 'state', 'done')) made
WHERE item.id = :item;
INSERT INTO analysis SELECT made.* FROM analysis, generate_series(1, {count}) n,
jsonb_populate_record(analysis, jsonb_build_object(
    'id', pg_temp.id('analysis', n), 'image_id', pg_temp.id('image', n),
    'item_id', pg_temp.id('item', n), 'mean_logprob', ln(0.2 + 0.8 * random()))) made
WHERE analysis.id = :analysis;
INSERT INTO revision SELECT made.* FROM revision, generate_series(1, {count}) n,
jsonb_populate_record(revision, jsonb_build_object(
    'id', pg_temp.id('revision', n), 'analysis_id', pg_temp.id('analysis', n),
    'text', repeat(revision.text, 8) || n,
    'sha256', sha256(convert_to(repeat(revision.text, 8) || n, 'UTF8')))) made
WHERE revision.analysis_id = :analysis;
INSERT INTO checkup (id, created_at, analysis_id, revision_id, revision_sha256, number, suite)
SELECT pg_temp.id('checkup', n), now(), revision.analysis_id, revision.id, revision.sha256, 0,
    repeat('ab', 32)
FROM generate_series(1, {count}) n JOIN revision ON revision.id = pg_temp.id('revision', n);
INSERT INTO finding (id, created_at, checkup_id, analysis_id, check_name, version, severity,
    sentence, evidence, fingerprint)
SELECT pg_temp.id(check_name, n), now(), pg_temp.id('checkup', n), pg_temp.id('analysis', n),
    check_name, 1, severity, 'Something is wrong.', '{{}}', sha256((check_name || n)::bytea)
FROM generate_series(1, {count}) n, (VALUES ('date', 'soft', 0.2), ('colour_absent', 'soft', 0.1),
    ('loop', 'hard', 0.03), ('reused_sentence', 'info', 0.05)) said (check_name, severity, share)
WHERE (hashtext(check_name || n) & 1023) / 1024.0 < share;
INSERT INTO review (id, created_at, analysis_id, number, revision_id, revision_sha256, account_id,
    decision, reason, client)
SELECT pg_temp.id('review', n), now(), revision.analysis_id, 1, revision.id, revision.sha256,
    :account, 'rejected', 'other', 'desk'
FROM generate_series(1, {count}) n JOIN revision ON revision.id = pg_temp.id('revision', n)
WHERE (hashtext('review' || n) & 1023) / 1024.0 < 0.3;
ANALYZE;
INSERT INTO standing (analysis_id, collection_id, state, object_number, confidence, hard, soft,
    info, calm, account_id)
SELECT analysis.id, :within, CASE WHEN review.id IS NULL THEN 'needs_review' ELSE 'rejected' END,
    item.object_number, predella_confidence(mean_logprob), coalesce(hard, 0), coalesce(soft, 0),
    coalesce(info, 0),
    predella_confidence(mean_logprob) - coalesce(soft, 0) - 1000 * coalesce(hard, 0),
    review.account_id
FROM analysis JOIN item ON item.id = analysis.item_id
LEFT JOIN review ON review.analysis_id = analysis.id
LEFT JOIN (
    SELECT analysis_id, count(*) FILTER (WHERE severity = 'hard') AS hard,
        count(*) FILTER (WHERE severity = 'soft') AS soft,
        count(*) FILTER (WHERE severity = 'info') AS info
    FROM finding GROUP BY analysis_id
) said ON said.analysis_id = analysis.id
WHERE analysis.id <> :analysis;
INSERT INTO open_finding (finding_id, analysis_id, collection_id, check_name, severity)
SELECT id, analysis_id, :within, check_name, severity FROM finding;
UPDATE standing SET collection_id = :small
WHERE analysis_id IN (SELECT pg_temp.id('analysis', n) FROM generate_series(1, {small}) n);
UPDATE open_finding SET collection_id = :small
WHERE analysis_id IN (SELECT pg_temp.id('analysis', n) FROM generate_series(1, {small}) n);
VACUUM ANALYZE
"""
_SMALL = 10_000
"""Analyses of a collection beside the large one, as far as there are twice as many."""


@dataclass
class Figures:
    """Milliseconds of every round of every thing that was done."""

    analyses: int
    milliseconds: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, name: str, work: Callable[[], T]) -> T:
        """Do it, and remember how long it took."""
        began = time.perf_counter()
        done = work()
        self.add(name, (time.perf_counter() - began) * 1000)
        return done

    def add(self, name: str, milliseconds: float) -> None:
        """Remember how long one round took."""
        self.milliseconds.setdefault(name, []).append(milliseconds)

    def median(self, name: str) -> float:
        """Return the milliseconds that half of the rounds needed at most."""
        return statistics.median(self.milliseconds[name])

    def p95(self, name: str) -> float:
        """Return the milliseconds that 95 of 100 rounds needed at most."""
        taken = sorted(self.milliseconds[name])
        return taken[max(0, -(-len(taken) * 95 // 100) - 1)]


def measure(count: int, *, report: Callable[[str], None]) -> Figures:
    """Fill a database of its own with so many analyses, and do what a desk does."""
    figures = Figures(count)
    with tempfile.TemporaryDirectory(prefix="predella-bench-") as folder:
        own = Postgres(Home(Path(folder)))
        try:
            own.launch()
            own.wait_until_ready()
            report(f"filling a database with {count:,} analyses")
            engine, within, account = _filled(own.url("predella"), own, count)
            report("measuring")
            with Session(engine) as session:
                curator = session.get_one(Account, account)
                _read(session, figures, within, curator)
                _claim(session, figures, curator)
                _decide(session, figures, curator)
                _in_bulk(session, figures, curator)
            engine.dispose()
        finally:
            own.process.stop()
    return figures


def _filled(url: str, own: Postgres, count: int) -> tuple[Engine, CollectionId, Any]:
    with server(own.url("postgres")) as connection:
        connection.execute(text("CREATE DATABASE predella"))
    owner = create_engine(sqlalchemy_url(url))
    migrate.upgrade(owner)
    migrate.admit(owner, make_url(service_url(url)))
    within, account = fill(owner, count)
    owner.dispose()
    return create_engine(service_url(url)), within, account


def fill(owner: Engine, count: int, *, words: str = factories.TEXT) -> tuple[CollectionId, UUID]:
    """Fill the owner's empty database; return the large collection and who decided there."""
    with Session(owner) as session:
        account = factories.account(session)
        within = factories.collection(session, slug="bench")
        item = factories.item(session, factories.submission(session, within))
        first = factories.analysis(session, item, text=words)
        named = {"image": first.image_id, "item": item.id, "analysis": first.id}
        small = factories.collection(session, slug="small")
        named |= {"account": account.id, "within": within.id, "small": small.id}
        session.commit()
    with server(owner.url.render_as_string(hide_password=False)) as connection:
        for statement in _FILL.format(count=count - 1, small=min(_SMALL, count // 2)).split(";\n"):
            used = {name: value for name, value in named.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    return CollectionId(named["within"]), named["account"]


@contextmanager
def server(url: str) -> Iterator[Any]:
    """Connect as the owner, outside of any transaction."""
    engine = create_engine(sqlalchemy_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _read(session: Session, figures: Figures, within: CollectionId, curator: Account) -> None:
    queries = {
        "by risk": (_QUEUE, Order.RISK),
        "by risk, all that is open": (
            "collection:bench state:needs_review,needs_second",
            Order.RISK,
        ),
        "by risk, whatever its state": ("collection:bench", Order.RISK),
        "by risk, every collection": ("state:needs_review", Order.RISK),
        "by risk, of one check": (f"{_QUEUE} check:colour_absent", Order.RISK),
        "by risk, clean and confident": (f"{_QUEUE} check:none conf:>=0.8", Order.RISK),
        "by confidence": (_QUEUE, Order.CONFIDENCE),
        "by object": (_QUEUE, Order.OBJECT),
        "newest first": (_QUEUE, Order.NEWEST),
        "at random": (_QUEUE, Order.RANDOM),
        "by risk, mine": ("collection:bench is:mine", Order.RISK),
        "by risk, with a comment": (f"{_QUEUE} has:comment", Order.RISK),
    }
    for name, (asked, order) in queries.items():
        search, cursor = searches.parse(session, asked, account=curator, within=None), None
        for _ in range(_ROUNDS):
            turn = partial(searches.page, session, search, order=order, after=cursor)
            page = figures.measure(f"page of 50 {name}", turn)
            cursor = page.next
        session.rollback()
    queue = searches.parse(session, _QUEUE, account=curator, within=None)
    small = CollectionId(collections.by_slug(session, "small").id)
    for _ in range(_ROUNDS // 5):
        figures.measure("facets", lambda: searches.facets(session, within, within=None))
        figures.measure("facets of 10,000", lambda: searches.facets(session, small, within=None))
        figures.measure("count", lambda: searches.count(session, queue))
        session.rollback()


def _claim(session: Session, figures: Figures, curator: Account) -> None:
    """Take the next five, of a collection and of all, past those that a colleague holds."""
    colleague = factories.account(session)
    session.commit()
    for name, asked in {"in a collection": "collection:bench", "in all": ""}.items():
        search = searches.parse(session, asked, account=curator, within=None)
        for _ in range(_ROUNDS):
            figures.measure(f"claim 5 {name}", partial(_take, session, search, curator))
            session.execute(update(Claim).values(account_id=colleague.id))
            session.commit()
        session.execute(delete(Claim))
        session.commit()


def _take(session: Session, search: Search, curator: Account) -> None:
    claims.take(session, search, account=curator)
    session.commit()


def _decide(session: Session, figures: Figures, curator: Account) -> None:
    clean = searches.parse(session, f"{_QUEUE} check:none", account=curator, within=None)
    found = session.scalars(searches.select(clean).limit(_ROUNDS)).all()
    for id_ in found:
        revision = factories.newest_revision(session, session.get_one(Analysis, id_))
        factories.opening(session, revision, curator)
    session.commit()

    def approve(analysis_id: AnalysisId) -> None:
        reviews.approve(session, analysis_id, revision_number=0, account=curator, client=Client.API)
        session.commit()

    for id_ in found:
        figures.measure("approve one", partial(approve, AnalysisId(id_)))


def _in_bulk(session: Session, figures: Figures, curator: Account) -> None:
    search = searches.parse(session, _QUEUE, account=curator, within=None)

    def freeze() -> tuple[SelectionId, int]:
        frozen = selections.freeze(session, search, account=curator, limit=_BULK)
        kept = SelectionId(frozen.id), frozen.count
        session.commit()
        return kept

    def reject(selection_id: SelectionId, count: int) -> None:
        bulks.decide(
            session,
            selection_id,
            expected_count=count,
            decision=Decision.REJECTED,
            reason=RejectionReason.OTHER,
            account=curator,
            client=Client.CLI,
        )
        session.commit()

    def revert(selection_id: SelectionId) -> None:
        bulks.revert(session, selection_id, account=curator, client=Client.CLI)
        session.commit()

    for _ in range(5):
        frozen, found = figures.measure("freeze 10,000", freeze)
        figures.measure("reject 10,000", partial(reject, frozen, found))
        figures.measure("revert 10,000", partial(revert, frozen))
