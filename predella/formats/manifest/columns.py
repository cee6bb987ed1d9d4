"""The columns of a manifest: what a team may write, and how its header is understood."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from predella.formats.manifest import values
from predella.formats.manifest.problems import ManifestHeaderError, shown

MAX_COLUMNS = 500
FROM_THE_BUCKET = (
    "predella reads pictures from the bucket, not from an IIIF service;"
    " name the file there in filename"
)
_CLOSE = 0.8
"""`filname`, `titel` and `sensitive` are close to a known name; `data` is not."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column that has a meaning for us."""

    name: str
    parse: Callable[[str], Any]
    """What a cell that is not empty means."""
    sentence: str
    """For the people who fill it in."""
    synonyms: tuple[str, ...] = ()
    """Other names for it, used when no column has the name itself."""
    required: bool = False


COLUMNS = (
    Column(
        "object_number",
        values.line,
        "The number of the object in your catalog, for example 1925.12.3.",
        ("accession_number", "inventory_number", "object_no", "inv_no"),
        required=True,
    ),
    Column(
        "filename",
        values.filename,
        "The image, relative to the collection, for example 1925/1925.12.3_v01.tif.",
        ("file_name", "file", "image_file", "image_filename"),
        required=True,
    ),
    Column("view", values.keyword, "What the image shows: front, back, detail, frame, ..."),
    Column(
        "sequence", values.number, "The place of the image among those of its object: 1, 2, ..."
    ),
    Column(
        "primary",
        values.yes_no,
        "y for the one image of an object that is analyzed, n for its further views.",
        ("is_primary",),
    ),
    Column("sha256", values.digest("sha256", 32), "SHA-256 of the file, 64 digits 0-9, a-f."),
    Column("md5", values.digest("md5", 16), "MD5 of the file, 32 digits 0-9, a-f."),
    Column("etag", values.etag, "ETag that the object store gives for the file."),
    Column("title", values.prose, "The title of the object."),
    Column("artist", values.prose, "Who made it, as your catalog says it.", ("maker", "creator")),
    Column(
        "artist_uri",
        values.uri,
        "Address of the artist in an authority file, for example ULAN or Wikidata.",
        ("artist_url", "maker_uri", "creator_uri"),
    ),
    Column("date", values.prose, "When it was made, as your catalog says it.", ("dating",)),
    Column("medium", values.prose, "Material and technique.", ("materials",)),
    Column("dimensions", values.prose, "Its size, as your catalog says it.", ("measurements",)),
    Column("object_uri", values.uri, "Address of the object's own page.", ("object_url",)),
    Column(
        "language", values.language, "Language of the text to write, for example en.", ("lang",)
    ),
    Column(
        "rights_work",
        values.rights_statement,
        "Rights in the work: an address of rightsstatements.org or creativecommons.org.",
        ("work_rights",),
    ),
    Column(
        "rights_image",
        values.rights_statement,
        "Rights in the photograph: an address of the same kind.",
        ("image_rights",),
    ),
    Column(
        "iiif_image",
        values.iiif_service,
        "Address of the image in your IIIF Image API, for catalogs to show it; without /info.json.",
        ("iiif_image_uri", "iiif_service"),
    ),
    Column("credit_line", values.prose, "The credit line to print with the object.", ("credit",)),
    Column(
        "sensitivity",
        values.choice("none", "review", "restricted"),
        "none; review: a text leaves only after somebody has cleared it; restricted: no text"
        " is written and none leaves. Empty means none.",
    ),
    Column("sensitivity_note", values.prose, "Why it is sensitive, for the curators alone."),
    Column(
        "labels", values.uris, "Addresses of labels, for example Local Contexts, parted by spaces."
    ),
    Column(
        "ai_processing",
        values.allowed,
        "allowed or denied. Empty means allowed, and denied for a restricted object.",
    ),
    Column(
        "export",
        values.allowed,
        "allowed or denied. Empty means allowed, and denied for a restricted object.",
    ),
    Column(
        "embargo_until",
        values.day,
        "The first day on which a text may leave, for example 2031-12-31.",
        ("embargo",),
    ),
    Column("notes", values.prose, "Anything that the curators should know."),
)
"""In the order of the template. Every other column is kept as it is and returned in exports."""


def template() -> str:
    """Return the header of an empty manifest."""
    return ",".join(column.name for column in COLUMNS) + "\r\n"


@lru_cache(maxsize=64)
def resolve(header: tuple[str, ...]) -> tuple[str, ...]:
    """Return our name for each column, or its own for one that we do not know.

    Case, spaces and punctuation do not matter.

    Raises:
        ManifestHeaderError: a required column is missing, two have one meaning, one has no
            name, there are too many, or an unknown one is so near to a missing known one
            that it must be a slip. A name that begins with ``x_`` is never taken for a slip.
    """
    if len(header) > MAX_COLUMNS:
        raise ManifestHeaderError(f"The manifest has more than {MAX_COLUMNS} columns.")
    squashed = [_squash(name) for name in header]
    names = tuple(
        _known(key, squashed) or _own_name(name, place)
        for place, (name, key) in enumerate(zip(header, squashed, strict=True), start=1)
    )
    _require_no_slip(names)
    _require_all(names)
    _require_no_twins(names)
    return names


def is_known(name: str) -> bool:
    """Tell whether a header's name has a meaning for us."""
    return meaning(name) is not None


def meaning(name: str) -> str | None:
    """Return our name for a column, if it is one of ours."""
    return _known(_squash(name), ())


def _squash(name: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


_BY_NAME = {_squash(column.name): column.name for column in COLUMNS}
_OWN_BEGINNINGS = ("x_", *(f"{column.name}_" for column in COLUMNS))
"""`title_de` is a column beside `title`, not a slip."""
_BY_SYNONYM = {_squash(other): column.name for column in COLUMNS for other in column.synonyms}


def _known(key: str, all_keys: Sequence[str]) -> str | None:
    meant = _BY_SYNONYM.get(key)
    return _BY_NAME.get(key) or (meant if meant and _squash(meant) not in all_keys else None)


def _own_name(name: str, place: int) -> str:
    if not (own := shown(name)):
        raise ManifestHeaderError(f"Column {place} of the manifest has no name.")
    return own


def _require_no_slip(names: tuple[str, ...]) -> None:
    missing = [column.name for column in COLUMNS if column.name not in names]
    for name in names:
        written = re.sub(r"\W+", "_", name.lower())
        if name in _BY_NAME.values() or written.startswith(_OWN_BEGINNINGS):
            continue
        for meant in get_close_matches(written, missing, n=1, cutoff=_CLOSE):
            raise ManifestHeaderError(
                f'The manifest has a column "{name}" that we do not know; did you mean "{meant}"?'
                f' If it is a column of your own, name it "x_{name}".'
            )


def _require_all(names: tuple[str, ...]) -> None:
    missing = [c.name for c in COLUMNS if c.required and c.name not in names]
    if missing == ["filename"] and "iiif_image" in names:
        raise ManifestHeaderError(f"The manifest has no column filename: {FROM_THE_BUCKET}.")
    if missing:
        raise ManifestHeaderError(
            f"The manifest has no column {' and no column '.join(missing)}."
            f" Its columns are: {shown(', '.join(names))}."
        )


def _require_no_twins(names: tuple[str, ...]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ManifestHeaderError(f'The manifest has two columns for "{name}"; keep one.')
