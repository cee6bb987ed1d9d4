"""CSV profiles: ours, one for each system, and a museum's own."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

from predella.errors import UnknownNamesError
from predella.formats.profiles.collectiveaccess import mapping_sheet
from predella.formats.profiles.profile import Profile, ProfileColumn
from predella.formats.profiles.reading import ProfileError, read

__all__ = [
    "MAPPINGS",
    "SHIPPED",
    "Profile",
    "ProfileColumn",
    "ProfileError",
    "mapping",
    "mapping_sheet",
    "read",
    "shipped",
]

SHIPPED = (
    "generic",
    "collectionspace-core",
    "collectionspace-fcart",
    "collectionspace-media",
    "collectiveaccess",
    "omeka-s",
)


@cache
def shipped(name: str) -> Profile:
    """Return one of ours."""
    return read(name, files(__package__).joinpath(f"{name}.yaml").read_bytes())


MAPPINGS: Mapping[str, Callable[[Profile], bytes]] = {"collectiveaccess": mapping_sheet}
"""The profiles whose importer wants to be told what is in a column, in a file beside ours."""


def mapping(name: str) -> bytes:
    """Return the file, in CSV, that tells an importer what stands where in a profile of ours.

    Raises:
        UnknownNamesError: the importer of this format needs none.
    """
    if name not in MAPPINGS:
        raise UnknownNamesError("format with a mapping sheet", {name}, MAPPINGS)
    return MAPPINGS[name](shipped(name))
