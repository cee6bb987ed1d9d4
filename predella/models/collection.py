from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record
from predella.models.prompt import DEFAULT_PROMPT


class Collection(Record):
    """What a museum owns and we may read."""

    __tablename__ = "collection"
    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name="slug"),
        CheckConstraint("prefix = '' OR prefix LIKE '%/'", name="prefix_ends_with_slash"),
        CheckConstraint("institution_uri ~ '^https?://'", name="institution_uri"),
        CheckConstraint("text_rights ~ '^https?://'", name="text_rights"),
        CheckConstraint("concept_uri ~ '^https?://'", name="concept_uri"),
    )

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    institution: Mapped[str]
    """The legal body that holds editorial responsibility for what it publishes."""
    institution_uri: Mapped[str | None]
    """Where that body is described, as in Wikidata, ISIL or GND."""
    bucket: Mapped[str]
    prefix: Mapped[str]
    """Every image of the collection lies under it; empty for a whole bucket."""
    language: Mapped[str] = mapped_column(default="en")
    """BCP 47 tag of the texts."""
    credit_line: Mapped[str | None]
    """Printed with objects that have none of their own."""
    text_rights: Mapped[str | None]
    """Under which licence the texts are handed on: its URI, see ``formats.rights``."""
    concept_uri: Mapped[str | None]
    """The museum's own term for a formal analysis."""
    prompt_id: Mapped[str] = mapped_column(ForeignKey("prompt.id"), default=DEFAULT_PROMPT)
    """What is asked about the pictures that are handed in from now on."""
    number_pattern: Mapped[str | None]
    """How file names tell object numbers, for hand-ins that say nothing of it."""
    number_field: Mapped[str | None]
    """Which field of the pictures' metadata tells them, for hand-ins that say nothing of it."""
    thresholds: Mapped[dict[str, object]] = mapped_column(default=dict)
    """From where on the checks speak, where it is not as usual: ``checks.Thresholds``."""
    review_rules: Mapped[dict[str, object]] = mapped_column(default=dict)
    """How texts are decided on, where it is not as usual: ``services.rules.ReviewRules``."""
