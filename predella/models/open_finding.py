from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from predella.checks import CheckName, Severity
from predella.models.base import Base


class OpenFinding(Base):
    """One finding on a newest wording that nobody has dismissed: kept by triggers, never by us.

    It says nothing that findings and dismissals do not say. It is there so that counting and
    filtering by check cost the same however many texts were checked.
    """

    __tablename__ = "open_finding"
    __table_args__ = (
        Index("ix_open_finding_analysis_id", "analysis_id"),
        Index("ix_open_finding_check", "check_name", "analysis_id"),
        Index("ix_open_finding_collection_check", "collection_id", "check_name", "analysis_id"),
    )

    finding_id: Mapped[UUID] = mapped_column(ForeignKey("finding.id"), primary_key=True)
    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"))
    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"))
    check_name: Mapped[CheckName]
    severity: Mapped[Severity]
