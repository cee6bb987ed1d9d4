from datetime import datetime
from hashlib import sha256
from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, computed_field

from api.schemas.base import In, Line, Out
from predella.models import Membership, Role


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
    roles: list[Role] = Field(
        default_factory=list, description="Those that hold in every collection."
    )


class AccountPatch(In):
    """What is to change of an account; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"roles": ["curator"]}]})

    display_name: Line | None = Field(None, description="The name under an approved text.")
    roles: list[Role] | None = Field(
        None, description="All the roles that hold in every collection; `[]` for none."
    )


class AccountOut(Out):
    """A person or system that acts under its own name."""

    id: UUID
    created_at: datetime
    name: str
    display_name: str
    roles: list[Role] = Field(description="Those that hold in every collection.")
    disabled_at: datetime | None

    @computed_field(description="Names this state; send it as `If-Match`.")  # type: ignore[prop-decorator]
    @property
    def etag(self) -> str:
        """The strong entity tag of what can change."""
        state = f"{self.display_name}\n{self.roles}\n{self.disabled_at}"
        return f'"{sha256(state.encode()).hexdigest()[:16]}"'


class MembershipIn(In):
    """All the roles that an account is to have in one collection alone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"roles": ["curator", "approver"]}]})

    roles: list[Role] = Field(min_length=1)


class MembershipOut(Out):
    """The roles of an account in one collection, beside those that it has in every one."""

    collection_id: UUID
    collection: str = Field(description="The collection's slug.")
    roles: list[Role]

    @classmethod
    def of(cls, membership: Membership) -> Self:
        """Show one, read with its collection."""
        return cls(
            collection_id=membership.collection_id,
            collection=membership.collection.slug,
            roles=[Role(role) for role in membership.roles],
        )


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


class ReachOut(Out):
    """What they may do in one collection, whatever they may do elsewhere."""

    collection_id: UUID
    collection: str = Field(description="The collection's slug.")
    scopes: list[str]


class PrincipalOut(Out):
    """Who asks, and what they may do with the token they sent."""

    account: AccountOut
    scopes: list[str] = Field(description="In the whole house, and so in every collection.")
    collections: list[ReachOut] = Field(description="Those in which they may do more than that.")
