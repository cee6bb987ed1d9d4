"""What every shape of the API shares."""

from typing import Annotated, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

Row = TypeVar("Row")


class In(BaseModel):
    """Something sent to us: an unknown field is an error, not a silent loss."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """Something we answer with, read from a row or a dataclass."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Page(BaseModel, Generic[Row]):
    """One page of a list, oldest first."""

    data: list[Row]
    next: str | None = Field(description="Cursor of the next page; null on the last one.")


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Any text that a database can hold."""

Line = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
"""A short text, such as a name or a title."""


def _as_hex(digest: object) -> object:
    return digest.hex() if isinstance(digest, bytes) else digest


Hex = Annotated[str, BeforeValidator(_as_hex)]
"""A digest, stored as bytes and shown as hexadecimal."""
