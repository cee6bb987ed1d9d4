"""Lists of words, written as people write them."""


def words(said: str) -> frozenset[str]:
    """Return the words of a list that are parted by spaces."""
    return frozenset(said.split())
