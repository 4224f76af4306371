"""What a card may spend: whether it is good at this moment, of which asset, and how much is left of its limits.

Who spends holds the account's lock and takes the card FOR SHARE; who blocks a card takes it FOR UPDATE. So a payment is
either before the block, and the block waits for it, or after it, and sees it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F, QuerySet, Sum
from django.utils.translation import gettext as _

from loyalty.errors import CardAssetNotAllowed, CardLimitExceeded, CardLimitTooHigh, CardNotUsable
from loyalty.models import Account, CardAllowance, CardLimit, Hold, Transaction
from loyalty.rules import local_midnight, tightest
from members.errors import MemberClosed, MemberFrozen
from members.events import record
from members.interfaces import Answer, Origin
from members.models import Card, Member
from members.services.card_states import OVER
from members.services.organisation import group
from members.services.requests import idempotent

Kind = Transaction.Kind

# Read after waiting for whoever blocks the card: READ COMMITTED gives the row as he left it.
STANDING = """
    SELECT card.state, card.expires_at, coalesce(card.principal_id, card.member_id), holder.status
    FROM members_card card LEFT JOIN members_member holder ON holder.id = card.member_id
    WHERE card.id = %s
"""
LOCKED = f"{STANDING} FOR SHARE OF card"

# A replacement goes on where its predecessors stopped: the nearest limit counts, and so does all that they have spent.
# What was given back is taken off the day on which it was spent; an open hold, however old, may be captured today.
ROOM = """
    WITH RECURSIVE line AS (
        SELECT id, replaces_id, 0 AS age FROM members_card WHERE id = %(card)s
        UNION ALL
        SELECT earlier.id, earlier.replaces_id, line.age + 1
        FROM members_card earlier JOIN line ON earlier.id = line.replaces_id
    ),
    spent AS (
        SELECT transaction.id, transaction.quantity
        FROM loyalty_transaction transaction JOIN loyalty_account account ON account.id = transaction.account_id
        WHERE transaction.card_id = ANY (ARRAY(SELECT id FROM line))
          AND transaction.posted_at >= %(since)s AND transaction.posted_at < %(until)s
          AND transaction.kind IN ('burn', 'capture') AND account.asset = %(asset)s
    ),
    given_back AS (
        SELECT sum(undoing.quantity) AS quantity
        FROM loyalty_transaction undoing JOIN spent ON undoing.undoes_id = spent.id
        WHERE undoing.kind = 'restore'
    ),
    held AS (
        SELECT sum(hold.quantity) AS quantity
        FROM loyalty_hold hold JOIN loyalty_account account ON account.id = hold.account_id
        WHERE hold.card_id = ANY (ARRAY(SELECT id FROM line))
          AND hold.state = 'open' AND account.asset = %(asset)s
    )
    SELECT allowance.per_use, allowance.per_day, coalesce(own.per_use, 0), coalesce(own.per_day, 0),
           coalesce((SELECT -sum(quantity) FROM spent), 0) - coalesce((SELECT quantity FROM given_back), 0)
           + coalesce((SELECT quantity FROM held), 0)
    FROM loyalty_cardallowance allowance
    LEFT JOIN LATERAL (
        SELECT own.per_use, own.per_day FROM loyalty_cardlimit own JOIN line ON line.id = own.card_id
        WHERE own.asset = %(asset)s ORDER BY line.age LIMIT 1
    ) own ON true
    WHERE allowance.card_type_id = %(card_type)s AND allowance.asset = %(asset)s
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most at once and most a day, in points or fen; 0 = without limit."""

    per_use: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Room:
    """What the type allows, what the card allows itself, and what the day has taken already."""

    by_type: Limits
    own: Limits
    spent: int

    @property
    def per_use(self) -> int:
        return tightest(self.by_type.per_use, self.own.per_use)

    @property
    def per_day(self) -> int:
        return tightest(self.by_type.per_day, self.own.per_day)

    @property
    def left(self) -> int | None:
        """What may be spent at once now; None = without limit."""
        today = max(self.per_day - self.spent, 0) if self.per_day else None
        limits = [limit for limit in (self.per_use or None, today) if limit is not None]
        return min(limits, default=None)


def admit(card: Card, account: Account, quantity: int, *, origin: Origin) -> None:
    """Let a card spend so much of this locked account, and keep it from being blocked until the transaction ends.

    A quantity of 0 asks only whether the card is good.
    Raises CardNotUsable, MemberFrozen or MemberClosed of its holder, CardAssetNotAllowed, CardLimitExceeded.
    """
    _require_good(_standing(LOCKED, card), account.member_id, at=origin.posted_at)
    _require_room(card, account.asset, quantity, at=origin.posted_at)


def admit_capture(held: Hold, account: Account, *, origin: Origin) -> Card | None:
    """The card that captures: that of the hold, or the one that has replaced it. Its limits were asked by the hold.

    Raises CardNotUsable, MemberFrozen, MemberClosed: what a blocked card has set aside is released, not spent.
    """
    card = held.card
    if card is None:
        return None
    standing = _standing(LOCKED, card)
    while standing.state == Card.State.REPLACED:
        card = Card.objects.get(replaces=card)
        standing = _standing(LOCKED, card)
    _require_good(standing, account.member_id, at=origin.posted_at)
    return card


def check(card: Card, asset: str, quantity: int, *, at: datetime) -> None:
    """The same question without a lock, for a quote. Raises what `admit` raises."""
    spender = card.spender
    _require_good(_standing(STANDING, card), spender.pk if spender else None, at=at)
    _require_room(card, asset, quantity, at=at)


def room(card: Card, asset: str, *, at: datetime) -> Room:
    """How much the card may spend, by its type and by its own limit. Raises CardAssetNotAllowed."""
    zone = group().zone
    facts = {
        "card": card.pk,
        "card_type": card.card_type_id,
        "asset": asset,
        "since": local_midnight(at, zone),
        "until": local_midnight(at, zone, days=1),
    }
    with connection.cursor() as cursor:
        cursor.execute(ROOM, facts)
        row = cursor.fetchone()
    if row is None:
        raise CardAssetNotAllowed(field="card", asset=asset)
    return Room(by_type=Limits(*row[:2]), own=Limits(*row[2:4]), spent=int(row[4]))


@idempotent("cards.limit")
def limit(card: Card, asset: str, *, per_use: int, per_day: int, origin: Origin) -> Answer:
    """Say how much of an asset one card may spend, within what its type may; 0 = as much as its type.

    A payment under way ends first, by the limit that was. Raises CardNotUsable, CardAssetNotAllowed, CardLimitTooHigh.
    """
    card = Card.objects.select_for_update(of=("self",)).select_related("member", "principal").get(pk=card.pk)
    if card.state in OVER:
        raise CardNotUsable(field="card", state=card.state)
    allowance = CardAllowance.objects.filter(card_type=card.card_type_id, asset=asset).first()
    if allowance is None:
        raise CardAssetNotAllowed(field="asset", asset=asset)
    for field, wanted, most in (
        ("per_use", per_use, allowance.per_use),
        ("per_day", per_day, allowance.per_day),
    ):
        if most and wanted > most:
            raise CardLimitTooHigh(field=field, most=most)
    limits = {"per_use": per_use, "per_day": per_day}
    CardLimit.objects.update_or_create(card=card, asset=asset, defaults=limits)
    record("card.limited", origin=origin, member=card.spender, data={"card": card.number, "asset": asset, **limits})
    return {"card": card.number, "asset": asset, **limits}


def line_of(card: Card) -> list[Card]:
    """The card and those that it has replaced, newest first."""
    line = [card]
    while line[-1].replaces_id:
        line.append(Card.objects.get(pk=line[-1].replaces_id))
    return line


def that_spend_for(member: Member) -> QuerySet[Card]:
    """Cards that spend this member's assets, once did, or will: those of others first, the newest first."""
    return Card.objects.spending_for(member).order_by(F("principal").asc(nulls_last=True), "-pk")


def spent_by_card(member: Member, asset: str, *, since: datetime) -> dict[int, int]:
    """What each card has spent of a member's asset, net of what came back meanwhile: card's key → quantity."""
    moved = Transaction.objects.filter(account__member=member, account__asset=asset, card__isnull=False)
    spending = moved.filter(kind__in=(Kind.BURN, Kind.CAPTURE, Kind.RESTORE), posted_at__gte=since).order_by()
    return {card: -quantity for card, quantity in spending.values_list("card").annotate(Sum("quantity"))}


@dataclass(frozen=True, slots=True)
class _Standing:
    state: str
    expires_at: datetime | None
    spender: int | None
    holder_status: str | None


def _standing(query: str, card: Card) -> _Standing:
    with connection.cursor() as cursor:
        cursor.execute(query, [card.pk])
        return _Standing(*cursor.fetchone())


def _require_good(standing: _Standing, spender: int | None, *, at: datetime) -> None:
    state = standing.state
    if state == Card.State.ACTIVE and standing.expires_at and standing.expires_at <= at:
        state = Card.State.EXPIRED.value
    if state != Card.State.ACTIVE:
        reason = _("该卡%(state)s，不能使用。") % {"state": Card.State(state).label}
        raise CardNotUsable(reason, field="card", state=state)
    if standing.spender != spender:  # given to somebody else since it was read
        raise CardNotUsable(_("该卡已不属于这位会员，请重新读卡。"), field="card", state=state)
    if standing.holder_status == Member.Status.FROZEN:
        raise MemberFrozen(field="card")
    if standing.holder_status not in (None, Member.Status.ACTIVE):
        raise MemberClosed(field="card", status=standing.holder_status)


def _require_room(card: Card, asset: str, quantity: int, *, at: datetime) -> None:
    if quantity <= 0:
        return
    found = room(card, asset, at=at)
    if found.left is not None and quantity > found.left:
        limits = {"left": found.left, "per_use": found.per_use, "per_day": found.per_day}
        raise CardLimitExceeded(field="card", wanted=quantity, **limits)
