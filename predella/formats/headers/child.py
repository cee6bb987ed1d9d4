"""The process that looks at headers: one after another, until its parent hangs up."""

from typing import Any

from predella.confined import confinement
from predella.confined.serving import Answer, serve
from predella.formats import headers
from predella.formats.headers import Field, Pieces, packets

_MEMORY = 1 << 29
"""Bytes of address space; Python and lxml take a fifth of it."""
_CPU_SECONDS = 5


def main() -> None:
    """Serve the socket that is our standard input."""
    packets.values(b"<a><!-- so that nothing is left to be loaded later --></a>", ("b",))
    serve(_answered)


def _answered(asked: dict[str, Any], parts: list[bytes], _files: list[int]) -> Answer:
    confinement.grant(memory=_MEMORY, cpu_seconds=_CPU_SECONDS)
    wanted = asked["field"]
    pieces = Pieces(asked["size"], zip(asked["starts"], parts, strict=True))
    header = headers.read(pieces, Field.parse(wanted) if wanted else None)
    size = header.size and [header.size.width, header.size.height]
    return {"size": size, "values": header.values, "more": header.more}, []


if __name__ == "__main__":
    main()
