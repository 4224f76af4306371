"""Arithmetic of the ledger: pure functions, no database, no clock. Money in fen, points whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from loyalty.interfaces import DraftLine


def round_half_up(number: Decimal) -> int:
    """The one rounding of money: used at the moment a number becomes a line."""
    return int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` (≥ 0) in proportion to `weights` (≥ 0) by largest remainder; ties go to the earlier. Sums to total.

    Where all weights are zero there is nothing to split over: all parts are zero.
    """
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def cumulative_share(total: int, part: int, whole: int) -> int:
    """⌊total × part ÷ whole⌋: what of `total` is due once `part` of `whole` is reached. Reaches total with whole."""
    return total * part // whole if whole else 0


def tightest(*limits: int) -> int:
    """The least of these limits, where 0 is no limit."""
    return min((limit for limit in limits if limit), default=0)


# Local days -----------------------------------------------------------------------------------------------------


def local_midnight(at: datetime, zone: ZoneInfo, *, days: int = 0) -> datetime:
    """The start of the local day of `at`, `days` days on."""
    return start_of(at.astimezone(zone).date() + timedelta(days=days), zone)


def start_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def add_months(day: date, months: int) -> date:
    """The same day, `months` on; where that month is too short, the first of the next (in the member's favour)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return day.replace(year=year, month=month + 1)
    except ValueError:
        return first_of_next_month(date(year, month + 1, 1))


def first_of_next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def expiry(earned_at: datetime, zone: ZoneInfo, *, lasts: int, unit: str, align: str) -> datetime | None:
    """The first moment at which what was earned then is no longer valid; None = never.

    Rounded up to the member's benefit: the last day counts whole. 36 months after 2021-11-21, to the month's end,
    is valid through 2024-11-30: it expires at the start of 2024-12-01.
    """
    if unit == "never":
        return None
    day = earned_at.astimezone(zone).date()
    if unit == "months":
        last = add_months(day if align == "day" else day.replace(day=1), lasts)
    else:
        last = day + timedelta(days=lasts)
    if align == "month":
        return start_of(first_of_next_month(last), zone)
    if align == "year":
        return start_of(date(last.year + 1, 1, 1), zone)
    return start_of(last + timedelta(days=1), zone)


# Earning ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EarnTerms:
    """What the arithmetic needs of an earn rule."""

    points: int
    per_amount: int
    multiplier: Decimal
    base: str
    categories: frozenset[str]
    brands: frozenset[str]
    cap_per_purchase: int
    cap_per_day: int


@dataclass(frozen=True, slots=True)
class Earned:
    """The result for one rule: how much was eligible, the floored base, and what is given after multiplier and caps."""

    eligible_amount: int
    base: int
    multiplier: Decimal
    given: int
    cap: str


def eligible_amount(lines: Iterable["DraftLine"], terms: EarnTerms) -> int:
    """What of these lines counts for a rule, in fen."""
    amount_of = {
        "paid": lambda line: line.paid_amount,
        "net": lambda line: line.net_amount,
        "list": lambda line: line.amount,
    }
    return sum(
        amount_of[terms.base](line)
        for line in lines
        if (not terms.categories or line.category in terms.categories)
        and (not terms.brands or line.brand in terms.brands)
    )


def earned(eligible: int, terms: EarnTerms, *, boost: Decimal, given_today: int) -> Earned:
    """⌊⌊eligible × points ÷ per_amount⌋ × multiplier × boost⌋, then the caps; `given_today` counts to the day's cap."""
    base = eligible * terms.points // terms.per_amount
    multiplier = terms.multiplier * boost
    given = int(base * multiplier)
    limited_by = ""
    if terms.cap_per_purchase and given > terms.cap_per_purchase:
        given, limited_by = terms.cap_per_purchase, "purchase"
    if terms.cap_per_day and given + given_today > terms.cap_per_day:
        given, limited_by = max(0, terms.cap_per_day - given_today), "day"
    return Earned(eligible, base, multiplier, given, limited_by)


def claw_back_target(given: int, *, kept: int, eligible: int) -> int:
    """How much of `given` is to be clawed back in all once only `kept` of `eligible` stands (fen)."""
    return given - cumulative_share(given, kept, eligible)


def kept_part(line: "DraftLine", refunded: int) -> "DraftLine":
    """What stands of a line after `refunded` fen of its net amount were given back: every column shrinks with it."""
    net, points_used, points_amount = line.net_amount, line.points_used, line.points_amount
    amount = line.amount - cumulative_share(line.amount, refunded, net)
    return replace(
        line,
        amount=amount,
        tier_discount=amount - (net - refunded),
        coupon_discount=0,
        points_used=points_used - cumulative_share(points_used, refunded, net),
        points_amount=points_amount - cumulative_share(points_amount, refunded, net),
    )


# Burning ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BurnTerms:
    """What the arithmetic needs of a burn rule: `points` points pay `amount` fen."""

    points: int
    amount: int
    minimum: int
    step: int
    share_cap: Decimal
    categories: frozenset[str]


def payable_with_points(lines: Iterable["DraftLine"], terms: BurnTerms) -> int:
    """How much of these lines points may pay, in fen: the share cap of the lines that the rule covers."""
    covered = sum(line.net_amount for line in lines if not terms.categories or line.category in terms.categories)
    return int(covered * terms.share_cap / 100)


def most_points(payable: int, balance: int, terms: BurnTerms) -> int:
    """The most points that may be used: within balance and payable amount, in steps, not below the minimum."""
    points = min(max(balance, 0), payable * terms.points // terms.amount)
    points -= points % terms.step
    return points if points >= max(terms.minimum, 1) else 0


def worth(points: int, terms: BurnTerms) -> int:
    """What these points pay, in fen; rounded down."""
    return points * terms.amount // terms.points
