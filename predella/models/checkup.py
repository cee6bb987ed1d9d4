from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class Checkup(Record):
    """One time that the checks were run on one wording; the newest counts. Append-only."""

    __tablename__ = "checkup"
    __table_args__ = (
        UniqueConstraint("revision_id", "number"),
        UniqueConstraint("id", "analysis_id"),
        ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
        ),
        CheckConstraint("suite ~ '^[0-9a-f]{64}$'", name="suite"),
    )

    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"))
    revision_id: Mapped[UUID]
    revision_sha256: Mapped[bytes]
    """With ``revision_id``: exactly this wording was checked."""
    number: Mapped[int]
    """0, 1, 2 ... for one wording."""
    suite: Mapped[str]
    """Which versions of which checks, with which thresholds and glossaries: ``checks.suite``."""
