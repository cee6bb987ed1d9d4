from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base
from predella.models.review import Decision


class ExportLine(Base):
    """One accepted wording that left, in exactly that form. Never edited, never deleted.

    The foreign key to ``review`` carries the wording's id and sha256 and the decision, so the
    database itself refuses a line whose wording was not approved in that form. A trigger
    refuses one whose approval is no longer the newest decision, and one whose object may
    not leave (sensitivity, rights, embargo, the manifest's ``export``). A third refuses what
    was accepted by sample, unless the collection lets that leave.
    """

    __tablename__ = "export_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["review_id", "analysis_id", "revision_id", "revision_sha256", "decision"],
            [
                "review.id",
                "review.analysis_id",
                "review.revision_id",
                "review.revision_sha256",
                "review.decision",
            ],
        ),
        CheckConstraint("decision IN ('approved', 'accepted_by_sample')", name="accepted"),
        Index("ix_export_line_analysis", "analysis_id"),
    )

    export_id: Mapped[UUID] = mapped_column(ForeignKey("export.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """In the order of the file, counted together with its tombstones: 1, 2, 3 ..."""
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"), index=True)
    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"))
    revision_id: Mapped[UUID]
    revision_sha256: Mapped[bytes]
    review_id: Mapped[UUID]
    decision: Mapped[Decision] = mapped_column(default=Decision.APPROVED)
    sha256: Mapped[bytes]
    """Of the bytes of its record in the file; texts of one object may share it."""
