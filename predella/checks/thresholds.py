"""From where on a check speaks; each collection may choose its own."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from predella.checks.finding import CheckName, Severity

Share = Annotated[float, Field(ge=0, le=1)]


def _storable(name: str) -> str:
    if "\0" in name:
        raise ValueError("must not contain the character NUL")
    return name


Name = Annotated[str, AfterValidator(_storable)]
_CLOSED = ConfigDict(extra="forbid", frozen=True)


class Lengths(BaseModel):
    """How many words one kind of text has."""

    model_config = _CLOSED

    least: int = Field(ge=0, le=10_000)
    most: int = Field(ge=1, le=10_000)


class LengthThresholds(BaseModel):
    """How many words a text has, by the kind of text that was asked for."""

    model_config = _CLOSED

    formal_analysis: Lengths = Lengths(least=40, most=320)
    element: Lengths = Lengths(least=15, most=200)
    alt_text: Lengths = Lengths(least=4, most=40)
    long_description: Lengths = Lengths(least=60, most=700)

    def of(self, kind: str) -> Lengths:
        """Return those of one kind of text."""
        found: Lengths = getattr(self, kind, self.formal_analysis)
        return found


class Thresholds(BaseModel):
    """From where on each check speaks, and how loudly."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "off": ["reused_sentence"],
                    "severities": {"date": "hard"},
                    "length": {"formal_analysis": {"least": 60, "most": 400}},
                    "names_allowed": ["Barbara", "Jerome"],
                }
            ]
        },
    )

    off: frozenset[CheckName] = Field(frozenset(), description="Checks that are not run.")
    severities: dict[CheckName, Severity] = Field(
        default_factory=dict, description="By check; for all that it finds."
    )
    length: LengthThresholds = LengthThresholds()
    colour_share: Share = Field(
        0.002, description="A colour on less of the picture counts as absent."
    )
    similarity: Share = Field(
        0.7, description="Share of three-word runs in common that makes near-duplicates."
    )
    reused_in: int = Field(
        10, ge=1, le=1_000, description="Works that may share a sentence before it is told."
    )
    names_allowed: frozenset[Name] = Field(
        frozenset(), description="Names that may stand in texts, such as those of saints."
    )
