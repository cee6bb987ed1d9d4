"""Rows to test with: each function makes one, and what it cannot do without."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from predella import clock, ids
from predella.checks import CheckName, Severity
from predella.models import (
    Account,
    Analysis,
    Base,
    Checkup,
    Client,
    Collection,
    Decision,
    Export,
    ExportFormat,
    Finding,
    FinishReason,
    Image,
    Item,
    ItemState,
    ObjectGate,
    Opening,
    RejectionReason,
    Release,
    Review,
    Revision,
    Role,
    Sensitivity,
    Stage,
    Submission,
    SubmissionState,
)
from predella.provenance import ReleaseSpec

PUBLIC_DOMAIN = "http://creativecommons.org/publicdomain/mark/1.0/"
TEXT = "A low horizon divides the canvas. Muted greens lead the eye towards a pale sky."

GATES = (
    "sensitivity",
    "sensitivity_note",
    "ai_processing",
    "exportable",
    "embargo_until",
    "rights_work",
)

_numbers = count(1)
RowT = TypeVar("RowT", bound=Base)


def _kept(session: Session, row: RowT) -> RowT:
    session.add(row)
    session.flush()
    return row


def digest(text: str) -> bytes:
    """Return the sha256 of a text as the database computes it."""
    return sha256(text.encode()).digest()


def account(session: Session, *roles: Role, name: str | None = None) -> Account:
    """Make an account; without roles it is a curator who may approve."""
    name = name or f"account-{next(_numbers)}"
    chosen = [role.value for role in roles or (Role.CURATOR, Role.APPROVER)]
    return _kept(session, Account(name=name, display_name=name.title(), roles=chosen))


def collection(session: Session, **fields: Any) -> Collection:
    """Make a collection."""
    defaults = {
        "slug": f"paintings-{next(_numbers)}",
        "name": "Paintings",
        "institution": "Example Museum",
        "bucket": "museum",
        "prefix": "",
    }
    return _kept(session, Collection(**defaults | fields))


def submission(session: Session, within: Collection | None = None, **fields: Any) -> Submission:
    """Make a submission whose rows were all read."""
    within = within or collection(session)
    defaults = {
        "collection_id": within.id,
        "account_id": account(session, Role.DIGITIZER).id,
        "source": f"s3://{within.bucket}/{within.prefix}manifest.csv",
        "state": SubmissionState.RECEIVED,
        "received_at": clock.now(),
    }
    return _kept(session, Submission(**defaults | fields))


def item(session: Session, within: Submission | None = None, **fields: Any) -> Item:
    """Make an item that waits to be prepared and whose text may leave; its row speaks last."""
    within = within or submission(session)
    made = _new_item(within, **fields)
    if made.image_id and not made.sha256:
        made.sha256 = session.get_one(Image, made.image_id).sha256
    gate(session, within, made)
    return _kept(session, made)


def gate(session: Session, within: Submission, *rows: Item) -> None:
    """Make the objects' gates what these rows say."""
    said = insert(ObjectGate)
    session.execute(
        said.on_conflict_do_update(
            index_elements=["collection_id", "object_number"],
            set_={name: said.excluded[name] for name in GATES},
        ),
        [
            {name: getattr(row, name) for name in ("collection_id", "object_number", *GATES)}
            | {"account_id": within.account_id, "told": {}, "changed_at": clock.now()}
            for row in rows
        ],
    )


def _new_item(within: Submission, **fields: Any) -> Item:
    number = next(_numbers)
    defaults = {
        "submission_id": within.id,
        "collection_id": within.collection_id,
        "row_number": number,
        "object_number": f"SK-A-{number}",
        "title": f"Landscape no. {number}",
        "is_primary": True,
        "language": "en",
        "rights_work": PUBLIC_DOMAIN,
        "sensitivity": Sensitivity.NONE,
        "ai_processing": True,
        "exportable": True,
        "extra": {},
        "bucket": "museum",
        "key": f"{number}.jpg",
        "size": 1000,
        "etag": f"{number:032x}",
        "next_attempt_at": clock.now(),
    }
    made = Item(**defaults | fields)
    made.is_open = made.ai_processing and made.sensitivity is not Sensitivity.RESTRICTED
    return made


def image(session: Session, within: Collection | None = None, **fields: Any) -> Image:
    """Make a prepared image."""
    within = within or collection(session)
    return _kept(session, _new_image(within.id, **fields))


def _new_image(collection_id: UUID, **fields: Any) -> Image:
    defaults = {
        "collection_id": collection_id,
        "sha256": digest(f"image {next(_numbers)}"),
        "size": 1000,
        "format": "JPEG",
        "width": 1200,
        "height": 900,
        "preprocessing": "test/1",
        "model_sha256": digest("model-ready"),
        "facts": {},
        "prepared_at": clock.now(),
    }
    return Image(**defaults | fields)


def spec(**fields: Any) -> ReleaseSpec:
    """Return the identity of a release that no other test has."""
    defaults = {
        "model_name": "Test Model",
        "weights_sha256": "ab" * 32,
        "adapter_sha256": None,
        "prompt_id": "formal-analysis/1",
        "prompt_text": "Describe the form.",
        "prompt_rendered": "USER: <image> Describe the form. ASSISTANT:",
        "template": "vicuna_v1",
        "decoding": {"max_new_tokens": 512},
        "preprocessing": "test/1",
        "dtype": "float32",
        "code_version": f"0.1.0+{next(_numbers)}",
        "libraries": {"torch": "2.13.0"},
        "notice": None,
    }
    return ReleaseSpec(**defaults | fields)


def release(session: Session, **fields: Any) -> Release:
    """Make a release; the fields are those of its identity."""
    made = spec(**fields)
    row = Release(
        digest=made.digest(), model_name=made.model_name, notice=made.notice, spec=made.as_json()
    )
    return _kept(session, row)


def analysis(
    session: Session,
    of: Item | None = None,
    *,
    text: str = TEXT,
    by: Release | None = None,
    **fields: Any,
) -> Analysis:
    """Make the analysis of an item, with its first wording; the item is done."""
    of = of or item(session)
    made = _new_analysis(of, _image_of(session, of), by or release(session), text, **fields)
    session.add(made)
    session.flush()
    revision(session, made, text=text)
    share(session, made, of)
    return made


def analyses(
    session: Session, number: int, within: Submission | None = None, *, text: str = TEXT
) -> list[Analysis]:
    """Make many analyses of one release at once, each of an item and an image of its own."""
    within = within or submission(session)
    items = [_new_item(within) for _ in range(number)]
    images = [_new_image(within.collection_id) for _ in items]
    gate(session, within, *items)
    session.add_all([*items, *images])
    session.flush()
    by = release(session)
    made = [_new_analysis(*pair, by, text) for pair in zip(items, images, strict=True)]
    session.add_all(made)
    session.flush()
    session.add_all(_new_revision(one, 0, text) for one in made)
    for one, of, pictured in zip(made, items, images, strict=True):
        _share(one, of, pictured)
    session.flush()
    return made


def _new_analysis(of: Item, pictured: Image, by: Release, text: str, **fields: Any) -> Analysis:
    defaults = {
        "image_id": pictured.id,
        "release_id": by.id,
        "item_id": of.id,
        "lease_token": ids.new(),
        "language": of.language,
        "text": text,
        "rendered_prompt": "USER: <image> Describe the form. ASSISTANT:",
        "model_sha256": pictured.model_sha256,
        "finish_reason": FinishReason.STOP,
        "prompt_tokens": 600,
        "output_tokens": 20,
        "mean_logprob": -0.5,
        "min_window_logprob": -1.25,
        "batch_size": 8,
        "device": "cpu",
        "worker": "test",
        "timings": {"fetch": 0.01, "generate": 0.5},
    }
    return Analysis(**defaults | fields)


def _image_of(session: Session, of: Item) -> Image:
    if of.image_id is None:
        return image(session, session.get_one(Collection, of.collection_id))
    return session.get_one(Image, of.image_id)


def share(session: Session, made: Analysis, *items: Item) -> None:
    """Give these items the analysis: they show the same image."""
    pictured = session.get_one(Image, made.image_id)
    for one in items:
        _share(made, one, pictured)
    session.flush()


def _share(made: Analysis, of: Item, pictured: Image) -> None:
    of.image_id, of.sha256, of.analysis_id = pictured.id, pictured.sha256, made.id
    of.stage, of.state, of.finished_at = Stage.ANALYZE, ItemState.DONE, clock.now()


def revision(
    session: Session, of: Analysis, *, text: str, account: Account | None = None
) -> Revision:
    """Make the next wording of an analysis; after the first it needs an account."""
    number = session.scalar(
        select(func.count()).select_from(Revision).where(Revision.analysis_id == of.id)
    )
    return _kept(session, _new_revision(of, number or 0, text, account))


def _new_revision(of: Analysis, number: int, text: str, account: Account | None = None) -> Revision:
    return Revision(
        analysis_id=of.id,
        number=number,
        text=text,
        sha256=digest(text),
        account_id=account.id if account else None,
    )


def newest_revision(session: Session, of: Analysis) -> Revision:
    """Return the newest wording of an analysis."""
    newest = select(Revision).filter_by(analysis_id=of.id).order_by(Revision.number.desc())
    return session.scalars(newest.limit(1)).one()


def opening(session: Session, of: Revision, by: Account) -> Opening:
    """Make an account have had a wording open."""
    made = session.merge(_new_opening(of, by))
    session.flush()
    return made


def _new_opening(of: Revision, by: Account) -> Opening:
    return Opening(
        revision_id=of.id,
        account_id=by.id,
        analysis_id=of.analysis_id,
        revision_sha256=of.sha256,
    )


def review(
    session: Session,
    of: Analysis,
    decision: Decision = Decision.APPROVED,
    *,
    by: Account | None = None,
    **fields: Any,
) -> Review:
    """Make a decision on the newest wording of an analysis; who approves has had it open."""
    on, by = newest_revision(session, of), by or account(session)
    if decision is Decision.APPROVED:
        opening(session, on, by)
    number = session.scalar(
        select(func.count()).select_from(Review).where(Review.analysis_id == of.id)
    )
    return _kept(
        session,
        _new_review(on, (number or 0) + 1, by, decision, **fields),
    )


def _new_review(
    on: Revision, place: int, by: Account, decision: Decision = Decision.APPROVED, **fields: Any
) -> Review:
    defaults = {
        "analysis_id": on.analysis_id,
        "number": place,
        "revision_id": on.id,
        "revision_sha256": on.sha256,
        "account_id": by.id,
        "decision": decision,
        "reason": RejectionReason.OTHER
        if decision in {Decision.REJECTED, Decision.SUPERSEDED}
        else None,
        "client": Client.CLI,
    }
    return Review(**defaults | fields)


def finding(session: Session, of: Analysis, **fields: Any) -> Finding:
    """Make a hard finding on the newest wording of an analysis, in a checkup of its own."""
    on = newest_revision(session, of)
    number = session.query(Checkup).filter_by(revision_id=on.id).count()
    checkup = _kept(
        session,
        Checkup(
            analysis_id=of.id,
            revision_id=on.id,
            revision_sha256=on.sha256,
            number=number,
            suite="ab" * 32,
        ),
    )
    defaults = {
        "checkup_id": checkup.id,
        "analysis_id": of.id,
        "check_name": CheckName.LEAK,
        "version": 1,
        "severity": Severity.HARD,
        "span_start": 0,
        "span_end": 3,
        "sentence": "It leaks.",
        "evidence": {},
        "fingerprint": digest("passage"),
    }
    return _kept(session, Finding(**defaults | fields))


def approvals(session: Session, made: Sequence[Analysis]) -> list[Review]:
    """Approve many analyses at once, as the model wrote them."""
    by = account(session)
    of = {one.id for one in made}
    wordings = session.scalars(
        select(Revision).where(Revision.analysis_id.in_(of), Revision.number == 0)
    ).all()
    session.add_all(_new_opening(on, by) for on in wordings)
    session.flush()
    reviews = [_new_review(on, 1, by) for on in wordings]
    session.add_all(reviews)
    session.flush()
    return reviews


def approved(
    session: Session, within: Submission | None = None, *, text: str = TEXT, **item_fields: Any
) -> Item:
    """Make an item whose text was approved as the model wrote it."""
    made = item(session, within, **item_fields)
    review(session, analysis(session, made, text=text))
    return made


def export(session: Session, of: Collection | None = None, **fields: Any) -> Export:
    """Make an export that waits to be written."""
    of = of or collection(session)
    defaults = {
        "collection_id": of.id,
        "account_id": account(session, Role.REGISTRAR).id,
        "format": ExportFormat.JSONL,
        "destination": f"s3://predella/exports/{of.slug}/{next(_numbers)}.jsonl",
    }
    return _kept(session, Export(**defaults | fields))
