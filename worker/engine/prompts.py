"""What the model is asked; a changed wording is another prompt and needs another id."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question about a picture."""

    id: str
    text: str


FORMAL_ANALYSIS = Prompt(
    "formal-analysis/1",
    "Please write a paragraph of formal analysis for this painting.",
)
"""The question of the published GalleryGPT examples (arXiv 2408.00491, qualitative figure)."""
