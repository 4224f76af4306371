"""One visit to a shop, whole or split into the businesses that sold a part of it."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

OTHER = "OTHER"  # postage, charity, coupons, unknown products: belongs to no business and earns nothing
ZONE = ZoneInfo("America/New_York")  # where the shops stand: their days are days of this zone


@dataclass(frozen=True, slots=True)
class Line:
    """One product in a basket, `amount` in cents. Quantity is left out: gasoline's is on another scale."""

    product: int
    amount: int
    format: str
    name: str
    category: str
    brand: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What becomes one purchase: a basket, or the part of it that one format sold."""

    reference: str
    basket: int
    household: int
    store: int
    format: str
    at: datetime
    lines: tuple[Line, ...]

    @property
    def amount(self) -> int:
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True, slots=True)
class Basket:
    """One household in one store at one moment (aware, UTC)."""

    number: int
    household: int
    store: int
    at: datetime
    lines: tuple[Line, ...]

    def whole(self, format: str) -> Receipt:
        """All lines as one receipt of the business `format`."""
        return Receipt(str(self.number), self.number, self.household, self.store, format, self.at, self.lines)

    def split(self) -> list[Receipt]:
        """One receipt for each format that sold something, in the order in which they first occur."""
        parts: dict[str, list[Line]] = {}
        for line in self.lines:
            parts.setdefault(line.format, []).append(line)
        return [
            Receipt(f"{self.number}:{name}", self.number, self.household, self.store, name, self.at, tuple(part))
            for name, part in parts.items()
        ]
