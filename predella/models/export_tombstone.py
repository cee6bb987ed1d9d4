from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base


class ExportTombstone(Base):
    """One line of an export that withdraws what had left. Never edited, never deleted.

    It names the line that it withdraws, so that the next delta does not withdraw it again.
    """

    __tablename__ = "export_tombstone"
    __table_args__ = (
        ForeignKeyConstraint(
            ["buried_export_id", "buried_number"], ["export_line.export_id", "export_line.number"]
        ),
        CheckConstraint("export_id <> buried_export_id", name="buries_an_earlier_one"),
    )

    export_id: Mapped[UUID] = mapped_column(ForeignKey("export.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """In the order of the file, counted together with its export lines."""
    buried_export_id: Mapped[UUID]
    buried_number: Mapped[int]
    sha256: Mapped[bytes]
    """Of the bytes of its record in the file; what is left of an object's texts is in it, too."""
