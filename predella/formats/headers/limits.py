"""How large a picture may be, in words for those who made it."""

from predella.errors import RefusedImageError

MIN_SIDE = 16


def require_size(width: int, height: int, *, max_pixels: int) -> None:
    """Refuse a picture that is larger or smaller than what is taken.

    Raises:
        RefusedImageError: it is.
    """
    if width * height > max_pixels:
        sentence = (
            f"The picture has {width} x {height} pixels; at most {max_pixels:,} are"
            " taken. Hand in a smaller derivative."
        )
        raise RefusedImageError("too_many_pixels", sentence)
    if min(width, height) < MIN_SIDE:
        sentence = (
            f"The picture has {width} x {height} pixels; it takes at least {MIN_SIDE} on each"
            " side to see anything. Was a thumbnail or a placeholder handed in?"
        )
        raise RefusedImageError("too_small", sentence)


def require_bytes(size: int, *, max_bytes: int) -> None:
    """Refuse a file that holds nothing, or more than what is taken.

    Raises:
        RefusedImageError: it does.
    """
    if size == 0:
        raise RefusedImageError("empty", "The file is empty. Copy it again.")
    if size > max_bytes:
        sentence = (
            f"The file has {size:,} bytes; at most {max_bytes:,} are taken."
            " Hand in a smaller derivative."
        )
        raise RefusedImageError("too_many_bytes", sentence)
