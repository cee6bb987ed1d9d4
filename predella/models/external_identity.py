from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record


class ExternalIdentity(Record):
    """Somebody whom an OpenID provider vouches for, and the account that they sign in to."""

    __tablename__ = "external_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    issuer: Mapped[str]
    subject: Mapped[str]
    """What the provider calls them for ever; a name or an address may pass to somebody else."""
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)

    account: Mapped[Account] = relationship(lazy="raise_on_sql")
