"""What members own when two of them become one: lots move into child lots that keep issuer, price and dates.

A move is an out and an in transaction of kind merge, and is journalled as nothing. Undoing a merge moves what is left
of what came, and of what refunds and restores have since made of it, the same way back: no lot ever changes its owner.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Max, Sum
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from loyalty.errors import HoldsOpen
from loyalty.models import Account, Asset, Bucket, Hold, Lot, Purchase
from loyalty.services import ledger
from loyalty.services.ledger import Kind, Move
from loyalty.services.points import facts
from members.events import record
from members.interfaces import Answer, Origin
from members.interfaces.steps import Line
from members.models import Member

MOST_LINES = 40  # lots shown of each asset in a preview


def preview(loser: Member, winner: Member, actor: Any) -> list[Line]:
    """Purchases, and each asset with the lots that would move: of other businesses only the sum."""
    lines = [_purchases_line(loser, winner, actor)]
    theirs = {account.asset: account for account in Account.objects.filter(member=loser)}
    ours = {account.asset: account for account in Account.objects.filter(member=winner)}
    for asset in Asset:
        source, target = theirs.get(asset), ours.get(asset)
        if source or target:
            source, target = source or Account(), target or Account()
            result = Account(
                balance=source.balance + target.balance,
                pending=source.pending + target.pending,
                held=source.held + target.held,
            )
            lines.append(Line(str(asset.label), _worth(source), _worth(target), _worth(result)))
        if source and source.pk:
            lots = source.lots.exclude(remaining=0)
            mine = lots.visible_to(actor).select_related("issuer").order_by("expires_at", "pk")
            shown = list(mine[:MOST_LINES])
            lines += [_lot_line(lot) for lot in shown]
            if rest := lots.exclude(pk__in=[lot.pk for lot in shown]).aggregate(n=Sum("remaining"))["n"]:
                lines.append(Line(f"↳ {_('其他批次')}", str(rest), "—", f"{rest:+d}"))
    return lines


def merge(loser: Member, winner: Member, origin: Origin) -> Answer:
    """Move every lot and every purchase. Raises HoldsOpen."""
    accounts = _lock(loser, winner)
    _refuse_held(loser)
    newest = {}
    for asset in Asset:
        source, target = accounts[loser.pk, asset], accounts.get((winner.pk, asset))
        lots = list(source.lots.exclude(remaining=0).order_by("pk"))
        if lots and target is None:
            target = ledger.lock_account(winner, asset)
        if target:
            newest[asset.value] = target.lots.aggregate(pk=Max("pk"))["pk"] or 0
            move(source, target, lots, origin=origin)
    Account.objects.filter(member=loser).update(is_merged=True)
    bought = Purchase.objects.filter(member=loser)
    purchases = list(bought.order_by("pk").values_list("pk", flat=True))
    bought.update(member=winner)
    return {"newest_lots": newest, "purchases": purchases}


def undo(loser: Member, winner: Member, moved: Answer, origin: Origin) -> None:
    """Give back what is left of the lots that came, and the purchases; what the winner spent or holds stays his."""
    accounts = _lock(loser, winner)
    Account.objects.filter(member=loser).update(is_merged=False)
    Purchase.objects.filter(pk__in=moved["purchases"], member=winner).update(member=loser)
    for asset in Asset:
        source, target = accounts.get((winner.pk, asset)), accounts[loser.pk, asset]
        if source is None:
            continue
        lots = [lot for lot in descendants(target, source, after=moved["newest_lots"].get(asset, 0)) if lot.unheld]
        if lots:
            move(source, target, lots, origin=origin)


def move(source: Account, target: Account, lots: Sequence[Lot], *, origin: Origin) -> None:
    """Move what is not held of these lots from one locked account to another; debt moves as debt, and is then met."""
    for account in (source, target):
        _sweep(account, origin=origin)  # a lapsed lot must not stand beside debt, and can't meet it either
    parts = [(lot, lot.unheld) for lot in Lot.objects.filter(pk__in=[lot.pk for lot in lots]).order_by("pk")]
    parts = [(lot, quantity) for lot, quantity in parts if quantity]
    if not parts:
        return
    owes = target.balance < 0 or any(quantity < 0 for _, quantity in parts)
    out = [Move(lot, -quantity, _bucket(lot)) for lot, quantity in parts]
    into = [Move(_child(lot, quantity, target), quantity, _bucket(lot)) for lot, quantity in parts]
    ledger.write(source, Kind.MERGE, out, origin=origin)
    ledger.write(target, Kind.MERGE, into, origin=origin)
    if owes:
        ledger.cure(target, -1, origin=origin)


def descendants(root: Account, account: Account, *, after: int) -> list[Lot]:
    """The lots of `account`, later than a lot's key, that came from lots of `root`, by whatever way."""
    found: list[Lot] = []
    children = Lot.objects.filter(parent__account=root, pk__gt=after)
    while level := list(children.order_by("pk")):
        found += [lot for lot in level if lot.account_id == account.pk]
        children = Lot.objects.filter(parent__in=level)
    return found


def _lock(loser: Member, winner: Member) -> dict[tuple[int, str], Account]:
    """All accounts of both in the order of their keys: (member, asset) → account.

    The loser gets one of every asset: whoever would make one for him while we merge waits, and finds it merged.
    """
    Account.objects.bulk_create([Account(member=loser, asset=asset) for asset in Asset.values], ignore_conflicts=True)
    locked = Account.objects.select_for_update().filter(member__in=(loser, winner)).order_by("pk")
    members = {loser.pk: loser, winner.pk: winner}
    accounts = {}
    for account in locked:
        account.member = members[account.member_id]
        accounts[account.member_id, account.asset] = account
    return accounts


def _refuse_held(loser: Member) -> None:
    held = Hold.objects.open().filter(account__member=loser).order_by("pk")
    if keys := list(held.values_list("pk", flat=True)):
        raise HoldsOpen.of(loser.member_no, keys)


def _sweep(account: Account, *, origin: Origin) -> None:
    """Let lapse what the clock would let lapse tonight."""
    lots = list(account.lots.due_for_expiry(origin.posted_at).order_by("expires_at", "pk"))
    if lots:
        expired = ledger.expire(account, [(lot, lot.unheld) for lot in lots], origin=origin)
        record("points.expired", origin=origin, member=account.member, data=facts(expired))


def _bucket(lot: Lot) -> Bucket:
    return Bucket.PENDING if lot.is_pending else Bucket.ACTIVE


def _child(lot: Lot, quantity: int, account: Account) -> Lot:
    return Lot(
        account=account,
        issuer_id=lot.issuer_id,
        quantity=quantity,
        remaining=0,
        unit_price=lot.unit_price,
        earned_at=lot.earned_at,
        available_at=lot.available_at,
        activated_at=lot.activated_at,
        expires_at=lot.expires_at,
        parent=lot,
    )


# The preview in words -------------------------------------------------------------------------------------------


def _purchases_line(loser: Member, winner: Member, actor: Any) -> Line:
    purchases = Purchase.objects.visible_to(actor)
    theirs, ours = (purchases.filter(member=member).count() for member in (loser, winner))
    return Line(pgettext("plural", "消费"), *(_("%d 笔") % count for count in (theirs, ours, theirs + ours)))


def _worth(account: Account) -> str:
    words: Iterable[tuple[str, int]] = (
        (_("待生效 %d"), account.pending),
        (_("冻结 %d"), account.held),
    )
    more = " · ".join(text % quantity for text, quantity in words if quantity)
    return f"{account.balance}（{more}）" if more else str(account.balance)


def _lot_line(lot: Lot) -> Line:
    until = _("长期有效")
    if lot.expires_at:
        last_day = (lot.expires_at - timedelta(microseconds=1)).astimezone(lot.issuer.zone)
        until = _("有效至 %s") % f"{last_day:%Y-%m-%d}"
    label = _("批次 #%(lot)s · %(issuer)s · %(until)s") % {"lot": lot.pk, "issuer": lot.issuer.name, "until": until}
    moved = str(lot.remaining) + (_("（待生效）") if lot.is_pending else "")
    return Line(f"↳ {label}", moved, "—", f"+{moved}" if lot.remaining > 0 else moved)
