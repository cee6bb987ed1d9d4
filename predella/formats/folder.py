"""A folder of small documents as one stream: a tar archive that is the same every time.

POSIX.1-2001 (pax), which every ``tar`` reads; the names may hold any letters.
"""

import tarfile

MEDIA_TYPE = "application/x-tar"
SUFFIX = ".tar"
BEGIN = b""
SEPARATOR = b""
END = bytes(2 * tarfile.BLOCKSIZE)
_MAY_READ = 0o644


def member(name: str, data: bytes) -> bytes:
    """Return one file of the archive, with no time and no owner of its own."""
    about = tarfile.TarInfo(name)
    about.size, about.mode = len(data), _MAY_READ
    return about.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)
