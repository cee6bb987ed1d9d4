"""Releases: the exact identities of what wrote texts."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from predella import ids
from predella.ids import ReleaseId
from predella.models import Release
from predella.provenance import ReleaseSpec


def register(session: Session, spec: ReleaseSpec) -> ReleaseId:
    """Return the id of the release with exactly this identity, made when it is new."""
    session.execute(
        insert(Release)
        .values(
            id=ids.new(),
            digest=spec.digest(),
            model_name=spec.model_name,
            notice=spec.notice,
            base_model=spec.base_model,
            spec=spec.as_json(),
        )
        .on_conflict_do_nothing(index_elements=["digest"])
    )
    return ReleaseId(session.scalars(select(Release.id).filter_by(digest=spec.digest())).one())


def listed(session: Session) -> Sequence[Release]:
    """Return every release that ever served here, the newest first."""
    return session.scalars(select(Release).order_by(Release.id.desc())).all()
