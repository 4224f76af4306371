"""Who stands on which tier, what that gives him, and the upgrade at the moment a purchase reaches it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Sum

from benefits.models import MemberTier, Tier, TierPrice, TierProgramme
from benefits.rules import TierTerms, reached, window
from loyalty.models import Purchase
from members import events
from members.interfaces import Origin
from members.models import Member, OrgUnit
from members.services.memory import Memory
from members.services.organisation import group

Reason = MemberTier.Reason

# Read on every purchase, changed now and then: kept a few seconds in the process.
_memory = Memory(seconds=5)


@dataclass(frozen=True, slots=True)
class Ladder:
    """A programme with its tiers from low to high, and what each pays where, in percent."""

    programme: TierProgramme
    tiers: tuple[Tier, ...]
    percents: dict[tuple[int, int], Decimal]  # (tier, business) → percent

    @property
    def lowest(self) -> Tier:
        return self.tiers[0]

    @property
    def highest(self) -> Tier:
        return self.tiers[-1]

    def tier(self, key: int) -> Tier:
        """The tier with this key; one added since the ladder was read is fetched."""
        return next((tier for tier in self.tiers if tier.pk == key), None) or Tier.objects.get(pk=key)

    def above(self, tier: Tier) -> Tier | None:
        return next((higher for higher in self.tiers if higher.rank > tier.rank), None)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands now and what is missing to the next tier, in fen. `next_tier` is None at the top."""

    programme: TierProgramme
    tier: Tier
    since: datetime | None
    spend: int
    next_tier: Tier | None

    @property
    def missing(self) -> int:
        return max(self.next_tier.threshold - self.spend, 0) if self.next_tier else 0

    @property
    def percent(self) -> int:
        """How far the next tier has come, for a bar: 0 to 100."""
        return min(self.spend * 100 // self.next_tier.threshold, 100) if self.next_tier else 100

    @property
    def missing_to_stay(self) -> int:
        """What the next review would miss for the present tier, as the window stands now."""
        return 0 if self.tier.rank == 0 else max(self.tier.threshold - self.spend, 0)


def ladder(at: datetime) -> Ladder | None:
    """The group's programme, if it has tiers and has begun by then."""
    found = next(iter(_memory.get("group", _load)), None)
    return found if found and found.programme.starts_at <= at else None


def forget() -> None:
    """Read the programme again at once, in this process."""
    _memory.forget()


def terms_of(member: Member, store: OrgUnit, at: datetime) -> tuple[Tier | None, TierTerms]:
    """The member's tier and what it gives at a store: nothing before the programme's benefits begin."""
    found = ladder(at)
    if found is None:
        return None, TierTerms()
    tier = _held(member, found, at)
    if at < found.programme.benefits_from:
        return tier, TierTerms()
    percent = found.percents.get((tier.pk, store.business_id), Decimal(100))
    return tier, TierTerms(percent=percent, points_multiplier=tier.points_multiplier)


def standing(member: Member, at: datetime) -> Standing | None:
    """What a page shows of a member's tier; None where no programme has begun."""
    found = ladder(at)
    if found is None:
        return None
    row = _open_row(member, found)
    tier = row.tier if row else found.lowest
    spend = spend_of(member, found.programme, at)
    return Standing(found.programme, tier, row and row.since, spend, found.above(tier))


def spend_of(member: Member, programme: TierProgramme, at: datetime) -> int:
    """What the member has spent and kept in the programme's window, in fen; a refund counts on its purchase's day."""
    start, end = window(at, programme.window_days, group().zone)
    bought = Purchase.objects.filter(member=member, at__gte=start, at__lt=end)
    return bought.aggregate(n=Sum(F("net_amount") - F("refunded_amount"), default=0))["n"]


def review(member: Member, *, origin: Origin) -> MemberTier | None:
    """Upgrade at once if the window has reached a higher tier; down goes only the nightly review.

    The caller holds the lock on the member's points account, under which all tier changes are made. A purchase that
    arrives late can't rewrite history: it counts from the beginning of the open row.
    """
    found = ladder(origin.at)
    if found is None:
        return None
    current = _open_row(member, found) or _start(member, found, origin.at)
    if current.tier.rank >= found.highest.rank:
        return None
    at = max(origin.at, current.since)
    spend = spend_of(member, found.programme, at)
    target = reached(spend, found.tiers)
    if target.rank <= current.tier.rank:
        return None
    return move(current, target, at=at, spend=spend, reason=Reason.UPGRADE, origin=origin)


def lift(member: Member, code: str, *, origin: Origin) -> MemberTier | None:
    """Put a member at least on the tier with this code, whatever he has spent; None where he stands there or higher.

    The caller holds the lock on the member's points account, as for `review`.
    """
    found = ladder(origin.at)
    target = next((tier for tier in found.tiers if tier.code == code), None) if found else None
    if found is None or target is None:
        return None
    current = _open_row(member, found) or _start(member, found, origin.at)
    if current.tier.rank >= target.rank:
        return None
    at = max(origin.at, current.since)
    spend = spend_of(member, found.programme, at)
    return move(current, target, at=at, spend=spend, reason=Reason.MANUAL, origin=origin)


def move(current: MemberTier, target: Tier, *, at: datetime, spend: int, reason: Reason, origin: Origin) -> MemberTier:
    """Close the open row and open the next one at the same instant."""
    current.until = at
    current.save(update_fields=["until"])
    row = MemberTier.objects.create(
        member=current.member,
        programme=current.programme,
        tier=target,
        since=at,
        reason=reason,
        spend=spend,
    )
    record_change(row, before=current.tier, origin=origin)
    return row


def record_change(row: MemberTier, *, before: Tier | None, origin: Origin) -> None:
    data = {
        "programme": row.programme.code,
        "from": before.code if before else None,
        "to": row.tier.code,
        "reason": row.reason,
        "spend": row.spend,
    }
    events.record("tier.changed", origin=origin, member=row.member, data=data)


def _load() -> tuple[Ladder, ...]:
    programme = TierProgramme.objects.active().filter(org_unit__kind=OrgUnit.Kind.GROUP).first()
    tiers = tuple(programme.tiers.order_by("rank")) if programme else ()
    if not tiers:
        return ()
    prices = TierPrice.objects.filter(tier__in=tiers)
    percents = {(price.tier_id, price.business_id): price.percent for price in prices}
    return (Ladder(programme, tiers, percents),)


def _held(member: Member, found: Ladder, at: datetime) -> Tier:
    rows = MemberTier.objects.at(at).filter(member=member, programme=found.programme)
    key = rows.values_list("tier", flat=True).first()
    return found.tier(key) if key else found.lowest


def _open_row(member: Member, found: Ladder) -> MemberTier | None:
    """Where the member stands now. It is read on every purchase, and what it refers to is known: nothing is joined."""
    row = MemberTier.objects.open().filter(member=member, programme=found.programme).first()
    if row:
        row.member, row.programme, row.tier = member, found.programme, found.tier(row.tier_id)
    return row


def _start(member: Member, found: Ladder, at: datetime) -> MemberTier:
    """The first row: on the lowest tier since he joined, or since the programme began."""
    since = min(max(member.registered_at, found.programme.starts_at), at)
    first = MemberTier(
        member=member, programme=found.programme, tier=found.lowest, since=since, reason=Reason.START, spend=0
    )
    # The nightly review may be starting a member who has no account to lock yet: then its row is the one.
    MemberTier.objects.bulk_create([first], ignore_conflicts=True)
    return _open_row(member, found) or first
