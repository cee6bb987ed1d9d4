import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from predella.settings import Settings
from tests.worker.engine import small_checkpoints
from tests.worker.engine.test_chat import review, written
from worker import engine
from worker.engine import Engine, EngineFailure, Generation, adapters
from worker.engine.chat import ChatEngine
from worker.engine.errors import AdapterError
from worker.engine.slotted import SlottedEngine

RANK, ALPHA = 4, 16
MODULES = [
    f"model.language_model.layers.{layer}.{part}"
    for layer in (0, 1)
    for part in ("self_attn.q_proj", "mlp.down_proj")
]
Pairs = dict[str, tuple[torch.Tensor, torch.Tensor]]


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("adapted") / "gemma"
    small_checkpoints.gemma3(path)
    return path


@pytest.fixture(scope="module")
def reviews() -> list[bytes]:
    rng = np.random.default_rng(4)
    return [review(rng, (120, 90)), review(rng, (90, 160))]


def opened(directory: Path, adapter: Path | None = None) -> Engine:
    return engine.load(
        Settings(model_dir=directory, adapter_dir=adapter, device="cpu", max_new_tokens=12)
    )


def model_of(loaded: Engine) -> Any:
    if isinstance(loaded, SlottedEngine):
        return loaded.llava.model
    assert isinstance(loaded, ChatEngine)
    return loaded._model


def pairs_for(directory: Path, modules: Sequence[str] = MODULES, *, rank: int = RANK) -> Pairs:
    """Return random matrices that fit these modules, named as PEFT names them."""
    linear = dict(model_of(opened(directory)).named_modules())
    made = torch.Generator().manual_seed(1)
    return {
        name: (
            torch.randn(rank, linear[name].in_features, generator=made) / 4,
            torch.randn(linear[name].out_features, rank, generator=made) / 4,
        )
        for name in modules
    }


def save(directory: Path, pairs: Pairs, **config: Any) -> Path:
    directory.mkdir()
    tensors = {}
    for name, (down, up) in pairs.items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = down
        tensors[f"base_model.model.{name}.lora_B.weight"] = up
    save_file(tensors, directory / "adapter_model.safetensors")
    said = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "somewhere/else",
        "bias": "none",
        "r": RANK,
        "lora_alpha": ALPHA,
        "lora_dropout": 0.05,
        "target_modules": ["q_proj", "down_proj"],
        "fan_in_fan_out": False,
        "use_dora": False,
        "use_rslora": False,
        "modules_to_save": None,
        "megatron_core": "megatron.core",
        "loftq_config": {},
        "init_lora_weights": True,
    }
    (directory / "adapter_config.json").write_text(json.dumps(said | config))
    return directory


def by_hand(directory: Path, pairs: Pairs, target: Path, scale: Callable[[str], float]) -> Path:
    """Write the same checkpoint with the sums in its own file of weights."""
    target.mkdir()
    for file in directory.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    weights = load_file(directory / "model.safetensors")
    for name, (down, up) in pairs.items():
        (key,) = [
            one
            for one in weights
            if one.endswith(name.split("layers.")[1] + ".weight") and "vision" not in one
        ]
        weights[key] = weights[key] + scale(name) * (up @ down)
    save_file(weights, target / "model.safetensors", {"format": "pt"})
    return target


def tokens(answers: Sequence[Generation | EngineFailure]) -> list[tuple[int, ...]]:
    return [one.token_ids for one in written(answers)]


class TestMerge:
    @pytest.mark.parametrize("rslora", [False, True])
    def test_writes_what_the_same_sums_in_the_checkpoint_write(
        self, gemma: Path, tmp_path: Path, reviews: list[bytes], *, rslora: bool
    ) -> None:
        pairs = pairs_for(gemma)
        scale = ALPHA / math.sqrt(RANK) if rslora else ALPHA / RANK
        summed = by_hand(gemma, pairs, tmp_path / "summed", lambda _: scale)

        adapted = opened(gemma, save(tmp_path / "lora", pairs, use_rslora=rslora))

        answers = adapted.generate(reviews)
        assert tokens(answers) == tokens(opened(summed).generate(reviews))
        assert tokens(answers) != tokens(opened(gemma).generate(reviews))

    def test_keeps_the_rank_and_alpha_of_each_module(self, gemma: Path, tmp_path: Path) -> None:
        one, other = MODULES[:2]
        pairs = pairs_for(gemma, [one], rank=2) | pairs_for(gemma, [other])
        before = {name: weight_of(opened(gemma), name) for name in (one, other)}

        adapter = save(
            tmp_path / "lora",
            pairs,
            rank_pattern={"self_attn.q_proj": 2},
            alpha_pattern={r"layers\.\d+\.mlp\.down_proj": 3},
        )
        adapted = opened(gemma, adapter)

        for name, scale in ((one, ALPHA / 2), (other, 3 / RANK)):
            down, up = pairs[name]
            expected = before[name] + scale * (up @ down)
            assert torch.allclose(weight_of(adapted, name), expected, atol=1e-5)

    def test_goes_on_top_of_a_llava_too(
        self, directory: Path, tmp_path: Path, pictures: list[bytes]
    ) -> None:
        adapter = save(tmp_path / "lora", pairs_for(directory))

        bare, adapted = opened(directory), opened(directory, adapter)

        assert isinstance(adapted, SlottedEngine)
        assert tokens(adapted.generate(pictures)) != tokens(bare.generate(pictures))
        assert adapted.release.digest() != bare.release.digest()

    def test_rounds_once_in_half_precision(self, tmp_path: Path) -> None:
        linear = torch.nn.Linear(8, 8, bias=False).half()
        model = torch.nn.Sequential(linear)
        weight = linear.weight.detach().clone()
        pair = torch.randn(RANK, 8).bfloat16(), torch.randn(8, RANK).bfloat16()

        adapters.merge(model, save(tmp_path / "lora", {"0": pair}))

        exact = weight.double() + ALPHA / RANK * (pair[1].double() @ pair[0].double())
        assert torch.allclose(linear.weight.double(), exact, rtol=2**-11, atol=1e-6)


class TestRelease:
    def test_names_the_adapter_by_what_was_read_of_it(self, gemma: Path, tmp_path: Path) -> None:
        pairs = pairs_for(gemma)
        first = save(tmp_path / "first", pairs)
        again = save(tmp_path / "again", pairs)
        (again / "README.md").write_text("Trained on paintings.")
        other = save(tmp_path / "other", pairs, lora_alpha=32)

        releases = [opened(gemma, one).release for one in (first, again, other)]

        assert releases[0] == releases[1]
        assert releases[0].adapter_sha256 != releases[2].adapter_sha256
        assert releases[0].base_model == "somewhere/else"
        assert len({release.digest() for release in (*releases, opened(gemma).release)}) == 3


class TestRefuses:
    def test_one_for_modules_of_other_names(self, gemma: Path, tmp_path: Path) -> None:
        pairs = pairs_for(gemma)
        renamed = {name.replace("language_model.", ""): pair for name, pair in pairs.items()}

        with pytest.raises(AdapterError, match=r"4 of the 4 modules.*model\.layers\.0.*import"):
            opened(gemma, save(tmp_path / "lora", renamed))

    def test_one_of_which_a_single_module_does_not_fit(self, gemma: Path, tmp_path: Path) -> None:
        pairs = pairs_for(gemma)
        down, up = pairs[MODULES[0]]
        pairs["model.language_model.layers.9.mlp.up_proj"] = down.clone(), up.clone()

        with pytest.raises(AdapterError, match=r"1 of the 5 modules.*layers\.9"):
            opened(gemma, save(tmp_path / "lora", pairs))

    def test_one_of_another_size(self, gemma: Path, tmp_path: Path) -> None:
        down, up = pairs_for(gemma)[MODULES[0]]

        with pytest.raises(AdapterError, match=r"makes \[64, 63\], the model's weight is"):
            opened(gemma, save(tmp_path / "lora", {MODULES[0]: (down[:, 1:].clone(), up)}))

    def test_one_that_changes_nothing(self, gemma: Path, tmp_path: Path) -> None:
        pairs = {name: (down, up * 0) for name, (down, up) in pairs_for(gemma).items()}

        with pytest.raises(AdapterError, match="changes nothing"):
            opened(gemma, save(tmp_path / "lora", pairs))

    def test_one_that_is_not_finite(self, gemma: Path, tmp_path: Path) -> None:
        pairs = pairs_for(gemma)
        pairs[MODULES[1]][0][0, 0] = torch.nan

        with pytest.raises(AdapterError, match=r"not finite in .*down_proj"):
            opened(gemma, save(tmp_path / "lora", pairs))

    def test_one_of_another_rank_than_it_says(self, gemma: Path, tmp_path: Path) -> None:
        with pytest.raises(AdapterError, match="but rank 8"):
            opened(gemma, save(tmp_path / "lora", pairs_for(gemma), r=8))

    def test_half_a_pair(self, gemma: Path, tmp_path: Path) -> None:
        adapter = save(tmp_path / "lora", pairs_for(gemma))
        tensors = load_file(adapter / "adapter_model.safetensors")
        del tensors[f"base_model.model.{MODULES[2]}.lora_B.weight"]
        save_file(tensors, adapter / "adapter_model.safetensors")

        with pytest.raises(AdapterError, match=r"only half.*layers\.1\.self_attn\.q_proj"):
            opened(gemma, adapter)

    def test_a_tensor_that_is_no_part_of_a_lora(self, gemma: Path, tmp_path: Path) -> None:
        adapter = save(tmp_path / "lora", pairs_for(gemma))
        tensors = load_file(adapter / "adapter_model.safetensors")
        tensors["base_model.model.lm_head.weight"] = torch.ones(2)
        save_file(tensors, adapter / "adapter_model.safetensors")

        with pytest.raises(AdapterError, match=r"lm_head\.weight, which is no part"):
            opened(gemma, adapter)

    @pytest.mark.parametrize(
        "asked",
        [
            {"use_dora": True},
            {"fan_in_fan_out": True},
            {"modules_to_save": ["lm_head"]},
            {"bias": "all"},
            {"peft_type": "LOHA"},
            {"init_lora_weights": "pissa"},
            {"layer_replication": [[0, 1], [0, 2]]},
            {"of_a_later_peft": True},
        ],
    )
    def test_what_is_not_understood(
        self, gemma: Path, tmp_path: Path, asked: dict[str, Any]
    ) -> None:
        (name,) = asked

        with pytest.raises(AdapterError, match=f"{name}=.*merge it"):
            opened(gemma, save(tmp_path / "lora", pairs_for(gemma), **asked))

    def test_a_weight_that_the_model_has_twice(self, tmp_path: Path) -> None:
        model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
        model[1].weight = model[0].weight

        with pytest.raises(AdapterError, match="uses elsewhere too"):
            adapters.merge(
                model, save(tmp_path / "lora", {"0": (torch.ones(RANK, 8), torch.ones(8, RANK))})
            )

    def test_other_forms_of_weights(self, gemma: Path, tmp_path: Path) -> None:
        adapter = save(tmp_path / "lora", pairs_for(gemma))
        (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")

        with pytest.raises(AdapterError, match="other forms can run code"):
            opened(gemma, adapter)

    def test_a_directory_without_an_adapter(self, gemma: Path, tmp_path: Path) -> None:
        with pytest.raises(AdapterError, match=r"adapter_config\.json cannot be read"):
            opened(gemma, tmp_path)


def weight_of(loaded: Engine, name: str) -> torch.Tensor:
    weight: torch.Tensor = model_of(loaded).get_submodule(name).weight.detach().clone()
    return weight
