"""What the model is asked; a changed wording is another prompt and needs another id."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked about a picture: one question, or several under headings."""

    id: str
    text: str
    sections: tuple["Section", ...] = ()

    @property
    def questions(self) -> tuple["Prompt", ...]:
        """What is asked, one model call for each."""
        return tuple(section.prompt for section in self.sections) or (self,)


@dataclass(frozen=True, slots=True)
class Section:
    """One heading of a text, and the question that is answered under it."""

    heading: str
    prompt: Prompt


FORMAL_ANALYSIS = Prompt(
    "formal-analysis/1",
    "Please write a paragraph of formal analysis for this painting.",
)
"""The question of the published GalleryGPT examples (arXiv 2408.00491, qualitative figure)."""


def sectioned(id_: str, sections: tuple[Section, ...]) -> Prompt:
    """Return a prompt that asks each section's question."""
    text = "\n\n".join(f"{one.heading}: {one.prompt.text}" for one in sections)
    return Prompt(id_, text, sections)
