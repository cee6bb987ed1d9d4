from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base
from predella.models.review import Decision


class CatalogRecord(Base):
    """One text of one object, as harvesters are told of it. Never deleted.

    The foreign key to ``review`` carries the wording's id and sha256 and the decision, so what
    is told was decided on in exactly that form. Items are not referred to: a reference would hold
    up whoever closes a gate while records are compared.
    """

    __tablename__ = "catalog_record"
    __table_args__ = (
        UniqueConstraint("collection_id", "object_number", "name"),
        ForeignKeyConstraint(
            ["review_id", "analysis_id", "revision_id", "revision_sha256", "decision"],
            [
                "review.id",
                "review.analysis_id",
                "review.revision_id",
                "review.revision_sha256",
                "review.decision",
            ],
            name="fk_catalog_record_review",
        ),
        CheckConstraint("decision IN ('approved', 'accepted_by_sample')", name="accepted"),
        CheckConstraint("withdrawn_at <= changed_at", name="withdrawn_then_changed"),
        Index("ix_catalog_record_changed", "changed_at", "id"),
        Index("ix_catalog_record_changed_within", "collection_id", "changed_at", "id"),
        Index("ix_catalog_record_object", "collection_id", "object_number", "changed_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    collection_id: Mapped[UUID] = mapped_column(ForeignKey("harvest.collection_id"))
    object_number: Mapped[str]
    name: Mapped[str]
    """Which of its texts: ``formal-analysis/en``, ``element-colour/nl``."""
    item_id: Mapped[UUID]
    """Whose row of a manifest tells of the object."""
    analysis_id: Mapped[UUID]
    revision_id: Mapped[UUID]
    revision_sha256: Mapped[bytes]
    review_id: Mapped[UUID]
    decision: Mapped[Decision]
    rights_work: Mapped[str]
    reviewer: Mapped[str]
    changed_at: Mapped[datetime]
    """When harvesters could first be told so; of the database's clock."""
    withdrawn_at: Mapped[datetime | None]
    """Since when it may not be told; None while it may."""
