from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record
from predella.models.review import RejectionReason


class Control(Record):
    """A wording that is known to be bad, left in the queue to see whether review finds it.

    Whatever is decided about it, a trigger on ``export_line`` keeps this wording from leaving.
    """

    __tablename__ = "control"
    __table_args__ = (
        ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
        ),
    )

    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"), unique=True)
    revision_id: Mapped[UUID]
    revision_sha256: Mapped[bytes]
    expected: Mapped[RejectionReason]
    """What is wrong with it."""
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    """Who seeded it; what they decide themselves does not count."""
    revealed_at: Mapped[datetime | None]
