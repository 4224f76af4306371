"""The outermost verbs of the ledger for one member's asset: what API, desk and admin call. Each answers in JSON.

claim (`@idempotent`) → lock → check → write → split → balance → record.
"""

from datetime import datetime

from loyalty.errors import InvalidQuantity, LotHasLess, NotReversible, ReasonMissing
from loyalty.models import Account, Asset, AssetPolicy, Hold, Lot, Transaction
from loyalty.services import cards, ledger
from loyalty.services.ledger import Kind
from loyalty.services.terms import expiry_of, policy_of, price_of
from loyalty.services.undoing import claw_back, lineage_of, lot_of, not_yet_restored, restore, still_standing
from members.events import record
from members.interfaces import Answer, Origin
from members.models import Card, Member, OrgUnit
from members.services.locking import refuse_inactive, refuse_inactive_now
from members.services.requests import idempotent


@idempotent("points.earn")
def earn(
    member: Member,
    quantity: int,
    *,
    issuer: OrgUnit,
    asset: str = Asset.POINTS,
    available_at: datetime | None = None,
    reason: str = "",
    origin: Origin,
) -> Answer:
    """Give without a purchase, at once or pending. Raises InvalidQuantity, NoPointsPrice, MemberClosed, …Frozen."""
    return describe(
        grant(member, quantity, issuer=issuer, asset=asset, available_at=available_at, reason=reason, origin=origin)
    )


def grant(
    member: Member,
    quantity: int,
    *,
    issuer: OrgUnit,
    asset: str = Asset.POINTS,
    available_at: datetime | None = None,
    reason: str = "",
    kind: Kind = Kind.EARN,
    origin: Origin,
) -> Transaction:
    """The same as a part of another verb (campaigns, packs): price and expiry by the issuer's terms."""
    refuse_inactive(member)
    account = ledger.lock_account(member, asset)
    refuse_inactive_now(account.member)
    given = ledger.earn(
        account,
        quantity,
        issuer=issuer,
        unit_price=price_of(issuer, asset, origin.at),
        origin=origin,
        expires_at=expiry_of(issuer, asset, origin.at, origin.posted_at),
        available_at=available_at,
        reason=reason,
        kind=kind,
    )
    record("points.earned", origin=origin, member=account.member, data=facts(given))
    return given


@idempotent("points.burn")
def burn(
    member: Member,
    quantity: int,
    *,
    amount: int = 0,
    asset: str = Asset.POINTS,
    card: Card | None = None,
    origin: Origin,
) -> Answer:
    """Spend; `amount` is what it was worth in fen. With a card, `member` is whose assets it spends.

    Raises InvalidQuantity, NotEnoughPoints, MemberClosed, MemberFrozen, and what `cards.admit` raises.
    """
    account = ledger.lock_account(member, asset)
    refuse_inactive_now(account.member)
    if card:
        cards.admit(card, account, quantity, origin=origin)
    burned = ledger.burn(account, quantity, amount=amount, card=card, origin=origin)
    record("points.burned", origin=origin, member=account.member, data=facts(burned))
    return describe(burned)


@idempotent("points.adjust")
def adjust(
    member: Member, quantity: int, *, reason: str, issuer: OrgUnit, asset: str = Asset.POINTS, origin: Origin
) -> Answer:
    """An operator's correction, up or down, with a reason. Raises ReasonMissing, InvalidQuantity, NotEnoughPoints."""
    if not reason.strip():
        raise ReasonMissing(field="reason")
    if quantity > 0:
        adjusted = grant(member, quantity, issuer=issuer, asset=asset, reason=reason, kind=Kind.ADJUST, origin=origin)
        return describe(adjusted)
    account = ledger.lock_account(member, asset)
    adjusted = ledger.burn(account, -quantity, origin=origin, kind=Kind.ADJUST, reason=reason)
    record("points.adjusted", origin=origin, member=account.member, data=facts(adjusted))
    return describe(adjusted)


@idempotent("points.expire")
def expire(lot: Lot, quantity: int, *, reason: str, origin: Origin) -> Answer:
    """Let part of one lot lapse before its time: an operator's act, with a reason. Raises LotHasLess, ReasonMissing."""
    if not reason.strip():
        raise ReasonMissing(field="reason")
    if quantity <= 0:
        raise InvalidQuantity(field="quantity", wanted=quantity)
    account = ledger.lock_account_of(lot.account_id)
    lot = Lot.objects.get(pk=lot.pk)
    if lot.is_pending or lot.unheld < quantity:
        raise LotHasLess(field="quantity", most=0 if lot.is_pending else max(lot.unheld, 0))
    expired = ledger.expire(account, [(lot, quantity)], origin=origin, reason=reason)
    record("points.expired", origin=origin, member=account.member, data=facts(expired))
    return describe(expired)


@idempotent("transactions.reverse")
def reverse(transaction: Transaction, *, reason: str, origin: Origin) -> Answer:
    """Undo the whole of an earn, a burn, a capture or an adjustment: what still stands of it.

    Raises NotReversible where it belongs to a purchase (refund that), is of another kind, or is undone already.
    """
    account = ledger.lock_account_of(transaction.account_id)
    if transaction.purchase_id:
        raise NotReversible(purchase=transaction.purchase_id)
    issuer = transaction.business or account.member.registered_business
    policy = policy_of(issuer, account.asset, origin.at) if issuer else AssetPolicy(asset=account.asset)
    undone = _undo(transaction, account, policy=policy, reason=reason, origin=origin)
    record("points.reversed", origin=origin, member=account.member, data=facts(undone))
    return describe(undone)


@idempotent("holds.create")
def hold(
    member: Member,
    quantity: int,
    *,
    until: datetime,
    amount: int = 0,
    asset: str = Asset.POINTS,
    card: Card | None = None,
    origin: Origin,
) -> Answer:
    """Set aside until a time. With a card, `member` is whose assets it spends.

    Raises InvalidQuantity, NotEnoughPoints, MemberClosed, MemberFrozen, and what `cards.admit` raises.
    """
    account = ledger.lock_account(member, asset)
    refuse_inactive_now(account.member)
    if card:
        cards.admit(card, account, quantity, origin=origin)
    held = ledger.hold(account, quantity, until=until, amount=amount, card=card, origin=origin)
    record(
        "points.held",
        origin=origin,
        member=account.member,
        data={"hold": held.pk, "quantity": quantity, "card": card.number if card else None},
    )
    return describe_hold(held, account)


@idempotent("holds.capture")
def capture(held: Hold, quantity: int | None = None, *, origin: Origin) -> Answer:
    """Spend what was held, wholly or in part; the rest is released. What was held with a card needs the card still.

    Raises HoldNotOpen, HoldTimedOut, HoldTooSmall, CardNotUsable, MemberFrozen.
    """
    account, held = _lock_hold(held)
    refuse_inactive_now(account.member)
    card = cards.admit_capture(held, account, origin=origin)
    captured = ledger.capture(held, account, held.quantity if quantity is None else quantity, card=card, origin=origin)
    record("points.captured", origin=origin, member=account.member, data=facts(captured) | {"hold": held.pk})
    return describe_hold(held, account) | {"transaction": describe(captured)}


@idempotent("holds.release")
def release(held: Hold, *, state: Hold.State = Hold.State.RELEASED, origin: Origin) -> Answer:
    """Give back what was held. Raises HoldNotOpen."""
    account, held = _lock_hold(held)
    ledger.release(held, account, origin=origin, state=state)
    record("points.released", origin=origin, member=account.member, data={"hold": held.pk, "state": held.state})
    return describe_hold(held, account)


def describe(transaction: Transaction) -> Answer:
    """A transaction as an answer: its facts, the lots it touched, and the account after it."""
    account = transaction.account
    entries = transaction.entries.select_related("lot__issuer").order_by("pk")
    return {
        "id": transaction.pk,
        "kind": transaction.kind,
        "member_no": account.member.member_no,
        "card": transaction.card.number if transaction.card else None,
        "asset": account.asset,
        "quantity": transaction.quantity,
        "amount": transaction.amount,
        "shortfall": transaction.shortfall,
        "balance": account.balance,
        "pending": account.pending,
        "held": account.held,
        "reason": transaction.reason,
        "at": transaction.at.isoformat(),
        "posted_at": transaction.posted_at.isoformat(),
        "lots": [_describe_entry(entry) for entry in entries],
    }


def describe_hold(held: Hold, account: Account) -> Answer:
    return {
        "id": held.pk,
        "state": held.state,
        "member_no": account.member.member_no,
        "card": held.card.number if held.card else None,
        "asset": account.asset,
        "quantity": held.quantity,
        "captured": held.captured,
        "amount": held.amount,
        "until": held.until.isoformat(),
        "balance": account.balance,
        "pending": account.pending,
        "held": account.held,
    }


def facts(transaction: Transaction) -> dict:
    """What an event says of a transaction."""
    return {
        "transaction": transaction.pk,
        "asset": transaction.account.asset,
        "quantity": transaction.quantity,
        "amount": transaction.amount,
        "shortfall": transaction.shortfall,
        "card": transaction.card.number if transaction.card else None,
    }


def _describe_entry(entry) -> dict:
    return {
        "lot": entry.lot_id,
        "issuer": entry.lot.issuer.code,
        "quantity": entry.quantity,
        "bucket": entry.bucket,
        "expires_at": entry.lot.expires_at.isoformat() if entry.lot.expires_at else None,
    }


def _undo(
    transaction: Transaction, account: Account, *, policy: AssetPolicy, reason: str, origin: Origin
) -> Transaction:
    gave = transaction.kind in (Kind.EARN, Kind.ADJUST) and transaction.quantity > 0
    if not gave and transaction.kind not in (Kind.BURN, Kind.CAPTURE, Kind.ADJUST):
        raise NotReversible(kind=transaction.kind)
    left = still_standing(lineage_of(lot_of(transaction))) if gave else not_yet_restored(transaction)
    if left <= 0:
        raise NotReversible(transaction=transaction.pk)
    if gave:
        return claw_back(transaction, account, left, policy=policy, origin=origin, reason=reason)
    return restore(transaction, account, left, policy=policy, origin=origin, reason=reason)


def _lock_hold(held: Hold) -> tuple[Account, Hold]:
    """Lock the account, then read the hold as it stands now."""
    account = ledger.lock_account_of(held.account_id)
    return account, Hold.objects.select_related("card").get(pk=held.pk)
