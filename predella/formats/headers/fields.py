"""What people call a field of a picture's metadata."""

import re
from dataclasses import dataclass
from typing import Self

from predella.errors import InvalidError

MAX_FIELD = 200
_NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
}
_PREFIXES = {prefix.lower(): prefix for prefix in _NAMESPACES}
_PROPERTY = re.compile(r"(\w+):([A-Za-z_][\w.-]*)((?:/(?:\w+:)?[A-Za-z_][\w.-]*)*)", re.ASCII)
_DATASET = re.compile(r"(?:iptc:)?([1-9]):([0-9]{1,3})", re.ASCII | re.IGNORECASE)
_MOST = 255


@dataclass(frozen=True, slots=True)
class Field:
    """A property of XMP, or a dataset of IPTC-IIM."""

    name: str
    """As we write it; ``parse`` reads it again."""
    path: tuple[str, ...] = ()
    """For XMP: the property, then parts of the structures in it, with their namespaces."""
    dataset: tuple[int, int] | None = None
    """For IIM: record and number."""

    @classmethod
    def parse(cls, name: str) -> Self:
        """Return the field that ``dc:identifier``, ``2:103`` or the like names.

        A part of a structure follows a slash: ``Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo``.

        Raises:
            InvalidError: it is neither, or of a namespace without a usual prefix.
        """
        said = name.strip()
        if len(said) > MAX_FIELD:
            raise InvalidError(f"the field has {len(said):,} characters; at most {MAX_FIELD}")
        if (found := _DATASET.fullmatch(said)) and int(found[2]) <= _MOST:
            record, number = int(found[1]), int(found[2])
            return cls(f"{record}:{number:02}", dataset=(record, number))
        if found := _PROPERTY.fullmatch(said):
            return cls._property(found[1], [found[2], *found[3].split("/")[1:]])
        raise InvalidError(
            f"{said!r} is no field of a picture: write a property of XMP, such as dc:identifier or"
            " Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo, or a dataset of IPTC-IIM, such as 2:103"
        )

    @classmethod
    def _property(cls, prefix: str, steps: list[str]) -> Self:
        """Return the property; a step without a prefix has that of the step before it."""
        names: list[str] = []
        path: list[str] = []
        for step in steps:
            own, colon, local = step.rpartition(":")
            known = _known(own if colon else prefix)
            names.append(local if names and not colon else f"{known}:{local}")
            path.append(f"{{{_NAMESPACES[known]}}}{local}")
            prefix = known
        return cls("/".join(names), path=tuple(path))


def _known(prefix: str) -> str:
    if prefix.lower() not in _PREFIXES:
        raise InvalidError(
            f"{prefix!r} is no prefix that is known here; there are {', '.join(_NAMESPACES)}"
        )
    return _PREFIXES[prefix.lower()]
