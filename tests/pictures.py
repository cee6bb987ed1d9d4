"""Small pictures as digitization teams hand them in, with or without metadata in them."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SIDE = 16
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_ARTWORK = (
    "<rdf:li rdf:parseType='Resource'><Iptc4xmpExt:AOSourceInvNo>{}"
    "</Iptc4xmpExt:AOSourceInvNo></rdf:li>"
)


def tiny(words: str = "", *, side: int = SIDE) -> bytes:
    """Return the smallest PNG that is taken; other words make other bytes."""
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side + 1) * side))
    chunks = ((b"IHDR", head), (b"tEXt", b"Comment\0" + words.encode()), (b"IDAT", rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in (*chunks, (b"IEND", b"")))


def picture(form: str, *, xmp: str = "", iim: bytes = b"", **options: Any) -> bytes:
    """Return a picture of 40 x 30 pixels with these blocks of metadata, where its format allows."""
    out = BytesIO()
    packet = xmp.encode()
    if form == "PNG" and packet:
        options["pnginfo"] = info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp)
    if form == "TIFF":
        blocks = {700: packet, 33723: iim}
        options["tiffinfo"] = {tag: block for tag, block in blocks.items() if block}
    if form == "WEBP" and packet:
        options["xmp"] = packet
    if form == "JPEG":
        options["extra"] = _segments(packet, iim)
    Image.new("RGB", (40, 30), "teal").save(out, form, **options)
    if form == "JPEG2000" and packet:
        out.write(_box(b"uuid", _UUID + packet))
    return out.getvalue()


def packet(properties: str) -> str:
    """Return XMP with these properties, as elements."""
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>"
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'"
        " xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/'"
        " xmlns:Iptc4xmpExt='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'>"
        f"{properties}</rdf:Description></rdf:RDF></x:xmpmeta>{' ' * 200}<?xpacket end='w'?>"
    )


def artworks(*numbers: str) -> str:
    """Return XMP that says which objects, by their inventory numbers, a picture shows."""
    shown = "".join(map(_ARTWORK.format, numbers))
    return packet(
        "<Iptc4xmpExt:ArtworkOrObject><rdf:Bag>"
        + shown
        + "</rdf:Bag></Iptc4xmpExt:ArtworkOrObject>"
    )


def datasets(*values: tuple[int, int, bytes]) -> bytes:
    """Return IPTC-IIM with these records, numbers and values."""
    return b"".join(
        struct.pack(">BBBH", 0x1C, record, number, len(value)) + value
        for record, number, value in values
    )


def _segments(packet: bytes, iim: bytes) -> bytes:
    made = b""
    if packet:
        made += _segment(0xE1, _XMP + packet)
    if iim:
        other = b"8BIM\x03\xed\0\0" + struct.pack(">I", 3) + b"odd\0"
        resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iim)) + iim + b"\0" * (len(iim) % 2)
        made += _segment(0xED, _PHOTOSHOP + other + resource)
    return made


def _segment(code: int, held: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(held) + 2) + held


def _box(name: bytes, held: bytes) -> bytes:
    return struct.pack(">I4s", len(held) + 8, name) + held


def _chunk(name: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held))
