from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base


class Harvest(Base):
    """A collection that is open to harvesters, or was: its deletions are told for ever."""

    __tablename__ = "harvest"

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"), primary_key=True)
    refreshed_at: Mapped[datetime]
    """When its records were last compared with what may leave."""
    stands_by: Mapped[list[object]]
    """What of the collection stood in them then: the institution, the licence, and so on."""
