"""What the README says of the settings is what the settings are."""

from pathlib import Path

from pydantic import SecretStr

from predella.settings import Settings

README = Path(__file__).parent.parent / "README.md"


def _shown(default: object) -> str:
    value = default.get_secret_value() if isinstance(default, SecretStr) else default
    if value is None:
        return "unset"
    return "`[]`" if value == frozenset() else f"`{value}`"


def settings_table() -> str:
    """Return the README's table, made from the settings themselves."""
    rows = [
        f"| `PREDELLA_{name.upper()}` | {_shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | what it is |", "|---|---|---|", *rows])


def test_the_settings_table_is_complete_and_true() -> None:
    assert settings_table() in README.read_text(), f"put this into README.md:\n{settings_table()}"
