"""Arithmetic of benefits: pure functions, no database, no clock. Money in fen.

The order of a checkout: tier price → coupons → points → (later) stored value. The first two are priced here, points by
loyalty; each step fills one more column of the lines.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

from benefits.errors import (
    CouponBelowThreshold,
    CouponExpired,
    CouponNotForThisStore,
    CouponNotYetValid,
)
from loyalty.interfaces import (
    DraftLine,
    PurchaseDraft,
    apportion,
    cumulative_share,
    local_midnight,
    round_half_up,
)

# Tiers ------------------------------------------------------------------------------------------------------------


class Rung(Protocol):
    threshold: int


RungT = TypeVar("RungT", bound=Rung)


def reached(spend: int, ladder: Sequence[RungT]) -> RungT:
    """The highest rung whose threshold is met; the lowest is everybody's. `ladder` is from low to high."""
    return next((rung for rung in reversed(ladder) if rung.threshold <= spend), ladder[0])


def window(at: datetime, days: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The last `days` local days, that of `at` among them, half-open: a purchase counts for exactly so many days."""
    return local_midnight(at, zone, days=1 - days), local_midnight(at, zone, days=1)


# Price ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TierTerms:
    """What a tier gives at one business and moment: `percent` of the price is to be paid, points are multiplied."""

    percent: Decimal = Decimal(100)
    points_multiplier: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class CouponTerms:
    """What a coupon promised when it was issued. `places` are the nodes below which it is good, by id."""

    amount: int
    threshold: int
    places: frozenset[int]
    categories: frozenset[str]
    valid_from: datetime
    valid_until: datetime

    @classmethod
    def of(cls, snapshot: dict[str, Any], valid_from: datetime, valid_until: datetime) -> Self:
        return cls(
            amount=snapshot["amount"],
            threshold=snapshot["threshold"],
            places=frozenset(snapshot["places"]),
            categories=frozenset(snapshot["categories"]),
            valid_from=valid_from,
            valid_until=valid_until,
        )

    def covers(self, line: DraftLine) -> bool:
        return not self.categories or line.category in self.categories


@dataclass(frozen=True, slots=True)
class Priced:
    """A draft with tier and coupon columns filled, and what each coupon took off, in the order given."""

    draft: PurchaseDraft
    discounts: tuple[int, ...]


def price(
    draft: PurchaseDraft, tier: TierTerms, coupons: Sequence[CouponTerms] = (), *, lineage: Iterable[int] = ()
) -> Priced:
    """Tier price, then coupons one after the other. `lineage` is the store and every node above it, by id.

    Raises what `coupon_discount` raises.
    """
    lines = at_tier_price(draft.lines, tier.percent)
    above, discounts = frozenset(lineage), []
    for coupon in coupons:
        weights = [line.net_amount if coupon.covers(line) else 0 for line in lines]
        discount = coupon_discount(sum(weights), coupon, at=draft.at, lineage=above)
        lines = _less(lines, apportion(discount, weights))
        discounts.append(discount)
    return Priced(replace(draft, lines=lines, boost=tier.points_multiplier), tuple(discounts))


def at_tier_price(lines: Iterable[DraftLine], percent: Decimal) -> tuple[DraftLine, ...]:
    """Each line at `percent` of its amount, rounded half up line by line."""
    return tuple(
        replace(line, tier_discount=line.amount - round_half_up(line.amount * percent / 100)) for line in lines
    )


def coupon_discount(covered: int, coupon: CouponTerms, *, at: datetime, lineage: frozenset[int]) -> int:
    """What a coupon takes off `covered` fen: its amount, or all of it if that is less.

    Raises CouponNotYetValid, CouponExpired, CouponNotForThisStore, CouponBelowThreshold.
    """
    if at < coupon.valid_from:
        raise CouponNotYetValid(field="coupons", valid_from=coupon.valid_from.isoformat())
    if at >= coupon.valid_until:
        raise CouponExpired(field="coupons", valid_until=coupon.valid_until.isoformat())
    if not coupon.places & lineage:
        raise CouponNotForThisStore(field="coupons")
    if covered < coupon.threshold or covered == 0:
        raise CouponBelowThreshold(field="coupons", threshold=coupon.threshold, covered=covered)
    return min(coupon.amount, covered)


def _less(lines: Sequence[DraftLine], parts: Sequence[int]) -> tuple[DraftLine, ...]:
    return tuple(
        replace(line, coupon_discount=line.coupon_discount + part) for line, part in zip(lines, parts, strict=True)
    )


# Coupons ----------------------------------------------------------------------------------------------------------

CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: nothing that people read as something else
CODE_LENGTH = 16


def new_coupon_code() -> str:
    """Eighty random bits: a code can't be guessed, and two are never the same."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def canonical_code(written: str) -> str:
    """A code as people type it: any case, with spaces or dashes, O for 0 and I or L for 1."""
    text = written.upper().translate(str.maketrans("OIL", "011"))
    return "".join(character for character in text if character in CODE_ALPHABET)


class Validity(Protocol):
    """What a template says of when its coupons are good."""

    validity: str
    valid_from: Any  # datetimes, where validity is "dates"
    valid_until: Any
    from_day: int
    for_days: int


def coupon_period(template: Validity, issued_at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when until before when a coupon issued now is good: fixed dates, or whole local days counted from today."""
    if template.validity == "dates":
        return template.valid_from, template.valid_until
    begins = local_midnight(issued_at, zone, days=template.from_day) if template.from_day else issued_at
    return begins, local_midnight(issued_at, zone, days=template.from_day + template.for_days)


# Charges ----------------------------------------------------------------------------------------------------------

Share = dict[str, Any]


def is_whole(shares: Iterable[Share]) -> bool:
    """Whether shares by percent sum to 100."""
    return sum(Decimal(share["percent"]) for share in shares) == 100


def split(amount: int, shares: Sequence[Share], *, redeemer: int) -> list[Share]:
    """Who bears how much of `amount`: largest remainder, ties to the earlier share. A payer of None is the redeemer."""
    parts = apportion(amount, [int(Decimal(share["percent"]) * 100) for share in shares])
    return [{"payer": share["payer"] or redeemer, "amount": part} for share, part in zip(shares, parts, strict=True)]


def undoing_shares(original: Sequence[Share], undone: Sequence[Sequence[Share]], target: int) -> list[Share]:
    """What brings the undone part of a charge up to `target`, each payer in the original ratio; amounts ≤ 0 in sum.

    `undone` are the shares of what has undone it so far (negative). The targets are cumulative, so that partial
    refunds in any order end where a full one ends. The price of that: with three payers or more, one payer's target
    may fall by a fen while the whole rises (largest remainder's paradox), and his amount is then +1.
    """
    due = apportion(target, [share["amount"] for share in original])
    done = [sum(shares[i]["amount"] for shares in undone) for i in range(len(original))]
    return [
        {"payer": share["payer"], "amount": -part - before}
        for share, part, before in zip(original, due, done, strict=True)
    ]


class RefundableLine(Protocol):
    coupon_discount: int
    refunded_amount: int
    net_amount: int


def coupon_part_refunded(lines: Sequence[RefundableLine], charged: int) -> int:
    """How much of a coupon's charge is to be undone in all, for what has been refunded of its purchase line by line.

    Once nothing is left to refund it is all of it, also what lay on lines that the coupon made free.
    """
    if all(line.refunded_amount == line.net_amount for line in lines):
        return charged
    undone = sum(cumulative_share(line.coupon_discount, line.refunded_amount, line.net_amount) for line in lines)
    return cumulative_share(charged, undone, sum(line.coupon_discount for line in lines))
