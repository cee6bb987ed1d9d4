import json
from dataclasses import replace
from typing import Any

import pytest

from predella.provenance import ReleaseSpec

SPEC = ReleaseSpec(
    model_name="größe",
    weights_sha256="ab" * 32,
    adapter_sha256=None,
    prompt_id="formal-analysis/1",
    prompt_text="Write.",
    prompt_rendered="USER: <image>\nWrite. ASSISTANT:",
    template="vicuna_v1",
    decoding={"strategy": "greedy", "max_new_tokens": 512},
    preprocessing="1",
    dtype="float16",
    code_version="0.1.0",
    libraries={"torch": "2.13.0"},
    notice=None,
)
OTHER: dict[str, Any] = {"decoding": {"strategy": "sampling"}, "libraries": {"torch": "2.12.0"}}


class TestDigest:
    @pytest.mark.parametrize("field", sorted(SPEC.as_json()))
    def test_changes_with_every_field(self, field: str) -> None:
        changed = replace(SPEC, **{field: OTHER.get(field, "other")})

        assert changed.digest() != SPEC.digest()

    def test_does_not_depend_on_the_order_in_which_a_database_returns_keys(self) -> None:
        stored = json.loads(json.dumps(SPEC.as_json()))
        turned = {key: stored[key] for key in reversed(stored)}
        turned["decoding"] = dict(reversed(turned["decoding"].items()))

        assert ReleaseSpec(**turned).digest() == SPEC.digest()

    def test_is_that_of_the_weights_whatever_they_are_said_to_be_made_from(self) -> None:
        assert replace(SPEC, base_model="owner/base@main").digest() == SPEC.digest()

    def test_is_a_sha256_that_stays_what_it_was(self) -> None:
        assert SPEC.digest().hex()[:16] == "bd1220104f03ecb0"
