"""What makes a release the one it is, in a form that can be stored, compared and shown."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class ReleaseSpec:
    """The exact identity of what wrote a text; change anything and it is another release."""

    model_name: str
    weights_sha256: str
    """Of the names and sha256 of all files of the checkpoint, in hexadecimal."""
    adapter_sha256: str | None
    """Of the adapter that was merged into the weights, where the checkpoint says so."""
    prompt_id: str
    prompt_text: str
    """What the model is asked, in words."""
    prompt_rendered: str
    """What the model is given: the same words inside the conversation it was trained on."""
    template: str
    """Name of that form of conversation, for example ``vicuna_v1``."""
    decoding: Mapping[str, object]
    """How large the model sees the picture, and how it chooses the next word; JSON values."""
    preprocessing: str
    """Version of the preparation of the picture; an image of another version does not fit."""
    dtype: str
    code_version: str
    libraries: Mapping[str, str]
    """Versions of the libraries that can change a text."""
    notice: str | None
    """What must stand by every text of this release, on every surface."""
    base_model: str | None = None
    """What it was made from, as ``name`` or ``name@revision``, where the checkpoint says so. It is
    told beside the identity and is no part of it: the weights say it exactly."""

    def as_json(self) -> dict[str, object]:
        """Return the identity as JSON values, as ``Release.spec`` keeps it."""
        return {name: value for name, value in asdict(self).items() if name != "base_model"}

    def digest(self) -> bytes:
        """Return the sha256 of the canonical JSON: sorted keys, no spaces, UTF-8."""
        canonical = json.dumps(
            self.as_json(),
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
        )
        return hashlib.sha256(canonical.encode()).digest()
