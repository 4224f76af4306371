"""Values that checkout hands down — a purchase being priced, before and while it is written — and shared arithmetic."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from loyalty.rules import apportion, cumulative_share, local_midnight, round_half_up
from members.models import Card, Member, OrgUnit

__all__ = [
    "DraftLine",
    "PurchaseDraft",
    "RefundItem",
    "apportion",
    "cumulative_share",
    "local_midnight",
    "round_half_up",
]


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line, amounts in fen. Each step of checkout returns new lines with one more column filled."""

    amount: int
    sku: str = ""
    name: str = ""
    category: str = ""
    brand: str = ""
    quantity: Decimal = Decimal(1)
    tier_discount: int = 0
    coupon_discount: int = 0
    points_used: int = 0
    points_amount: int = 0

    @property
    def net_amount(self) -> int:
        return self.amount - self.tier_discount - self.coupon_discount

    @property
    def paid_amount(self) -> int:
        """What is left for tenders other than points."""
        return self.net_amount - self.points_amount


@dataclass(frozen=True, slots=True)
class PurchaseDraft:
    """A receipt as the calculation sees it: pure facts, no database. `boost` is the points multiplier of the tier.

    `card` is the one that was shown, if one was: `member` is then whose assets it spends.
    """

    member: Member
    store: OrgUnit
    at: datetime
    lines: tuple[DraftLine, ...]
    external_number: str = ""
    tenders: tuple[tuple[str, int], ...] = ()
    boost: Decimal = Decimal(1)
    card: Card | None = None

    @property
    def list_amount(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def net_amount(self) -> int:
        return sum(line.net_amount for line in self.lines)

    @property
    def points_used(self) -> int:
        return sum(line.points_used for line in self.lines)

    @property
    def points_amount(self) -> int:
        return sum(line.points_amount for line in self.lines)


@dataclass(frozen=True, slots=True)
class RefundItem:
    """How much of one line of a purchase is given back, in fen of its net amount."""

    line_number: int
    amount: int
