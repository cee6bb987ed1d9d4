import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.worker import golden
from tests.worker.conftest import bring_in
from tests.worker.importing.conftest import Release
from tests.worker.importing.files import RunsCode, cut, edit, repickle
from worker.engine import identity
from worker.importing import ReleaseFileError, importer, record
from worker.importing.importer import OutputError

SHARD_1, SHARD_2 = (f"pytorch_model-0000{number}-of-00002.bin" for number in (1, 2))
INDEX = "pytorch_model.bin.index.json"


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return {
        name: tensor
        for file in sorted(directory.glob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }


def digests(directory: Path) -> dict[str, str]:
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in directory.glob("*.safetensors")
    }


class TestWhatIsWritten:
    def test_loads_with_nothing_missing_unexpected_or_mismatched(self, imported: Path) -> None:
        import transformers

        hub: Any = transformers
        _, report = hub.LlavaForConditionalGeneration.from_pretrained(
            imported, local_files_only=True, output_loading_info=True
        )

        assert not any(report.values())

    def test_says_what_it_was_made_from(self, imported: Path) -> None:
        assert identity.about(imported).base_model == "ShareGPT4V-7B"
        assert identity.base_model(imported, None) == "ShareGPT4V-7B"

    def test_is_the_same_whichever_way_the_adapter_was_saved(
        self, imported: Path, tmp_path: Path
    ) -> None:
        checkpoint = shutil.copytree(golden.ADAPTER, tmp_path / "checkpoint-8")
        edit(checkpoint / "config.json", use_cache=False)
        for name in ("optimizer.pt", "training_args.bin", "rng_state.pth"):
            (checkpoint / name).write_bytes(b"\x80\x04 never opened")

        pickled = bring_in(tmp_path / "bin", adapter=golden.ADAPTER_BIN)
        trainers = bring_in(tmp_path / "trainer", adapter=checkpoint)

        assert digests(pickled) == digests(trainers) == digests(imported)
        assert json.loads((trainers / "config.json").read_text())["text_config"]["use_cache"]

    def test_is_the_same_from_a_base_in_safetensors(self, imported: Path, release: Release) -> None:
        places: dict[str, str] = {}
        for number, name in enumerate((SHARD_1, SHARD_2), 1):
            table = torch.load(release.base / name, weights_only=True)
            (release.base / name).unlink()
            shard = f"model-0000{number}-of-00002.safetensors"
            save_file({key: value.clone() for key, value in table.items()}, release.base / shard)
            places |= dict.fromkeys(table, shard)
        (release.base / INDEX).unlink()
        index = release.base / "model.safetensors.index.json"
        index.write_text(json.dumps({"weight_map": places}))

        assert digests(release.bring_in()) == digests(imported)

    def test_takes_the_base_with_its_own_configuration(
        self, imported: Path, release: Release
    ) -> None:
        edit(
            release.base / "config.json",
            model_type="share4v",
            architectures=["Share4VLlamaForCausalLM"],
        )

        assert digests(release.bring_in()) == digests(imported)

    def test_reads_a_small_file_from_before_pytorch_1_6(
        self, imported: Path, release: Release
    ) -> None:
        file = release.adapter / "non_lora_trainables.bin"
        table = torch.load(file, weights_only=True)
        torch.save(table, file, _use_new_zipfile_serialization=False)

        assert digests(release.bring_in()) == digests(imported)

    def test_leaves_out_a_vision_tower_inside_the_base(
        self, imported: Path, release: Release
    ) -> None:
        name = "model.vision_tower.vision_tower.vision_model.post_layernorm.bias"
        repickle(release.base / SHARD_2, lambda table: table.update({name: torch.ones(48)}))
        places = json.loads((release.base / INDEX).read_text())["weight_map"]
        edit(release.base / INDEX, weight_map=places | {name: SHARD_2})

        assert digests(release.bring_in()) == digests(imported)

    def test_is_spread_over_shards_that_load_as_one(
        self, imported: Path, release: Release, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from worker.importing import shards

        monkeypatch.setattr(shards.write, "__kwdefaults__", {"largest": 300_000})

        out = release.bring_in()

        index = json.loads((out / "model.safetensors.index.json").read_text())
        files = sorted(path.name for path in out.glob("*.safetensors"))
        assert len(files) > 3
        assert sorted(set(index["weight_map"].values())) == files
        assert re.fullmatch(r"model-00001-of-0000\d\.safetensors", files[0])
        whole, spread = weights(imported), weights(out)
        assert whole.keys() == spread.keys()
        assert all(torch.equal(whole[name], spread[name]) for name in whole)

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    def test_is_rounded_once(self, imported: Path, release: Release, dtype: str) -> None:
        exact, half = weights(imported), weights(release.bring_in(dtype))

        kind = getattr(torch, dtype)
        assert {value.dtype for value in half.values()} == {kind}
        assert all(torch.equal(exact[name].to(kind), half[name]) for name in exact)


class TestRecord:
    def test_has_the_digest_of_every_file_on_both_sides(
        self, imported: Path, release: Release
    ) -> None:
        record = json.loads((imported / "release.json").read_text())

        files = {path.name for path in imported.iterdir()} - {"release.json"}
        assert record["import"]["files"].keys() == files
        for name, one in record["import"]["files"].items():
            assert one == described(imported / name)
        for part, directory in (
            ("base", release.base),
            ("vision_tower", release.tower),
            ("adapter", release.adapter),
        ):
            for name, one in record["import"]["sources"][part].items():
                assert one == described(directory / name)

    def test_names_every_source_file_that_was_used_and_no_other(self, imported: Path) -> None:
        sources = json.loads((imported / "release.json").read_text())["import"]["sources"]

        assert {part: sorted(files) for part, files in sources.items()} == {
            "base": ["config.json", SHARD_1, SHARD_2, INDEX, "tokenizer.model"],
            "vision_tower": ["config.json", "preprocessor_config.json", "pytorch_model.bin"],
            "adapter": [
                "adapter_config.json",
                "adapter_model.safetensors",
                "config.json",
                "non_lora_trainables.bin",
            ],
        }

    def test_tells_terms_and_tools(self, imported: Path) -> None:
        record = json.loads((imported / "release.json").read_text())

        assert record["template"] == "vicuna_v1"
        assert "Apache-2.0" in str(record["import"]["licences"])
        assert "research use only" in str(record["import"]["licences"])
        assert record["import"]["tools"]["torch"] == torch.__version__

    def test_is_the_same_every_time(self, imported: Path, release: Release) -> None:
        again = release.bring_in()

        assert (again / "release.json").read_text() == (imported / "release.json").read_text()


def described(file: Path) -> dict[str, object]:
    content = file.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


class TestRefuses:
    """Each names the file, says what to do, and leaves nothing behind."""

    @pytest.fixture(autouse=True)
    def _nothing_is_left(self, release: Release) -> Any:
        yield
        assert not list(release.out.parent.glob("*release*"))
        assert not list(release.out.parent.glob(".*"))

    def refused(self, release: Release, file: Path, *words: str) -> str:
        with pytest.raises(ReleaseFileError) as caught:
            release.bring_in()
        message = str(caught.value)
        assert caught.value.file == file
        assert message.startswith(f"{file}: ")
        assert "; " in message
        for word in words:
            assert word in message
        return message

    def test_a_missing_shard(self, release: Release) -> None:
        (release.base / SHARD_2).unlink()

        self.refused(release, release.base / SHARD_2, "missing", "one of 2 files")

    @pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
    def test_a_truncated_shard(self, release: Release, share: float) -> None:
        cut(release.base / SHARD_1, share)

        self.refused(release, release.base / SHARD_1, "cut off or damaged", "download it again")

    def test_a_truncated_safetensors(self, release: Release) -> None:
        file = release.adapter / "adapter_model.safetensors"
        cut(file)

        self.refused(release, file, "cut off or damaged")

    def test_a_pickle_with_code_and_does_not_run_it(self, release: Release, tmp_path: Path) -> None:
        mark = tmp_path / "it ran"
        repickle(release.tower / "pytorch_model.bin", lambda table: table.update(x=RunsCode(mark)))

        self.refused(release, release.tower / "pytorch_model.bin", "could run code", "delete it")
        assert not mark.exists()

    def test_a_pickle_of_the_old_form_with_code(self, release: Release, tmp_path: Path) -> None:
        mark = tmp_path / "it ran"
        file = release.adapter / "non_lora_trainables.bin"
        torch.save({"x": RunsCode(mark)}, file, _use_new_zipfile_serialization=False)

        self.refused(release, file, "could run code")
        assert not mark.exists()

    @pytest.mark.parametrize(
        "name",
        ["../secret.bin", "/etc/passwd", "sub/shard.bin", "..\\secret.bin", "..", "", 7, "a.txt"],
    )
    def test_a_path_that_leads_out_of_the_directory(self, release: Release, name: object) -> None:
        places = json.loads((release.base / INDEX).read_text())["weight_map"]
        edit(release.base / INDEX, weight_map=places | {"lm_head.weight": name})

        self.refused(release, release.base / INDEX, repr(name), "do not use it")

    def test_an_index_of_other_shards(self, release: Release) -> None:
        repickle(release.base / SHARD_1, lambda table: table.popitem())

        self.refused(release, release.base / SHARD_1, "do not belong together")

    def test_shards_without_an_index(self, release: Release) -> None:
        (release.base / INDEX).unlink()

        self.refused(release, release.base, "no index")

    def test_an_unknown_weight(self, release: Release) -> None:
        file = release.tower / "pytorch_model.bin"
        repickle(file, lambda table: table.update({"text_model.x": torch.ones(1)}))

        self.refused(release, file, "text_model.x is unknown")

    def test_a_weight_of_a_layer_that_the_model_does_not_have(self, release: Release) -> None:
        for part in (release.base, release.adapter):
            edit(part / "config.json", num_hidden_layers=2)

        with pytest.raises(ReleaseFileError, match=r"layers\.2.* has no place"):
            release.bring_in()

    def test_a_missing_weight(self, release: Release) -> None:
        file = release.tower / "pytorch_model.bin"
        repickle(file, lambda table: table.pop("vision_model.post_layernorm.bias"))

        self.refused(release, release.tower, "post_layernorm.bias")

    def test_a_weight_of_a_wrong_shape(self, release: Release) -> None:
        file = release.tower / "pytorch_model.bin"
        name = "vision_model.post_layernorm.bias"
        repickle(file, lambda table: table.update({name: torch.ones(47)}))

        self.refused(release, file, name, "[47], not [48]")

    def test_weights_that_are_not_numbers(self, release: Release) -> None:
        file = release.tower / "pytorch_model.bin"
        name = "vision_model.post_layernorm.bias"
        repickle(file, lambda table: table.update({name: torch.full((48,), torch.nan)}))

        self.refused(release, file, name, "not finite")

    def test_weights_too_large_for_half_precision(self, release: Release) -> None:
        file = release.tower / "pytorch_model.bin"
        name = "vision_model.post_layernorm.bias"
        repickle(file, lambda table: table.update({name: torch.full((48,), 1e6)}))

        with pytest.raises(ReleaseFileError, match=r"not finite in float16.*bfloat16"):
            release.bring_in("float16")

    def test_quantised_weights(self, release: Release) -> None:
        file = release.base / SHARD_1
        name = "model.layers.0.self_attn.q_proj.weight"
        repickle(file, lambda table: table.update({name: table[name].to(torch.int8)}))

        self.refused(release, file, name, "quantised")

    def test_the_directory_above_a_trainer_checkpoint(self, release: Release) -> None:
        inside = release.adapter / "checkpoint-8"
        inside.mkdir()
        for file in list(release.adapter.iterdir()):
            if file.is_file():
                file.rename(inside / file.name)

        self.refused(release, release.adapter / "adapter_config.json", "did you mean", str(inside))

    def test_an_adapter_without_its_projector(self, release: Release) -> None:
        (release.adapter / "non_lora_trainables.bin").unlink()

        self.refused(release, release.adapter / "non_lora_trainables.bin", "missing")

    def test_half_an_adapter(self, release: Release) -> None:
        file = release.adapter / "adapter_model.safetensors"
        table = load_file(file)
        table.pop(min(table))
        save_file(table, file)

        self.refused(release, file, "half an adapter")

    def test_an_adapter_of_another_rank(self, release: Release) -> None:
        edit(release.adapter / "adapter_config.json", r=16)

        self.refused(release, release.adapter / "adapter_model.safetensors", "rank is 16")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("peft_type", "IA3"),
            ("bias", "all"),
            ("use_dora", True),
            ("modules_to_save", ["lm_head"]),
            ("layers_to_transform", [1]),
        ],
    )
    def test_an_adapter_of_another_kind(self, release: Release, field: str, value: object) -> None:
        edit(release.adapter / "adapter_config.json", **{field: value})

        self.refused(release, release.adapter / "adapter_config.json", field)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("mm_projector_type", "linear"),
            ("mm_vision_select_feature", "cls_patch"),
            ("image_aspect_ratio", "anyres"),
            ("rope_scaling", {"type": "linear", "factor": 2.0}),
            ("tie_word_embeddings", True),
            ("rms_norm_eps", None),
            ("vocab_size", "1024"),
        ],
    )
    def test_another_model(self, release: Release, field: str, value: object) -> None:
        edit(release.adapter / "config.json", **{field: value})

        self.refused(release, release.adapter / "config.json", field)

    def test_another_vision_tower(self, release: Release) -> None:
        edit(release.tower / "config.json", hidden_size=64)

        self.refused(release, release.tower / "config.json", "expects 48")

    def test_a_tower_that_wants_other_colours(self, release: Release) -> None:
        edit(release.tower / "preprocessor_config.json", image_mean=[0.5, 0.5, 0.5])

        self.refused(release, release.tower / "preprocessor_config.json", "image_mean")

    def test_a_base_that_is_converted_already(self, release: Release) -> None:
        edit(release.base / "config.json", text_config={})

        self.refused(release, release.base / "config.json", "already", "--base")

    @pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1'])
    def test_a_damaged_configuration(self, release: Release, content: str) -> None:
        (release.adapter / "config.json").write_text(content)

        self.refused(release, release.adapter / "config.json", "JSON")

    def test_the_vocabulary_of_another_model(self, release: Release) -> None:
        for part in (release.base, release.adapter):
            edit(part / "config.json", vocab_size=1025)

        self.refused(release, release.base / "tokenizer.model", "1024 tokens, the model 1025")


class TestOutput:
    def test_is_never_written_over(self, release: Release) -> None:
        release.out.mkdir()
        (release.out / "mine").write_text("precious")

        with pytest.raises(OutputError, match="there already"):
            release.bring_in()

        assert [file.name for file in release.out.iterdir()] == ["mine"]

    def test_appears_only_when_it_is_whole(
        self, release: Release, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def pulled(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(record, "write", pulled)

        with pytest.raises(KeyboardInterrupt):
            release.bring_in()

        assert [path.name for path in release.out.parent.iterdir()] == ["downloads"]

    def test_is_not_begun_on_a_disk_that_is_too_full(
        self, release: Release, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        full = shutil.disk_usage(release.base)._replace(free=1_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

        with pytest.raises(OutputError, match="GB are needed"):
            release.bring_in()

        assert not release.out.exists()

    def test_is_not_begun_where_there_is_no_directory(self, release: Release) -> None:
        with pytest.raises(OutputError, match="make it first"):
            bring_in(release.out / "a" / "b")


class TestMemory:
    def test_holds_one_tensor_at_a_time(self, release: Release, monkeypatch: Any) -> None:
        import weakref

        made: list[weakref.ref[torch.Tensor]] = []
        most = 0
        whole = importer._made

        def watched(*arguments: Any) -> torch.Tensor:
            nonlocal most
            tensor = whole(*arguments)
            made.append(weakref.ref(tensor))
            most = max(most, sum(one() is not None for one in made))
            return tensor

        monkeypatch.setattr(importer, "_made", watched)

        release.bring_in("float16")

        assert len(made) > 100
        assert most <= 2
