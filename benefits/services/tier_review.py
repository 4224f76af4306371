"""The nightly review: who stands where by what he has spent in the window, found in one statement a batch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max, Min

from benefits.models import MemberTier, Tier
from benefits.rules import window
from benefits.services.tiers import Ladder, Reason, ladder, record_change
from loyalty.models import Account, Asset
from loyalty.services.clock import clock_origin
from members.models import Member
from members.services.organisation import group

BATCH = 5000  # members a statement

# Members of a range (or only some of them) whose tier is not what their window says; without a row yet: all of them.
# A card that carries a tier keeps its holder there until it is closed or expired; while it is lost, too.
MOVERS = """
    WITH spent AS (
        SELECT member_id, SUM(net_amount - refunded_amount)::bigint AS spend
        FROM loyalty_purchase
        WHERE at >= %(start)s AND at < %(end)s AND member_id >= %(low)s AND member_id < %(high)s
        GROUP BY member_id
    ),
    carried AS (
        SELECT card.member_id, MAX(tier.rank) AS rank
        FROM members_card card
        JOIN members_cardtype card_type ON card_type.id = card.card_type_id
        JOIN benefits_tier tier ON tier.programme_id = %(programme)s AND tier.code = card_type.carries_tier
        WHERE card.state IN ('active', 'frozen', 'lost') AND card.member_id >= %(low)s AND card.member_id < %(high)s
        GROUP BY card.member_id
    )
    SELECT member.id, member.member_no, held.id, held.since, held.tier_id, target.id, COALESCE(spent.spend, 0)
    FROM members_member member
    LEFT JOIN benefits_membertier held
        ON held.member_id = member.id AND held.programme_id = %(programme)s AND held.until IS NULL
    LEFT JOIN spent ON spent.member_id = member.id
    LEFT JOIN carried ON carried.member_id = member.id
    CROSS JOIN LATERAL (
        SELECT tier.id FROM benefits_tier tier
        WHERE tier.programme_id = %(programme)s
            AND (tier.threshold <= COALESCE(spent.spend, 0) OR tier.rank <= carried.rank OR tier.id = %(lowest)s)
        ORDER BY tier.rank DESC LIMIT 1
    ) target
    WHERE member.id >= %(low)s AND member.id < %(high)s AND member.status = 'active'
        AND (%(only)s::bigint[] IS NULL OR member.id = ANY(%(only)s))
        AND held.tier_id IS DISTINCT FROM target.id
    ORDER BY member.id
"""


@dataclass(frozen=True, slots=True)
class Mover:
    """A member whom the review moves, or would: from where (None: from no tier yet) to where, by which spend in fen."""

    member_id: int
    member_no: str
    row_id: int | None
    since: datetime | None
    before: Tier | None
    target: Tier
    spend: int

    @property
    def reason(self) -> Reason:
        if self.before is None:
            return Reason.START
        return Reason.UPGRADE if self.target.rank > self.before.rank else Reason.DOWNGRADE


def movers(at: datetime) -> Iterator[Mover]:
    """The dry run: everybody whom `review_all` would move from one tier to another. Changes nothing."""
    found = ladder(at)
    if found is None:
        return
    for low in _batches():
        yield from (mover for mover in _movers(found, at, low) if (mover.before or found.lowest) != mover.target)


def review_all(at: datetime, *, progress: Callable[[int], None] | None = None) -> int:
    """Bring everybody's tier to what the window says, up and down, batch by batch. Returns how many were moved."""
    found, moved = ladder(at), 0
    if found is None:
        return 0
    for low in _batches():
        candidates = [mover.member_id for mover in _movers(found, at, low)]
        if candidates:
            moved += _review(found, at, low, candidates)
        if progress:
            progress(moved)
    return moved


@transaction.atomic
def _review(found: Ladder, at: datetime, low: int, candidates: Sequence[int]) -> int:
    """Lock the candidates' accounts, look again, and write: an upgrade that has just happened is not undone."""
    accounts = Account.objects.select_for_update().filter(member__in=candidates, asset=Asset.POINTS)
    list(accounts.order_by("pk").values_list("pk"))
    due = list(_movers(found, at, low, only=candidates))
    _write(found, at, due)
    return sum(mover.before is not None for mover in due)


def _write(found: Ladder, at: datetime, due: Sequence[Mover]) -> None:
    members = Member.objects.in_bulk([mover.member_id for mover in due])
    begins = {mover.member_id: max(at, mover.since or at) for mover in due}
    closed = [MemberTier(pk=mover.row_id, until=begins[mover.member_id]) for mover in due if mover.row_id]
    MemberTier.objects.bulk_update(closed, ["until"], batch_size=1000)
    opened = [
        MemberTier(
            member=members[mover.member_id],
            programme=found.programme,
            tier=mover.target,
            since=begins[mover.member_id],
            reason=mover.reason,
            spend=mover.spend,
        )
        for mover in due
    ]
    # A first purchase may be starting somebody who has no account to lock yet: then its row is the one.
    MemberTier.objects.bulk_create(opened, ignore_conflicts=True, batch_size=1000)
    origin = clock_origin(f"tiers:{at.isoformat()}", at)
    for mover, row in zip(due, opened, strict=True):
        if (mover.before or found.lowest) != mover.target:
            record_change(row, before=mover.before, origin=origin)


def _movers(found: Ladder, at: datetime, low: int, *, only: Sequence[int] | None = None) -> Iterator[Mover]:
    start, end = window(at, found.programme.window_days, group().zone)
    params = {
        "start": start,
        "end": end,
        "low": low,
        "high": low + BATCH,
        "programme": found.programme.pk,
        "lowest": found.lowest.pk,
        "only": None if only is None else list(only),
    }
    tiers = {tier.pk: tier for tier in found.tiers}
    with connection.cursor() as cursor:
        cursor.execute(MOVERS, params)
        rows = cursor.fetchall()
    for member_id, member_no, row_id, since, before, target, spend in rows:
        yield Mover(member_id, member_no, row_id, since, tiers.get(before), tiers[target], spend)


def _batches() -> Iterator[int]:
    """The lower ends of ranges of member ids."""
    ends = Member.objects.aggregate(low=Min("pk"), high=Max("pk"))
    return iter(range(ends["low"], ends["high"] + 1, BATCH)) if ends["low"] else iter(())
