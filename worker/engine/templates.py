"""The forms of conversation that GalleryGPT's own code knows, to the character.

The adapter was trained on ``vicuna_v1``. Run as its README says, the original derives the form
from the name of the model's folder and arrives at ``llava_v0``.
"""

from dataclasses import dataclass

IMAGE = "<image>"


@dataclass(frozen=True, slots=True)
class Template:
    """One question about one picture, dressed as a conversation."""

    name: str
    before: str
    after: str

    def render(self, question: str) -> str:
        """Return what the model is given; the place of the picture is ``<image>``."""
        return f"{self.before}{IMAGE}\n{question}{self.after}"


_SYSTEM = (
    "A chat between a curious {0} and an artificial intelligence assistant. The assistant gives"
    " helpful, detailed, and polite answers to the {0}'s questions."
)
VICUNA_V1 = Template("vicuna_v1", _SYSTEM.format("user") + " USER: ", " ASSISTANT:")
LLAVA_V0 = Template("llava_v0", _SYSTEM.format("human") + "###Human: ", "###Assistant:")
TEMPLATES = {template.name: template for template in (VICUNA_V1, LLAVA_V0)}

CHAT_TEMPLATE = (
    _SYSTEM.format("user") + " "
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}USER: "
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %} "
    "{% else %}ASSISTANT: "
    "{% for part in message['content'] %}{{ part['text'] }}{% endfor %}</s>"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
"""``vicuna_v1`` as a chat template of transformers, with as many turns as there are."""
