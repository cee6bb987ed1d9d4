from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from predella.checks import CheckName, Severity
from predella.models.base import Record


class Finding(Record):
    """What one check said of one wording in one checkup. Append-only."""

    __tablename__ = "finding"
    __table_args__ = (
        UniqueConstraint(
            "checkup_id",
            "check_name",
            "span_start",
            "span_end",
            postgresql_nulls_not_distinct=True,
        ),
        UniqueConstraint("id", "analysis_id", "fingerprint"),
        ForeignKeyConstraint(["checkup_id", "analysis_id"], ["checkup.id", "checkup.analysis_id"]),
        CheckConstraint("(span_start IS NULL) = (span_end IS NULL)", name="span"),
        CheckConstraint("0 <= span_start AND span_start < span_end", name="span_is_forward"),
        CheckConstraint("octet_length(fingerprint) = 32", name="fingerprint"),
    )

    checkup_id: Mapped[UUID]
    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"))
    check_name: Mapped[CheckName]
    version: Mapped[int] = mapped_column(SmallInteger)
    """Of the check."""
    severity: Mapped[Severity]
    span_start: Mapped[int | None]
    """Characters of the wording, ``[span_start, span_end)``; none for the whole text."""
    span_end: Mapped[int | None]
    sentence: Mapped[str]
    """What is wrong, in plain words."""
    evidence: Mapped[dict[str, object]]
    """What it was concluded from."""
    fingerprint: Mapped[bytes]
    """The same wherever the same words stand in the same sentence of this analysis."""
