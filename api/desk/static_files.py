"""The desk's scripts, styles and fonts: out of this package, never from elsewhere."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, Response

from predella.errors import NotFoundError

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent / "static"
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True)
class _Tree:
    """Every static file, and one digest of them all: it stands in every address."""

    files: dict[str, bytes]
    digest: str


@cache
def _tree() -> _Tree:
    paths = sorted(path for path in _FOLDER.rglob("*") if path.is_file())
    files = {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in paths}
    whole = sha256()
    for name, content in files.items():
        whole.update(name.encode() + b"\0" + sha256(content).digest())
    return _Tree(files, whole.hexdigest()[:12])


def address(name: str) -> str:
    """Return where a browser finds a static file, for ever in this form.

    Raises:
        KeyError: there is none of this name.
    """
    tree = _tree()
    tree.files[name]
    return f"/static/{tree.digest}/{name}"


@router.get("/static/{digest}/{name:path}")
def static_file(digest: str, name: str) -> Response:
    """Send one static file; an address of an older release is answered with the newest."""
    tree = _tree()
    if name not in tree.files:
        raise NotFoundError("file", name)
    return Response(
        tree.files[name],
        media_type=guess_type(name)[0] or "application/octet-stream",
        headers=_FOR_EVER if digest == tree.digest else {},
    )
