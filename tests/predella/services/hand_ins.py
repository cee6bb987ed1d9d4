"""A museum's bucket to hand in from."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from predella.models import Collection, Item, Refusal, Submission, SubmissionState
from predella.services import receiving
from predella.services.reports import Report
from predella.storage import Store
from tests import factories, pictures
from tests.services import Bucket

PREFIX = "paintings/"


class Museum:
    """A collection below a prefix of a bucket, and what its digitization team does."""

    def __init__(self, session: Session, bucket: Bucket) -> None:
        self.session = session
        self.bucket = bucket
        self.client = bucket.client
        self.store = Store(self.client)
        self.collection: Collection = factories.collection(
            session, bucket=bucket.name, prefix=PREFIX, language="nl"
        )

    def put(self, *names: str) -> None:
        """Put images below the prefix; each has its own bytes."""
        for name in names:
            self.write(name, pictures.tiny(name))

    def write(self, name: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.bucket.name, Key=PREFIX + name, Body=body)

    def submission(self, source: str = "manifest.csv") -> Submission:
        return factories.submission(
            self.session,
            self.collection,
            source=f"s3://{self.bucket.name}/{PREFIX}{source}",
            state=SubmissionState.RECEIVING,
            received_at=None,
        )

    def hand_in(self, manifest: str, *, name: str = "manifest.csv") -> Report:
        """Write a manifest and receive it."""
        self.write(name, manifest.encode())
        return receiving.receive(self.session, self.submission(name), self.store)

    def hand_in_folder(self, folder: str = "") -> Report:
        return receiving.receive(self.session, self.submission(folder), self.store)

    def items(self, report: Report) -> list[Item]:
        query = select(Item).filter_by(submission_id=report.submission_id).order_by(Item.id)
        return list(self.session.scalars(query))

    def refusals(self, report: Report) -> list[Refusal]:
        query = select(Refusal).filter_by(submission_id=report.submission_id).order_by(Refusal.id)
        return list(self.session.scalars(query))

    def codes(self, report: Report) -> Mapping[str, str]:
        """File name -> why its row was refused."""
        return {each.filename or "": each.code for each in self.refusals(report)}
