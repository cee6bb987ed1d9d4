from datetime import datetime

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from api.schemas.base import In, Line, Out, Text
from predella.models import PromptKind

_EXAMPLE: JsonDict = {
    "name": "hands",
    "kind": "element",
    "text": "Please write a paragraph about how hands are drawn in this painting.",
}


class SectionIn(In):
    """One heading of a text in sections, and what is asked under it."""

    heading: Line
    prompt: Line = Field(description="`name/version`, or the newest version of `name`.")


class PromptIn(In):
    """A new wording: either one question, or sections."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Line = Field(description="a-z, 0-9 and -; an existing one gets a new version.")
    kind: PromptKind
    text: Text | None = None
    sections: list[SectionIn] = Field(default=[], description="In the order of the text.")


class SectionOut(Out):
    """One heading of a text in sections, and what is asked under it."""

    heading: str
    prompt_id: str


class PromptOut(Out):
    """One version of what a model is asked about a picture; it never changes."""

    id: str
    created_at: datetime
    name: str
    version: int
    kind: PromptKind
    text: str | None
    sections: list[SectionOut] | None
