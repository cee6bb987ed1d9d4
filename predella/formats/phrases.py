"""What stands by a text of ours, in each language that we have it in."""

from collections.abc import Mapping
from dataclasses import dataclass

from predella.formats.entry import HumanInvolvement, TextKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The templates of one language; `predella.formats.disclosure` fills in the names."""

    kinds: Mapping[TextKind, str]
    written: str
    reviewed: Mapping[HumanInvolvement, str]
    sampled: str
    responsible: str
    withdrawn: str
    label: str
    """Over the sentence, where a format wants a heading."""
    approval: str
    """What the reviewer did, as a name for it."""


PHRASES: Mapping[str, Phrases] = {
    "en": Phrases(
        kinds={
            TextKind.FORMAL_ANALYSIS: "Formal analysis",
            TextKind.ELEMENT: "Part of a formal analysis",
            TextKind.ALT_TEXT: "Alternative text",
            TextKind.LONG_DESCRIPTION: "Description",
        },
        written=(
            "{kind} written by software ({software}) on {day} from the image with sha256 {image}."
        ),
        reviewed={
            HumanInvolvement.AI_REVIEWED: (
                "Reviewed and approved without changes by {reviewer}, {institution}, on {day}."
            ),
            HumanInvolvement.AI_EDITED: (
                "Edited by people; this wording was approved"
                " by {reviewer}, {institution}, on {day}."
            ),
        },
        sampled=(
            "Accepted on {day} with a set of texts of which a sample was read;"
            " {reviewer}, {institution}, accepted the set."
        ),
        responsible="Editorial responsibility: {institution}.",
        withdrawn="This text was withdrawn on {day}.",
        label="About this text",
        approval="Curatorial review and approval",
    ),
    "nl": Phrases(
        kinds={
            TextKind.FORMAL_ANALYSIS: "Formele analyse",
            TextKind.ELEMENT: "Deel van een formele analyse",
            TextKind.ALT_TEXT: "Alternatieve tekst",
            TextKind.LONG_DESCRIPTION: "Beschrijving",
        },
        written=(
            "{kind}, geschreven door software ({software}) op {day}"
            " naar de afbeelding met sha256 {image}."
        ),
        reviewed={
            HumanInvolvement.AI_REVIEWED: (
                "Zonder wijzigingen beoordeeld en goedgekeurd"
                " door {reviewer}, {institution}, op {day}."
            ),
            HumanInvolvement.AI_EDITED: (
                "Door mensen bewerkt; deze tekst is goedgekeurd"
                " door {reviewer}, {institution}, op {day}."
            ),
        },
        sampled=(
            "Op {day} aanvaard met een reeks teksten waarvan een steekproef is gelezen;"
            " {reviewer}, {institution}, heeft de reeks aanvaard."
        ),
        responsible="Redactionele verantwoordelijkheid: {institution}.",
        withdrawn="Deze tekst is op {day} ingetrokken.",
        label="Over deze tekst",
        approval="Beoordeling en goedkeuring door de conservator",
    ),
}

FALLBACK = "en"
"""For a text in a language that has no phrases here."""
