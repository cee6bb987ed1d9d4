import json
from pathlib import Path

import pytest

from worker.engine import identity


def _checkpoint(directory: Path, **config: object) -> Path:
    (directory / "config.json").write_text(json.dumps(config), "utf-8")
    return directory


class TestBaseModel:
    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ("owner/Model-7B", "owner/Model-7B"),
            ("Model-7B", "Model-7B"),
            ("./share4v/llava-7b", "llava-7b"),
            ("/home/somebody/models/llava-7b/", "llava-7b"),
            ("C:\\models\\llava-7b", "llava-7b"),
            ("", None),
            (None, None),
            ("..", None),
            ("a model of ours, see the note", None),
        ],
    )
    def test_is_a_name_and_never_somebodys_path(
        self, tmp_path: Path, said: str | None, told: str | None
    ) -> None:
        assert identity.base_model(_checkpoint(tmp_path, _name_or_path=said), None) == told

    def test_comes_with_its_revision(self, tmp_path: Path) -> None:
        directory = _checkpoint(tmp_path, _name_or_path="owner/model", _commit_hash="ab12")

        assert identity.base_model(directory, None) == "owner/model@ab12"

    def test_is_what_the_adapter_says_before_what_lies_below_it(self, tmp_path: Path) -> None:
        directory = _checkpoint(tmp_path, _name_or_path="owner/model")
        adapter = tmp_path / "adapter"
        adapter.mkdir()
        said = {"base_model_name_or_path": "owner/other", "revision": "v2"}
        (adapter / "adapter_config.json").write_text(json.dumps(said), "utf-8")

        assert identity.base_model(directory, adapter) == "owner/other@v2"

    @pytest.mark.parametrize("content", [None, "", "[]", "not JSON"])
    def test_is_not_known_where_nothing_tells_it(self, tmp_path: Path, content: str | None) -> None:
        if content is not None:
            (tmp_path / "config.json").write_text(content, "utf-8")

        assert identity.base_model(tmp_path, None) is None
