from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from api.schemas.base import In, Line, Out, Text
from predella.models import DEFAULT_PROMPT

_EXAMPLE: JsonDict = {
    "slug": "prints",
    "name": "Prints and drawings",
    "institution": "Museum of Examples",
    "bucket": "museum-images",
    "prefix": "prints/",
    "language": "en",
    "credit_line": "Museum of Examples, all rights reserved",
    "institution_uri": "https://www.wikidata.org/entity/Q190804",
    "text_rights": "https://creativecommons.org/licenses/by/4.0/",
    "prompt": "formal-analysis",
}

_CREDIT_LINE = "Printed with objects that have none of their own."
_INSTITUTION_URI = "Where that body is described: Wikidata, ISIL, GND."
_TEXT_RIGHTS = "The licence of the texts: of creativecommons.org or rightsstatements.org."
_CONCEPT_URI = "The museum's own term for a formal analysis, for Linked Art."
_PROMPT = "What it asks about its pictures: `name/version`, or the newest version of `name`."


_PATTERN = "How file names tell object numbers, for hand-ins that do not say it themselves."
_FIELD = "Which metadata of the pictures tells them first, for hand-ins that do not say it."


class CollectionIn(In):
    """A collection to open."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    slug: Line = Field(description="Its short name in commands: a-z, 0-9 and -.")
    name: Line
    institution: Line = Field(description="The legal body that answers for what it publishes.")
    bucket: Line = Field(description="One of the buckets that the operator allows.")
    prefix: Text = Field("", max_length=1000, description="Where its images lie; ends with /.")
    language: Line = Field("en", description="BCP 47 tag of the texts.")
    credit_line: Line | None = Field(None, description=_CREDIT_LINE)
    institution_uri: Line | None = Field(None, description=_INSTITUTION_URI)
    text_rights: Line | None = Field(None, description=_TEXT_RIGHTS)
    concept_uri: Line | None = Field(None, description=_CONCEPT_URI)
    prompt: Line = Field(DEFAULT_PROMPT, description=_PROMPT)
    number_pattern: Text | None = Field(None, max_length=500, description=_PATTERN)
    number_field: Text | None = Field(None, max_length=200, description=_FIELD)


class CollectionPatch(In):
    """What is to be different about a collection from now on; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"prompt": "sectioned", "credit_line": None}]}
    )

    name: Line | None = Field(None, description="Its name in full.")
    institution: Line | None = Field(
        None, description="The legal body that answers for what it publishes."
    )
    institution_uri: Line | None = Field(None, description=_INSTITUTION_URI)
    language: Line | None = Field(
        None, description="BCP 47 tag of the texts that are asked for from now on."
    )
    credit_line: Line | None = Field(None, description=_CREDIT_LINE)
    text_rights: Line | None = Field(None, description=_TEXT_RIGHTS)
    concept_uri: Line | None = Field(None, description=_CONCEPT_URI)
    prompt: Line | None = Field(None, description=_PROMPT)
    number_pattern: Text | None = Field(
        None, max_length=500, description=f"{_PATTERN} Empty: not at all."
    )
    number_field: Text | None = Field(
        None, max_length=200, description=f"{_FIELD} Empty: none does."
    )

    def facts(self) -> dict[str, str | None]:
        """Return what is to be said of it, by name; null takes something away."""
        other = {"prompt", "number_pattern", "number_field"}
        return self.model_dump(exclude_unset=True, exclude=other)


class CollectionOut(Out):
    """What a museum owns and we may read."""

    id: UUID
    created_at: datetime
    slug: str
    name: str
    institution: str
    institution_uri: str | None
    bucket: str
    prefix: str
    language: str
    credit_line: str | None
    text_rights: str | None
    concept_uri: str | None
    prompt_id: str
    number_pattern: str | None
    number_field: str | None
