"""The metadata formats that a harvester can ask for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from predella.formats import lido
from predella.formats.bundle import Bundle
from predella.formats.oai.dublin_core import dublin_core
from predella.formats.oai.edm import edm, obstacle
from predella.formats.xml import NAMESPACES, Element


@dataclass(frozen=True, slots=True)
class Payload:
    """One metadata format: how it is written, and what keeps an object out of it."""

    namespace: str
    schema: str
    write: Callable[[Bundle], Element]
    obstacle: Callable[[Bundle], str | None]


def _none(_bundle: Bundle) -> None:
    return None


PAYLOADS: Mapping[str, Payload] = {
    "oai_dc": Payload(
        NAMESPACES["oai_dc"],
        "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
        dublin_core,
        _none,
    ),
    "lido": Payload(
        NAMESPACES["lido"],
        "http://www.lido-schema.org/schema/v1.1/lido-v1.1.xsd",
        lido.record,
        _none,
    ),
    "edm": Payload(
        NAMESPACES["edm"],
        "http://www.europeana.eu/schemas/edm/EDM.xsd",
        edm,
        obstacle,
    ),
}
"""By ``metadataPrefix``."""


def payload(prefix: str, bundle: Bundle) -> Element:
    """Return the object and its texts in the format of this prefix.

    Raises:
        KeyError: there is no such format; `PAYLOADS` has them all.
        NoAddressError: the format names things by address, and an entry has no ``base``.
    """
    return PAYLOADS[prefix].write(bundle)
