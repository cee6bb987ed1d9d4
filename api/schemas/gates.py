from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, field_validator

from api.schemas.base import In, Line, Out, Text
from predella.models import ObjectGate, Sensitivity

MAX_OBJECTS = 10_000
"""In one request."""

Reason = Annotated[Text, Field(max_length=2_000, description="Why; kept in the audit log.")]


class GatesChange(In):
    """What is to be different about an object from now on; what is left out stays."""

    sensitivity: Sensitivity | None = None
    sensitivity_note: Text | None = Field(None, description="For the curators alone.")
    ai_processing: bool | None = Field(None, description="Whether a model may see it.")
    exportable: bool | None = Field(None, description="Whether its text may leave.")
    embargo_until: date | None = Field(None, description="The first day on which it may leave.")
    rights_work: Line | None = Field(None, description="An address of a rights statement.")
    clear: list[Literal["sensitivity_note", "embargo_until", "rights_work"]] = Field(
        [], max_length=3, description="What is to be empty."
    )


class GatesPatch(GatesChange):
    """A change to one object, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"sensitivity": "restricted", "reason": "The community asked for it."}]
        }
    )

    reason: Reason


class ObjectChange(GatesChange):
    """A change to one object of many."""

    object_number: Line


class ManyGatesPatch(In):
    """Changes to many objects, for one reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "objects": [
                        {"object_number": "1925.12.3", "sensitivity": "restricted"},
                        {"object_number": "1925.12.4", "embargo_until": "2031-12-31"},
                    ],
                    "reason": "The community asked for it.",
                    "dry_run": True,
                }
            ]
        }
    )

    objects: list[ObjectChange] = Field(min_length=1, max_length=MAX_OBJECTS)
    reason: Reason
    dry_run: bool = Field(default=False, description="Only count what would change.")

    @field_validator("objects")
    @classmethod
    def _each_once(cls, objects: list[ObjectChange]) -> list[ObjectChange]:
        numbers = Counter(one.object_number for one in objects)
        if twice := [number for number, times in numbers.items() if times > 1]:
            raise ValueError(f"names {twice[0]!r} twice")
        return objects


class ManyGatesOut(Out):
    """What was changed, or would be."""

    objects: int = Field(description="Named.")
    changed: int = Field(description="Of which something is other than before.")
    closed: int = Field(description="That were open.")
    opened: int
    unknown: list[str] = Field(
        description="Numbers of which nothing was handed in; only a dry run answers with any."
    )


class GatesOut(Out):
    """What may be done with one object."""

    collection_id: UUID
    object_number: str
    sensitivity: Sensitivity
    sensitivity_note: str | None = Field(description="Null for who only reads; so is the reason.")
    ai_processing: bool
    exportable: bool
    embargo_until: date | None
    rights_work: str | None = Field(description="Without it a text is written and cannot leave.")
    is_open: bool = Field(description="Whether a model may see it, and people read its text.")
    kept_back_by: list[str] = Field(
        description="Other objects in its pictures whose gates keep texts about those back."
    )
    submission_id: UUID | None = Field(description="Whose manifest spoke last; else a person did.")
    account_id: UUID
    reason: str | None
    changed_at: datetime

    @classmethod
    def of(cls, gate: ObjectGate, beside: Sequence[str], *, in_full: bool = True) -> "GatesOut":
        """Write a gate out, with the objects beside its own; not in full, without the words."""
        own = {name: getattr(gate, name) for name in cls.model_fields if name != "kept_back_by"}
        words = {} if in_full else {"sensitivity_note": None, "reason": None}
        return cls(**own | words, kept_back_by=list(beside))
