from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from api.schemas.base import In, Line, Out
from predella.models import Role


class AccountIn(In):
    """An account to open."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "ines", "display_name": "Inês Example", "roles": ["curator", "approver"]}
            ]
        }
    )

    name: Line = Field(description="What the account signs in with: a-z 0-9 . _ @ -")
    display_name: Line = Field(description="The name under an approved text.")
    roles: list[Role] = Field(min_length=1)


class AccountOut(Out):
    """A person or system that acts under its own name."""

    id: UUID
    created_at: datetime
    name: str
    display_name: str
    roles: list[Role]
    disabled_at: datetime | None


class TokenIn(In):
    """A token to make."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "catalog system", "scopes": ["collections:read"]}]}
    )

    name: Line = Field(description="What it is for.")
    scopes: list[str] | None = Field(
        None, min_length=1, description="Left out: all that the account's roles allow today."
    )
    expires_at: AwareDatetime | None = None


class TokenOut(Out):
    """One key of an account, without its secret."""

    id: UUID
    created_at: datetime
    account_id: UUID
    name: str
    scopes: list[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewTokenOut(TokenOut):
    """A token just made; the only answer that ever holds its secret."""

    secret: str = Field(description="Send it as `Authorization: Bearer ...`. Not shown again.")


class PrincipalOut(Out):
    """Who asks, and what they may do with the token they sent."""

    account: AccountOut
    scopes: list[str]
