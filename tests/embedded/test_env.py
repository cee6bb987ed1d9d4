import json
import stat
from pathlib import Path

import pytest

from predella.embedded.env import read_env, write_env
from predella.settings import Settings


class TestWriteEnv:
    @pytest.mark.parametrize(
        "value", ["/a folder/été", "it's", 'say "x"', "back\\slash", "a#b", " spaces ", "$HOME"]
    )
    def test_is_read_back_as_written(self, tmp_path: Path, value: str) -> None:
        write_env(tmp_path / "env", {"PREDELLA_MODEL_DIR": value, "PREDELLA_BUCKET": "b"})

        assert read_env(tmp_path / "env") == {"PREDELLA_MODEL_DIR": value, "PREDELLA_BUCKET": "b"}

    def test_reaches_the_settings(self, tmp_path: Path) -> None:
        path = tmp_path / "env"
        write_env(
            path,
            {"PREDELLA_API_PORT": "8123", "PREDELLA_SOURCE_BUCKETS": json.dumps(["one", "two"])},
        )

        settings = Settings(_env_file=path)

        assert settings.api_port == 8123
        assert settings.source_buckets == {"one", "two"}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


class TestReadEnv:
    def test_finds_nothing_where_there_is_no_file(self, tmp_path: Path) -> None:
        assert read_env(tmp_path / "env") == {}
