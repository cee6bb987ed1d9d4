from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class SignInFlow(Record):
    """One browser that is away at the OpenID provider; gone when it comes back, or too late."""

    __tablename__ = "sign_in_flow"

    state_sha256: Mapped[bytes] = mapped_column(unique=True)
    """Of what comes back with the browser."""
    browser_sha256: Mapped[bytes]
    """Of what only this browser keeps."""
    nonce: Mapped[str]
    """What the provider has to put into its token."""
    verifier: Mapped[str]
    """What proves that the code was asked for by us (RFC 7636)."""
    back: Mapped[str]
    """The page that was wanted."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
