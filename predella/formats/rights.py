"""Rights statements as the one spelling that all catalog formats accept."""

import re

STATEMENTS = (
    "InC",
    "InC-OW-EU",
    "InC-EDU",
    "InC-NC",
    "InC-RUU",
    "NoC-CR",
    "NoC-NC",
    "NoC-OKLR",
    "NoC-US",
    "CNE",
    "UND",
    "NKC",
)
"""The twelve of rightsstatements.org."""

_STATEMENT = re.compile(
    r"https?://(?:www\.)?rightsstatements\.org/(?:vocab|page)/([a-z-]+)/1\.0/?(?:\?\S*)?",
    re.IGNORECASE | re.ASCII,
)
_LICENCE = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/"
    r"(licenses/(?:by|by-sa|by-nd|by-nc|by-nc-sa|by-nc-nd)"
    r"/(?:4\.0|(?:1\.0|2\.0|2\.1|2\.5|3\.0)(?:/(?:[a-z]{2,3}|scotland))?)"
    r"|publicdomain/(?:zero|mark)/1\.0)"
    r"/?(?:(?:deed|legalcode)(?:\.[a-z-]+)?)?",
    re.IGNORECASE | re.ASCII,
)
_CODES = {code.lower(): code for code in STATEMENTS}


def canonical(uri: str) -> str | None:
    """Return the ``http`` form that IIIF and Europeana require; None for an unknown statement.

    Accepted are rightsstatements.org and Creative Commons, with ``https``, without the last
    slash, or as the address of the page that explains them.
    """
    if statement := _STATEMENT.fullmatch(uri):
        code = _CODES.get(statement[1].lower())
        return f"http://rightsstatements.org/vocab/{code}/1.0/" if code else None
    if licence := _LICENCE.fullmatch(uri):
        return f"http://creativecommons.org/{licence[1].lower()}/"
    return None
