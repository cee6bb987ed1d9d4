"""What the README says of the settings is what the settings are."""

from pathlib import Path

from pydantic import SecretStr

from predella.settings import Settings
from worker.engine import identity

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


def test_the_analysis_shown_is_by_the_model_that_is_bundled() -> None:
    weights = identity.weights_sha256(README.parent / "worker" / "demo_model")

    assert f"Weights `{weights[:12]}" in README.read_text()
