"""Undo what was written, by writing the opposite: claw back an earn, restore a burn. Never more than there was."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Sum

from loyalty.errors import NotReversible
from loyalty.models import Account, Asset, AssetPolicy, Bucket, Entry, Lot, Refund, Transaction
from loyalty.rules import local_midnight
from loyalty.services.ledger import Kind, Move, cure, expire, spread, write
from members.interfaces import Origin

EARNING = (Kind.EARN, Kind.ACTIVATE, Kind.ADJUST)


def claw_back(
    earned: Transaction,
    account: Account,
    quantity: int,
    *,
    policy: AssetPolicy,
    origin: Origin,
    refund: Refund | None = None,
    reason: str = "",
) -> Transaction:
    """Take back `quantity` of what was earned: from its own lot, then from others, then by policy as debt or shortfall.

    Growth is never owed. Every entry names the entry that gave.
    Raises NotReversible where more is asked than was given and still stands.
    """
    lots = lineage_of(lot_of(earned))
    given = Entry.objects.filter(lot__in=lots, quantity__gt=0, transaction__kind__in=EARNING).order_by("-pk").first()
    if quantity > still_standing(lots):
        raise NotReversible(wanted=quantity)
    lot = next((lot for lot in reversed(lots) if lot.account_id == account.pk), lots[0])
    moves, left = [], quantity
    for source, part in _sources(lots, account, quantity, policy):
        moves.append(Move(source, -part, given.bucket, undoes=given))
        left -= part
    if left and policy.shortfall == AssetPolicy.Shortfall.DEBT and account.asset != Asset.GROWTH:
        moves.append(Move(_debt(lot, account, left, origin), -left, Bucket.ACTIVE, undoes=given))
        left = 0
    return write(
        account, Kind.CLAW_BACK, moves, origin=origin, shortfall=left, refund=refund, undoes=earned, reason=reason
    )


def restore(
    burned: Transaction,
    account: Account,
    quantity: int,
    *,
    policy: AssetPolicy,
    origin: Origin,
    refund: Refund | None = None,
    reason: str = "",
) -> Transaction:
    """Give back `quantity` of what was burned, in reverse order of taking; into a child lot where a lot has expired.

    Raises NotReversible where more is asked than was burned and not yet restored.
    """
    moves, left, before = [], quantity, account.balance
    taken = burned.entries.filter(quantity__lt=0).annotate(restored=Sum("undone_by__quantity", default=0))
    for entry in taken.select_related("lot__issuer").order_by("-pk"):
        part = min(-entry.quantity - entry.restored, left)
        if part > 0:
            moves.append(Move(_home(entry.lot, account, part, policy, origin), part, undoes=entry))
            left -= part
    if left:
        raise NotReversible(wanted=quantity)
    restored = write(account, Kind.RESTORE, moves, origin=origin, refund=refund, undoes=burned, reason=reason)
    lapsed = [(move.lot, move.quantity) for move in moves if move.lot.has_expired(origin.posted_at)]
    if lapsed:
        expire(account, lapsed, origin=origin)
    cure(account, before, origin=origin)
    return restored


def lot_of(earned: Transaction) -> Lot:
    """The one lot that an earn (or an adjustment upwards) made."""
    return Lot.objects.get(entries__transaction=earned, entries__quantity__gt=0)


def lineage_of(lot: Lot) -> list[Lot]:
    """The lot, and the lots into which merges (and their undoing) have moved it since, oldest first."""
    lots = level = [lot]
    while level:
        moved = Lot.objects.filter(parent__in=level, entries__transaction__kind=Kind.MERGE, entries__quantity__gt=0)
        level = list(moved.order_by("pk"))
        lots = lots + level
    return lots


def still_standing(lots: Sequence[Lot]) -> int:
    """What was given with this lot (`lineage_of`) and has not been clawed back or written off as shortfall."""
    lot = lots[0]
    clawed_back = Entry.objects.filter(undoes__lot__in=lots, undoes__quantity__gt=0)
    undone = clawed_back.aggregate(n=Sum("quantity", default=0))["n"]
    earned = lot.entries.filter(quantity__gt=0).order_by("pk").values("transaction")[:1]
    written_off = Transaction.objects.filter(undoes__in=earned).aggregate(n=Sum("shortfall", default=0))["n"]
    return lot.quantity + undone - written_off


def not_yet_restored(burned: Transaction) -> int:
    """What a burn took and no restore has given back."""
    given_back = Entry.objects.filter(undoes__transaction=burned).aggregate(n=Sum("quantity", default=0))["n"]
    taken = burned.entries.filter(quantity__lt=0).aggregate(n=Sum("quantity", default=0))["n"]
    return -taken - given_back


def _sources(lots: Sequence[Lot], account: Account, quantity: int, policy: AssetPolicy) -> list[tuple[Lot, int]]:
    """Where a clawback takes from: its own lot, then whatever else is not held, in the order of spending."""
    own = [lot for lot in lots if lot.account_id == account.pk and lot.unheld > 0]
    if all(lot.is_pending for lot in lots):
        return spread(own, quantity)
    if policy.shortfall == AssetPolicy.Shortfall.ONLY_PENDING:
        return []
    others = account.lots.filter(activated_at__isnull=False, remaining__gt=F("held")).exclude(
        pk__in=[o.pk for o in own]
    )
    others = others.order_by(F("expires_at").asc(nulls_last=True), "earned_at", "pk")
    return spread([*own, *others], quantity)


def _debt(lot: Lot, account: Account, quantity: int, origin: Origin) -> Lot:
    """A lot below zero: of the clawing business, at the original price."""
    return Lot(
        account=account,
        issuer_id=lot.issuer_id,
        quantity=-quantity,
        remaining=0,
        unit_price=lot.unit_price,
        earned_at=origin.at,
        available_at=origin.posted_at,
        activated_at=origin.posted_at,
        parent=lot,
    )


def _home(lot: Lot, account: Account, quantity: int, policy: AssetPolicy, origin: Origin) -> Lot:
    """Where restored units go: their own lot; a child of it that lasts a little where it has expired, or as long as it
    where it was another's before a merge.
    """
    has_expired = lot.has_expired(origin.posted_at)
    if not has_expired and lot.account_id == account.pk:
        return lot
    return Lot(
        account=account,
        issuer=lot.issuer,
        quantity=quantity,
        remaining=0,
        unit_price=lot.unit_price,
        earned_at=lot.earned_at,
        available_at=origin.posted_at,
        activated_at=origin.posted_at,
        expires_at=_extended(origin.posted_at, lot, policy) if has_expired else lot.expires_at,
        parent=lot,
    )


def _extended(posted_at: datetime, lot: Lot, policy: AssetPolicy) -> datetime:
    if policy.restore_days == 0:
        return posted_at
    return local_midnight(posted_at + timedelta(days=policy.restore_days), lot.issuer.zone, days=1)
