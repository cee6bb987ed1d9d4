"""What every table shares."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Enum, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from predella import clock, ids

type_map = {
    datetime: DateTime(timezone=True),
    dict[str, object]: JSONB,
    dict[str, str]: JSONB,
    dict[str, float]: JSONB,
    list[object]: JSONB,
    enum.Enum: Enum(
        enum.Enum,
        native_enum=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    ),
}


class Base(DeclarativeBase):
    """Declarative base: naming rules and the column types of our annotations."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = type_map


class Record(Base):
    """A table with our two standard columns."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.new, sort_order=-2)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=-1)
