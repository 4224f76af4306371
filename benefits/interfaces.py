"""Values with which a till, a desk or a replay asks for a checkout."""

from dataclasses import dataclass

from loyalty.interfaces import DraftLine, PurchaseDraft, RefundItem

__all__ = ["Checkout", "DraftLine", "PurchaseDraft", "RefundItem"]


@dataclass(frozen=True, slots=True)
class Checkout:
    """A basket as sent (`draft`: member, store, time, lines, external number, tenders of money), and what is to pay it.

    `coupons` are codes, `points` how many to use. `quote` is the token of the quote that the customer has agreed to;
    empty: whatever the price is now.
    """

    draft: PurchaseDraft
    coupons: tuple[str, ...] = ()
    points: int = 0
    quote: str = ""
