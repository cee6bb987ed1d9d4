"""Rules: how texts are decided on and who may harvest them, where a collection chose."""

from collections.abc import Collection as Ids
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella.errors import InvalidError
from predella.models import Collection, Standing

_LEAST_SECONDS = 2.0
_WORDS_PER_SECOND = 10.0
"""600 a minute: faster than anybody reads with care."""


class ReviewRules(BaseModel):
    """How texts are decided on, and who may come for those that are approved."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"second_approver": True}]},
    )

    reading_floor: bool = Field(
        default=True,
        description="The desk takes no approval of a text before it can have been read.",
    )
    second_approver: bool = Field(
        default=False, description="Who wrote a wording cannot be the one who approves it."
    )
    export_sampled: bool = Field(
        default=False,
        description="What a lot accepted by sample leaves as what was approved does.",
    )
    open_to_harvesters: bool = Field(
        default=False,
        description="Anybody may harvest what is approved and free to leave, at `/oai`.",
    )


def of(collection: Collection) -> ReviewRules:
    """Return how texts of this collection are decided on."""
    return ReviewRules.model_validate(collection.review_rules)


def of_analyses(session: Session, analysis_ids: Ids[UUID]) -> Mapping[UUID, ReviewRules]:
    """Return how each of these analyses is decided on."""
    rows = session.execute(
        select(Standing.analysis_id, Collection.id, Collection.review_rules)
        .join(Collection, Collection.id == Standing.collection_id)
        .where(Standing.analysis_id.in_(analysis_ids))
    ).all()
    chosen = {row.id: row.review_rules for row in rows}
    rules = {id_: ReviewRules.model_validate(said) for id_, said in chosen.items()}
    return {row.analysis_id: rules[row.id] for row in rows}


def choose(session: Session, collection: Collection, chosen: Mapping[str, Any]) -> ReviewRules:
    """Have texts of this collection be decided on so from now on; what is not named is as usual.

    Raises:
        InvalidError: there is no such rule, or it cannot have this value.
    """
    try:
        rules = ReviewRules.model_validate(chosen)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InvalidError(f"review rules: {'; '.join(faults)}") from error
    collection.review_rules = rules.model_dump(mode="json", exclude_defaults=True)
    session.flush()
    return rules


def change(session: Session, collection: Collection, changed: Mapping[str, Any]) -> ReviewRules:
    """Have only these rules be other ones from now on; the rest stays as it is.

    Raises:
        InvalidError: there is no such rule, or it cannot have this value.
    """
    return choose(session, collection, {**of(collection).model_dump(), **changed})


def seconds_to_read(text: str) -> float:
    """Return how long a text is on screen at least before anybody can have read it."""
    return max(_LEAST_SECONDS, len(text.split()) / _WORDS_PER_SECOND)
