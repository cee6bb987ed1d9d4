"""The paragraph that states a picture's measured values, and the values read back from a paragraph.

Each phrase belongs to one value of one attribute and contains no other phrase,
so reading back needs no grammar. Which of its phrases a value gets, and in
which frame, depends on the picture's other values: texts differ as pictures
do, and there is nothing random for a small model to average over.
"""

from collections.abc import Callable, Iterator

from worker.training.demo import colours

Claims = dict[str, str]

PHRASES: dict[str, dict[str, tuple[str, ...]]] = {
    "format": {
        "tall": ("taller than it is wide", "a tall format"),
        "square": ("as wide as it is tall", "a square format"),
        "wide": ("wider than it is tall", "a wide format"),
    },
    "direction": {
        "horizontal": ("level edges set the pace", "its edges run chiefly from side to side"),
        "vertical": ("upright edges set the pace", "its edges run chiefly up and down"),
        "diagonal": ("slanting edges set the pace", "its edges run chiefly on the diagonal"),
        "none": ("no direction of edge sets the pace", "its edges run every way at once"),
    },
    "symmetry": {
        "mirrored": ("one half mirrors the other", "both halves match across a central axis"),
        "uneven": ("the two halves differ", "no axis divides it into matching halves"),
    },
    "key": {
        "dark": ("a low, dark key", "dark on the whole"),
        "middle": ("a middle key", "of middle lightness on the whole"),
        "light": ("a high, light key", "light on the whole"),
    },
    "contrast": {
        "low": ("the steps between light and dark are small", "tonal contrast is low"),
        "moderate": ("the steps between light and dark are moderate", "tonal contrast is moderate"),
        "strong": ("the steps between light and dark are large", "tonal contrast is strong"),
    },
    "temperature": {
        "warm": ("warm hues prevail", "the palette leans to the warm side"),
        "neutral": ("warm and cool are held level", "the palette leans to neither side"),
        "cool": ("cool hues prevail", "the palette leans to the cool side"),
    },
    "saturation": {
        "colourless": ("almost colourless", "drained nearly to grey"),
        "muted": ("muted", "held back in strength"),
        "moderate": ("moderately saturated", "of moderate strength"),
        "vivid": ("vivid", "of full strength"),
    },
    "ground": {
        name: (f"{name} covers the largest area", f"a ground of {name}") for name in colours.NAMES
    },
    "accent": {
        "none": ("no second colour stands out", "no accents of colour"),
        **{
            name: (f"{name} stands out against it", f"accents of {name}")
            for name in colours.CHROMATIC
        },
    },
}

_SECOND: dict[str, Callable[[Claims], bool]] = {
    "format": lambda claims: claims["format"] == "wide",
    "direction": lambda claims: claims["format"] == "tall",
    "symmetry": lambda claims: claims["direction"] in {"horizontal", "none"},
    "key": lambda claims: claims["symmetry"] == "mirrored",
    "contrast": lambda claims: claims["key"] == "middle",
    "temperature": lambda claims: claims["contrast"] == "moderate",
    "saturation": lambda claims: claims["temperature"] == "cool",
    "ground": lambda claims: claims["key"] == "light",
    "accent": lambda claims: claims["key"] == "light",
}
"""When a value takes its second phrase; only what the text has settled by then may decide."""


def paragraph(claims: Claims) -> str:
    """Seven sentences that state every value, in the register of formal analysis."""
    said = {
        attribute: PHRASES[attribute][value][int(_SECOND[attribute](claims))]
        for attribute, value in claims.items()
    }
    parts = (_form(claims, said), _light(claims, said), _colour(claims, said), _close(claims))
    return " ".join(parts)


def parse(text: str) -> Claims:
    """The values a text claims; an attribute it is silent or in two minds about is left out."""
    flat = " ".join(text.split())
    claims: Claims = {}
    for attribute, values in PHRASES.items():
        claimed = [v for v, phrases in values.items() if any(_says(flat, p) for p in phrases)]
        if len(claimed) == 1:
            claims[attribute] = claimed[0]
    return claims


def spans(text: str, claims: Claims) -> Iterator[tuple[str, int, int]]:
    """Where a paragraph states each of its values: (attribute, start, end)."""
    for attribute, value in claims.items():
        for phrase in PHRASES[attribute][value]:
            start = _find(text, phrase)
            if start >= 0:
                yield attribute, start, start + len(phrase)


def _says(text: str, phrase: str) -> bool:
    return _find(text, phrase) >= 0


def _find(text: str, phrase: str) -> int:
    """Where the phrase begins, at a word's beginning and in either case of its first letter."""
    padded = f" {text}"
    for first in (phrase, phrase[0].upper() + phrase[1:]):
        start = padded.find(f" {first}")
        if start >= 0:
            return start
    return -1


def _form(claims: Claims, said: Claims) -> str:
    """Format and direction, then symmetry."""
    if _SECOND["format"](claims):
        first = f"In {said['format']}, {said['direction']}."
    else:
        first = f"The picture is {said['format']}, and {said['direction']}."
    second = {
        "horizontal": f"In the arrangement, {said['symmetry']}",
        "vertical": f"As a composition, {said['symmetry']}",
        "diagonal": f"Seen as a whole, {said['symmetry']}",
        "none": f"In composition, {said['symmetry']}",
    }[claims["direction"]]
    third = {
        "mirrored": "which gives it a formal balance.",
        "uneven": "and balance comes from unequal weights.",
    }[claims["symmetry"]]
    return f"{first} {second}, {third}"


def _light(claims: Claims, said: Claims) -> str:
    """Key and contrast."""
    if _SECOND["key"](claims):
        first = f"As for light, the picture is {said['key']}"
    else:
        first = f"The values keep to {said['key']}"
    second = {
        "low": "so that forms stay soft.",
        "moderate": "so that forms part gently.",
        "strong": "so that forms are cut sharply.",
    }[claims["contrast"]]
    joint = {"dark": ", and ", "middle": "; ", "light": ", while "}[claims["key"]]
    return f"{first}{joint}{said['contrast']}, {second}"


def _colour(claims: Claims, said: Claims) -> str:
    """Temperature, saturation, ground and accent."""
    first = {
        "low": f"In colour, {said['temperature']}",
        "moderate": f"Colour keeps to a bias: {said['temperature']}",
        "strong": f"Among the colours {said['temperature']}",
    }[claims["contrast"]]
    if claims["contrast"] == "moderate" and claims["temperature"] == "neutral":
        first = f"Colour keeps no bias: {said['temperature']}"
    second = {
        "colourless": f"and the paint is {said['saturation']}.",
        "muted": f"and the pigments are {said['saturation']}, with much grey mixed in.",
        "moderate": f"and the pigments are {said['saturation']}, neither loud nor faint.",
        "vivid": f"and the pigments are {said['saturation']}, with little grey mixed in.",
    }[claims["saturation"]]
    return f"{first}, {second} {_ground(claims, said)}"


def _ground(claims: Claims, said: Claims) -> str:
    if _SECOND["ground"](claims):
        return f"The colours rest on {said['ground']}, with {said['accent']}."
    start = said["ground"][0].upper() + said["ground"][1:]
    return f"{start}, and {said['accent']}."


def _close(claims: Claims) -> str:
    """The impression the stated values add up to; it claims nothing new."""
    tone = {"low": "quiet", "moderate": "measured", "strong": "emphatic"}[claims["contrast"]]
    rest = {"mirrored": "settled", "uneven": "restless"}[claims["symmetry"]]
    return f"The effect is {tone} and {rest}."
