import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from predella.settings import Settings
from tests.worker.engine.conftest import Open
from worker import engine
from worker.engine import CheckpointError
from worker.engine.errors import PromptError
from worker.engine.prompts import FORMAL_ANALYSIS
from worker.images import PREPROCESSING
from worker.images.prepared import EXACT_PREPROCESSING


@pytest.fixture
def copy(directory: Path, tmp_path: Path) -> Path:
    return shutil.copytree(directory, tmp_path / "copy")


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


class TestLoad:
    def test_chooses_by_name_without_needing_a_model(self) -> None:
        loaded = engine.load(Settings(engine="trivial", batch_size=3))

        assert loaded.release.model_name == "trivial"
        assert loaded.batch_size == 3

    def test_says_which_setting_is_missing(self) -> None:
        with pytest.raises(CheckpointError, match="PREDELLA_MODEL_DIR"):
            engine.load(Settings(engine="auto", model_dir=None))

    def test_loads_what_the_settings_say(self, directory: Path) -> None:
        loaded = engine.load(Settings(model_dir=directory, device="cpu", max_new_tokens=7))

        assert loaded.device == "cpu"
        assert loaded.release.decoding["max_new_tokens"] == 7

    def test_names_how_exactly_pictures_are_prepared_in_the_release(self, directory: Path) -> None:
        settings = Settings(model_dir=directory, device="cpu", exact_prepare=True)

        assert engine.load(settings).release.preprocessing == EXACT_PREPROCESSING


class TestRefuses:
    def test_an_empty_directory(self, opened: Open, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match="no config"):
            opened(tmp_path)

    def test_the_form_of_the_original_release(self, opened: Open, copy: Path) -> None:
        edit(copy / "config.json", lambda config: config.pop("vision_config"))

        with pytest.raises(CheckpointError, match="convert the original release"):
            opened(copy)

    def test_weights_that_could_run_code(self, opened: Open, copy: Path) -> None:
        (copy / "model.safetensors").rename(copy / "pytorch_model.bin")

        with pytest.raises(CheckpointError, match="safetensors"):
            opened(copy)

    def test_a_weight_that_would_silently_stay_random(self, opened: Open, copy: Path) -> None:
        weights = load_file(copy / "model.safetensors")
        name = next(name for name in weights if "mlp.down_proj" in name)
        del weights[name]
        save_file(weights, copy / "model.safetensors", {"format": "pt"})

        with pytest.raises(CheckpointError, match=r"do not fit.*down_proj"):
            opened(copy)

    def test_damaged_weights(self, opened: Open, copy: Path) -> None:
        with (copy / "model.safetensors").open("r+b") as file:
            file.truncate(1_000_000)

        with pytest.raises(CheckpointError):
            opened(copy)

    def test_a_wrong_number_of_places_for_the_picture(self, opened: Open, copy: Path) -> None:
        edit(
            copy / "processor_config.json", lambda said: said.update(num_additional_image_tokens=0)
        )

        with pytest.raises(CheckpointError, match="63 places for the picture, its model 64"):
            opened(copy)

    def test_pixels_normalised_in_another_way(self, opened: Open, copy: Path) -> None:
        edit(
            copy / "processor_config.json",
            lambda said: said["image_processor"].update(do_normalize=False),
        )

        with pytest.raises(CheckpointError, match="do_normalize"):
            opened(copy)

    def test_pixels_of_another_size(self, opened: Open, copy: Path) -> None:
        edit(
            copy / "processor_config.json",
            lambda said: said["image_processor"].update(size={"shortest_edge": 84}),
        )

        with pytest.raises(CheckpointError, match="makes 84 or 96 pixels, its model takes 96"):
            opened(copy)

    def test_more_new_tokens_than_there_is_room_for(self, opened: Open) -> None:
        with pytest.raises(PromptError, match="PREDELLA_MAX_NEW_TOKENS"):
            opened(most=1000)

    def test_a_release_file_with_a_misspelt_field(self, opened: Open, copy: Path) -> None:
        edit(copy / "release.json", lambda said: said.update(notize="x"))

        with pytest.raises(CheckpointError, match="notize"):
            opened(copy)


class TestRelease:
    def test_is_the_same_for_the_same_files_wherever_they_lie(
        self, opened: Open, copy: Path
    ) -> None:
        assert opened(copy).release == opened().release
        assert opened(copy).release.digest() == opened().release.digest()

    def test_changes_with_one_weight(self, opened: Open, copy: Path) -> None:
        weights = load_file(copy / "model.safetensors")
        next(iter(weights.values())).view(-1)[0] += 1
        save_file(weights, copy / "model.safetensors", {"format": "pt"})

        assert opened(copy).release.weights_sha256 != opened().release.weights_sha256

    def test_carries_what_must_stand_by_every_text(self, opened: Open) -> None:
        release = opened().release

        assert release.notice is not None
        assert "random weights" in release.notice
        assert release.template == "vicuna_v1"
        assert release.dtype == "float32"
        assert release.preprocessing == PREPROCESSING
        assert release.decoding["picture_side"] == 96
        assert release.prompt_rendered.endswith(f"USER: <image>\n{FORMAL_ANALYSIS.text} ASSISTANT:")

    def test_is_named_after_its_directory_when_it_says_nothing(
        self, opened: Open, copy: Path
    ) -> None:
        (copy / "release.json").unlink()

        release = opened(copy).release

        assert (release.model_name, release.notice) == ("copy", None)
