"""What a worker holds: items that it claimed and has not settled, and what is fetched for them."""

from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from predella.ids import ItemId
from predella.services.ledger import Claimed

T = TypeVar("T")


@dataclass(eq=False)
class Portion(Generic[T]):
    """What is fetched for one item, or why it could not be, and all items that share it."""

    name: Hashable
    item: Claimed
    items: list[Claimed]
    """Those still in hand: it may be none any more, or others than the first."""
    future: "Future[T]" = field(default_factory=Future)

    @property
    def error(self) -> BaseException | None:
        """Why there is no ``value``."""
        return self.future.exception()

    @property
    def value(self) -> T:
        """What was fetched."""
        return self.future.result()


class Hand(Generic[T]):
    """Items by their ids, and portions by what they are called.

    Whoever shares it between threads must lock it.
    """

    def __init__(self) -> None:
        self._items: dict[ItemId, Claimed] = {}
        self._portions: dict[Hashable, Portion[T]] = {}

    def __len__(self) -> int:
        return len(self._items)

    @property
    def items(self) -> list[Claimed]:
        """Everything that is not settled."""
        return list(self._items.values())

    @property
    def has_suspect(self) -> bool:
        """Whether it holds one that may take its process down."""
        return any(item.is_suspect for item in self._items.values())

    def take(self, items: Sequence[Claimed]) -> None:
        """Hold these."""
        self._items |= {item.id: item for item in items}

    def share(self, item: Claimed, name: Hashable) -> bool:
        """Let an item share a portion of this name, if there is one on its way."""
        portion = self._portions.get(name)
        if portion is None or item.id not in self._items:
            return False
        portion.items.append(item)
        return True

    def begin(self, item: Claimed, name: Hashable) -> Portion[T]:
        """Return a new portion for an item."""
        self._portions[name] = Portion(name, item, [item])
        return self._portions[name]

    def let_go(self, items: Sequence[Claimed]) -> None:
        """Hold these no more: they are settled."""
        for item in items:
            self._items.pop(item.id, None)

    def settle(self, portion: Portion[T], items: Sequence[Claimed]) -> list[Claimed]:
        """Hold these of a portion no more, and return those that came to share it meanwhile.

        When there are none the portion is forgotten: whoever comes next begins another.
        """
        self.let_go(items)
        settled = {item.id for item in items}
        portion.items = [item for item in portion.items if item.id not in settled]
        self._forget_empty(portion)
        return list(portion.items)

    def lose(self, gone: Sequence[Claimed]) -> list[Portion[T]]:
        """Hold these no more; return the portions that nobody waits for.

        What was claimed anew meanwhile, under another token, is kept.
        """
        leases = {(item.id, item.token) for item in gone}
        self.let_go([item for item in self.items if (item.id, item.token) in leases])
        lost = []
        for portion in list(self._portions.values()):
            portion.items = [one for one in portion.items if (one.id, one.token) not in leases]
            if self._forget_empty(portion):
                lost.append(portion)
        return lost

    def _forget_empty(self, portion: Portion[T]) -> bool:
        if portion.items:
            return False
        # Another one may have taken its name since.
        if self._portions.get(portion.name) is portion:
            del self._portions[portion.name]
        return True
