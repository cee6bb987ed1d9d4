from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base
from predella.models.lot import LotState


class LotMember(Base):
    """One wording in one lot: frozen when the lot was made, never edited, never deleted.

    The state of the lot is carried along by the foreign key, so that the database itself
    refuses an analysis in two open lots, and a wording of a failed lot in any other.
    """

    __tablename__ = "lot_member"
    __table_args__ = (
        ForeignKeyConstraint(["lot_id", "lot_state"], ["lot.id", "lot.state"], onupdate="CASCADE"),
        ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
        ),
        UniqueConstraint("lot_id", "analysis_id", "revision_id", "revision_sha256"),
        UniqueConstraint("lot_id", "sample_number"),
        Index(
            "uq_lot_member_open", "analysis_id", unique=True, postgresql_where="lot_state = 'open'"
        ),
        Index(
            "uq_lot_member_held",
            "revision_id",
            unique=True,
            postgresql_where="lot_state IN ('open', 'failed')",
        ),
    )

    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"), primary_key=True)
    revision_id: Mapped[UUID]
    revision_sha256: Mapped[bytes]
    sample_number: Mapped[int | None]
    """1, 2, 3 ... in the order of reading; none for what is not in the sample."""
    lot_state: Mapped[LotState] = mapped_column(default=LotState.OPEN)
