"""Preferences: how an account wants its pages."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from predella.errors import InvalidError
from predella.models import Account

Language = Literal["en", "nl"]
"""Those that the pages are written in."""


class Preferences(BaseModel):
    """How somebody wants their pages; what they never chose is as usual."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    single_keys: bool = Field(
        default=True, description="One letter without Ctrl or Alt decides on the review page."
    )
    language: Language | None = Field(
        default=None, description="Of the pages; none, for what the browser asks for."
    )


def of(account: Account) -> Preferences:
    """Return how this account wants its pages."""
    return Preferences.model_validate(account.preferences)


def choose(session: Session, account: Account, chosen: Mapping[str, Any]) -> Preferences:
    """Keep all preferences of an account; what is not named is as usual.

    Raises:
        InvalidError: there is no such preference, or it cannot have this value.
    """
    try:
        preferences = Preferences.model_validate(chosen)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InvalidError(f"preferences: {'; '.join(faults)}") from error
    account.preferences = preferences.model_dump(mode="json", exclude_defaults=True)
    session.flush()
    return preferences
