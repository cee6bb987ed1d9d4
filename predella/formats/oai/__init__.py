"""OAI-PMH 2.0: the replies to a harvester, and the forms in which a record can be had.

Pure builders: what there is to harvest, and which verb was asked, is decided elsewhere.
Source: The Open Archives Initiative Protocol for Metadata Harvesting, version 2.0.
"""

from predella.formats.oai.dublin_core import dublin_core
from predella.formats.oai.edm import edm, obstacle
from predella.formats.oai.payloads import PAYLOADS, Payload, payload
from predella.formats.oai.questions import (
    KEPT,
    Listing,
    RefusedError,
    Verb,
    known_prefix,
    listing,
    read,
    resumed,
    token,
)
from predella.formats.oai.replies import (
    MEDIA_TYPE,
    ErrorCode,
    Header,
    Record,
    Request,
    Token,
    error,
    get_record,
    identifier,
    identify,
    list_formats,
    list_identifiers,
    list_records,
    list_sets,
)

__all__ = [
    "KEPT",
    "MEDIA_TYPE",
    "PAYLOADS",
    "ErrorCode",
    "Header",
    "Listing",
    "Payload",
    "Record",
    "RefusedError",
    "Request",
    "Token",
    "Verb",
    "dublin_core",
    "edm",
    "error",
    "get_record",
    "identifier",
    "identify",
    "known_prefix",
    "list_formats",
    "list_identifiers",
    "list_records",
    "list_sets",
    "listing",
    "obstacle",
    "payload",
    "read",
    "resumed",
    "token",
]
