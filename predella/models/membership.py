from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import KNOWN_ROLES, Account
from predella.models.base import Base
from predella.models.collection import Collection


class Membership(Base):
    """The roles of one account in one collection, beside those that it has in every one."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint(KNOWN_ROLES, name="known_roles"),
        CheckConstraint("cardinality(roles) > 0", name="some_role"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    collection_id: Mapped[UUID] = mapped_column(
        ForeignKey("collection.id"), primary_key=True, index=True
    )
    roles: Mapped[list[str]] = mapped_column(ARRAY(String))

    account: Mapped[Account] = relationship(lazy="raise_on_sql", back_populates="memberships")
    collection: Mapped[Collection] = relationship(lazy="raise_on_sql")
