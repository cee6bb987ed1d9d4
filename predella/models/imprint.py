from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base


class Imprint(Base):
    """One mark by which the wordings of an analysis are known again within its collection.

    It is the hash of a sentence, or of one band of a MinHash: ``predella.checks.likeness``.
    """

    __tablename__ = "imprint"

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"), primary_key=True)
    hash: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"), primary_key=True)
