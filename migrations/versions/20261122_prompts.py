"""prompts, and what each collection asks"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b4e9d2a71c05"
down_revision = "7c1d0f3a9e42"

_DEFAULT = "formal-analysis/1"
_RULES = "Describe only what can be seen. Do not name the title, the artist, the period or a style."


def _about(what: str) -> str:
    return f"Please write a paragraph about {what} in this painting. {_RULES}"


_ELEMENTS = {
    "line": ("Line", _about("the use of line: its direction, its weight and its rhythm")),
    "shape-and-form": (
        "Shape and form",
        _about("shape and form: outlines, masses, and how far they seem flat or solid"),
    ),
    "space": (
        "Space",
        _about("space: depth, overlapping, the point of view, and what is left empty"),
    ),
    "colour": (
        "Colour",
        _about("colour: the hues, how warm and how saturated they are, and how they contrast"),
    ),
    "value-and-light": (
        "Value and light",
        _about("value and light: light and dark, where the light falls, and how shadows model"),
    ),
    "texture-and-brushwork": (
        "Texture and brushwork",
        _about("texture and brushwork: the surface, the strokes that show, and how paint lies"),
    ),
    "composition": (
        "Composition and focal point",
        _about("the composition: balance, movement, and the point to which the eye is led"),
    ),
}
_OTHERS = {
    "formal-analysis": (
        "formal_analysis",
        "Please write a paragraph of formal analysis for this painting.",
    ),
    "alt-text": (
        "alt_text",
        (
            "Please write one sentence of at most 25 words that tells somebody who cannot see this"
            " picture what it shows. Do not begin with the words image or picture. Do not name the"
            " title, the artist, the period or a style."
        ),
    ),
    "long-description": (
        "long_description",
        (
            "Please describe this picture in three or four paragraphs for somebody who cannot see"
            " it: first the whole, then its parts from the foreground to the background, then"
            f" colour and light. {_RULES}"
        ),
    ),
}


def _rows() -> list[dict[str, object]]:
    asked = {name: (kind, text, None) for name, (kind, text) in _OTHERS.items()}
    asked |= {name: ("element", text, None) for name, (_, text) in _ELEMENTS.items()}
    sections = [
        {"heading": heading, "prompt_id": f"{name}/1"} for name, (heading, _) in _ELEMENTS.items()
    ]
    asked["sectioned"] = ("formal_analysis", None, json.dumps(sections))
    return [
        {"name": name, "kind": kind, "text": text, "sections": parts}
        for name, (kind, text, parts) in asked.items()
    ]


_SEED = sa.text("""
    INSERT INTO prompt (id, created_at, name, version, kind, text, sections)
    VALUES (:name || '/1', now(), :name, 1, :kind, :text, CAST(:sections AS jsonb))
""").bindparams(sa.bindparam("name", type_=sa.String()))


def _choose(table: str) -> None:
    op.add_column(
        table, sa.Column("prompt_id", sa.String(), nullable=False, server_default=_DEFAULT)
    )
    op.alter_column(table, "prompt_id", server_default=None)
    op.create_foreign_key(op.f(f"fk_{table}_prompt_id"), table, "prompt", ["prompt_id"], ["id"])


def upgrade() -> None:
    op.create_table(
        "prompt",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "formal_analysis",
                "element",
                "alt_text",
                "long_description",
                name="promptkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column(
            "sections",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
        sa.CheckConstraint("id = name || '/' || version", name=op.f("ck_prompt_id")),
        sa.CheckConstraint("name ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name=op.f("ck_prompt_name")),
        sa.CheckConstraint("version > 0", name=op.f("ck_prompt_version")),
        sa.CheckConstraint(
            "num_nonnulls(text, sections) = 1", name=op.f("ck_prompt_text_or_sections")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_prompt_name_version")),
    )
    op.get_bind().execute(_SEED, _rows())
    op.execute(
        "CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON prompt "
        "FOR EACH STATEMENT EXECUTE FUNCTION predella_refuse_change()"
    )
    op.add_column(
        "release",
        sa.Column(
            "prompt_id",
            sa.String(),
            sa.Computed("spec ->> 'prompt_id'", persisted=True),
            nullable=False,
        ),
    )
    op.create_foreign_key(op.f("fk_release_prompt_id"), "release", "prompt", ["prompt_id"], ["id"])
    _choose("collection")
    _choose("item")


def downgrade() -> None:
    op.drop_column("item", "prompt_id")
    op.drop_column("collection", "prompt_id")
    op.drop_column("release", "prompt_id")
    op.drop_table("prompt")
