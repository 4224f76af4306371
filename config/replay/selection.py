"""Which receipts are sent, and in which order."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

import numpy as np

from config.complete_journey import FORMATS, Journey, Receipt
from config.demo.businesses import WHOLE_BASKETS
from config.demo.edition import Edition, Rule

# The data's own examples, with figures to compare, come first in every sample.
EXAMPLES = (1, 900)
REFUND_DELAY = timedelta(days=3)


@dataclass(frozen=True)
class Selection:
    """Positions of baskets, in the order in which they are sent; a household's are always in the order of time."""

    journey: Journey
    edition: Edition
    positions: np.ndarray
    refunds_until: datetime | None = None

    def __len__(self) -> int:
        return len(self.positions)

    def receipts(self, positions: Iterable[int]) -> Iterator[Receipt]:
        """What baskets become: one receipt each (rule A), or one for each format (rule B)."""
        for position in positions:
            basket = self.journey.basket(position)
            yield from [basket.whole(WHOLE_BASKETS)] if self.edition.rule == Rule.A else basket.split()

    def is_refunded(self, receipt: Receipt) -> bool:
        """The data has no refunds: one basket in fifty is given back whole, if it cost anything, three days later."""
        if not self.refunds_until or digest(receipt.basket) % 50 or not receipt.amount:
            return False
        return self.edition.at(receipt.at) + REFUND_DELAY < self.refunds_until

    @property
    def purchases(self) -> int:
        """How many receipts these baskets become."""
        if self.edition.rule == Rule.A:
            return len(self)
        return len(np.unique(self._cells(self.journey.basket_of_line)))

    def households(self) -> list[int]:
        return np.unique(self.journey.household[self.positions]).tolist()

    def stores(self) -> Iterator[tuple[int, str]]:
        """All pairs (store, format) that these baskets need."""
        journey = self.journey
        if self.edition.rule == Rule.A:
            for store in np.unique(journey.store[self.positions]).tolist():
                yield store, WHOLE_BASKETS
            return
        pairs = np.unique(self._cells(journey.store[journey.basket_of_line]))
        for pair in pairs.tolist():
            yield pair // len(FORMATS), FORMATS[pair % len(FORMATS)]

    def _cells(self, key: np.ndarray) -> np.ndarray:
        """A number for each selected line that holds a key (of its basket) and its format."""
        lines = np.isin(self.journey.basket_of_line, self.positions)
        return key[lines].astype(np.int64) * len(FORMATS) + self.journey.formats[lines]

    def shuffled(self, seed: int) -> "Selection":
        order = self.positions.tolist()
        random.Random(seed).shuffle(order)
        return replace(self, positions=np.array(order, dtype=self.positions.dtype))

    def lanes(self, count: int, *, by_household: bool) -> list[np.ndarray]:
        """Deal out to workers: by household, so that each member's purchases stay in order, or one by one."""
        key = self.journey.household[self.positions] if by_household else np.arange(len(self))
        return [self.positions[key % count == lane] for lane in range(count)]


def select(
    journey: Journey,
    edition: Edition,
    *,
    households: int = 0,
    baskets: int = 0,
    refunds_until: datetime | None = None,
) -> Selection:
    """The first so many households (the same ones each time, spread over the data) or baskets; 0 = all."""
    positions = np.arange(len(journey))
    if households:
        positions = journey.of_households(sample(journey, households))
    return Selection(journey, edition, positions[:baskets] if baskets else positions, refunds_until)


def sample(journey: Journey, count: int) -> list[int]:
    """Households in an order of chance that never changes, the examples first."""
    others = sorted(set(journey.household.tolist()) - set(EXAMPLES), key=lambda number: digest(number))
    return [*EXAMPLES, *others][:count]


def digest(number: int) -> int:
    return int(sha256(str(number).encode()).hexdigest(), 16)
