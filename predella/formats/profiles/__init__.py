"""CSV profiles: ours, one for each system, and a museum's own."""

from functools import cache
from importlib.resources import files

from predella.formats.profiles.collectiveaccess import mapping_sheet
from predella.formats.profiles.profile import Profile, ProfileColumn
from predella.formats.profiles.reading import ProfileError, read

__all__ = [
    "SHIPPED",
    "Profile",
    "ProfileColumn",
    "ProfileError",
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
