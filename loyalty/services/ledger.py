"""The primitives of the ledger: each changes one locked account, and writes one transaction with its entries.

The caller has claimed the request (`origin.request`) and locked the account. Nothing here knows rules or prices.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from loyalty.errors import HoldNotOpen, HoldTimedOut, HoldTooSmall, InvalidQuantity, NotEnoughPoints
from loyalty.models import Account, Bucket, Entry, Hold, HoldLot, Lot, Purchase, Refund, Transaction
from members.interfaces import Origin
from members.models import Card, Member, OrgUnit

Kind = Transaction.Kind


@dataclass(frozen=True, slots=True)
class Move:
    """A quantity into (+) or out of (−) a lot, before it is written as an entry."""

    lot: Lot
    quantity: int
    bucket: Bucket = Bucket.ACTIVE
    undoes: Entry | None = None


def lock_account(member: Member, asset: str) -> Account:
    """The member's account, made if it is the first of its kind, and locked until the transaction ends."""
    return lock_accounts(member, [asset])[asset]


def lock_accounts(member: Member, assets: Collection[str]) -> dict[str, Account]:
    """The same for several assets, in the order of their keys: asset → account.

    After a merge they are the winner's, also where the merge was done while we waited: see `account.member`.
    """
    wanted = Account.objects.select_for_update().filter(member=member, asset__in=assets).order_by("pk")
    accounts = list(wanted)
    if len(accounts) < len(set(assets)):
        missing = set(assets) - {account.asset for account in accounts}
        new = [Account(member=member, asset=asset) for asset in sorted(missing)]
        Account.objects.bulk_create(new, ignore_conflicts=True)
        accounts = list(wanted.all())
    if any(account.is_merged for account in accounts):
        return lock_accounts(_winner_over(member), assets)
    for account in accounts:
        account.member = member
    return {account.asset: account for account in accounts}


def lock_account_of(pk: int) -> Account:
    """A known account by its key, with its member, locked; after a merge, the winner's."""
    account = Account.objects.select_for_update(of=("self",)).select_related("member").get(pk=pk)
    return lock_account(account.member, account.asset) if account.is_merged else account


def _winner_over(member: Member) -> Member:
    """Into whom a member was merged; read again, for it may just have happened."""
    return Member.objects.get(pk=Member.objects.values_list("merged_into", flat=True).get(pk=member.pk))


def earn(
    account: Account,
    quantity: int,
    *,
    issuer: OrgUnit,
    unit_price: Decimal,
    origin: Origin,
    expires_at: datetime | None = None,
    available_at: datetime | None = None,
    purchase: Purchase | None = None,
    card: Card | None = None,
    reason: str = "",
    kind: Kind = Kind.EARN,
) -> Transaction:
    """Give `quantity` as one new lot: at once, or pending until `available_at`. Debt is cured first."""
    _require_positive(quantity)
    is_pending = available_at is not None and available_at > origin.posted_at
    lot = Lot(
        account=account,
        issuer=issuer,
        quantity=quantity,
        remaining=0,
        unit_price=unit_price,
        earned_at=origin.at,
        available_at=available_at or origin.posted_at,
        activated_at=None if is_pending else origin.posted_at,
        expires_at=expires_at,
    )
    bucket = Bucket.PENDING if is_pending else Bucket.ACTIVE
    before = account.balance
    moves = [Move(lot, quantity, bucket)]
    written = write(account, kind, moves, origin=origin, purchase=purchase, card=card, reason=reason)
    cure(account, before, origin=origin)
    return written


def activate(account: Account, lots: Sequence[Lot], *, origin: Origin) -> Transaction:
    """Make pending lots spendable: −r pending, +r active. Debt is cured first."""
    moves = []
    for lot in lots:
        lot.activated_at = origin.posted_at
        if lot.remaining:
            moves += [Move(lot, -lot.remaining, Bucket.PENDING), Move(lot, lot.remaining, Bucket.ACTIVE)]
    Lot.objects.bulk_update(lots, ["activated_at"])
    before = account.balance
    written = write(account, Kind.ACTIVATE, moves, origin=origin)
    cure(account, before, origin=origin)
    return written


def burn(
    account: Account,
    quantity: int,
    *,
    origin: Origin,
    amount: int = 0,
    purchase: Purchase | None = None,
    card: Card | None = None,
    reason: str = "",
    kind: Kind = Kind.BURN,
) -> Transaction:
    """Spend, soonest to expire first. `amount` is what it was worth, in fen. Raises NotEnoughPoints."""
    moves = [Move(lot, -part) for lot, part in take(account, quantity, at=origin.posted_at)]
    return write(account, kind, moves, origin=origin, amount=amount, purchase=purchase, card=card, reason=reason)


def expire(account: Account, parts: Iterable[tuple[Lot, int]], *, origin: Origin, reason: str = "") -> Transaction:
    """Let so much of each of these lots lapse."""
    moves = [Move(lot, -quantity) for lot, quantity in parts]
    return write(account, Kind.EXPIRE, moves, origin=origin, reason=reason)


def hold(
    account: Account,
    quantity: int,
    *,
    until: datetime,
    origin: Origin,
    amount: int = 0,
    card: Card | None = None,
) -> Hold:
    """Set aside, soonest to expire first, until captured, released or timed out. Raises NotEnoughPoints."""
    parts = take(account, quantity, at=origin.posted_at)
    held = Hold.objects.create(
        request=origin.request,
        account=account,
        quantity=quantity,
        amount=amount,
        until=until,
        business=origin.business,
        store=origin.store,
        card=card,
        created_at=origin.posted_at,
    )
    HoldLot.objects.bulk_create(HoldLot(hold=held, lot=lot, quantity=part) for lot, part in parts)
    for lot, part in parts:
        lot.held += part
    Lot.objects.bulk_update([lot for lot, _ in parts], ["held"])
    account.held += quantity
    account.balance -= quantity
    account.save(update_fields=["held", "balance"])
    return held


def capture(held: Hold, account: Account, quantity: int, *, origin: Origin, card: Card | None = None) -> Transaction:
    """Spend what was held, in the order of taking, even past a lot's expiry; the rest is released.

    Raises HoldNotOpen, HoldTimedOut, HoldTooSmall.
    """
    _require_positive(quantity)
    if held.state != Hold.State.OPEN:
        raise HoldNotOpen(state=held.state)
    if held.until <= origin.posted_at:
        raise HoldTimedOut(until=held.until)
    if quantity > held.quantity:
        raise HoldTooSmall(held=held.quantity, wanted=quantity)
    before = account.balance
    parts = _free(held, account)
    moves, left = [], quantity
    for lot, part in parts:
        taken = min(part, left)
        left -= taken
        if taken:
            moves.append(Move(lot, -taken))
    held.state, held.captured = Hold.State.CAPTURED, quantity
    held.save(update_fields=["state", "captured"])
    amount = held.amount * quantity // held.quantity
    captured = write(account, Kind.CAPTURE, moves, origin=origin, amount=amount, hold=held, card=card)
    _settle_released([lot for lot, _ in parts], account, before, origin=origin)
    return captured


def release(held: Hold, account: Account, *, origin: Origin, state: Hold.State = Hold.State.RELEASED) -> Hold:
    """Give back what was held; what has meanwhile expired expires at once. Raises HoldNotOpen."""
    if held.state != Hold.State.OPEN:
        raise HoldNotOpen(state=held.state)
    before = account.balance
    parts = _free(held, account)
    held.state = state
    held.save(update_fields=["state"])
    account.save(update_fields=["held", "balance"])
    _settle_released([lot for lot, _ in parts], account, before, origin=origin)
    return held


def cure(account: Account, balance_before: int, *, origin: Origin) -> Transaction | None:
    """Meet debt lots, oldest first, from what has just become spendable.

    A balance below zero is the mark of debt: a clawback makes debt only after taking all that was not held, and
    whatever becomes spendable afterwards comes by here. So no query is needed to know that there is none.
    """
    if balance_before >= 0:
        return None
    debts = list(account.lots.filter(remaining__lt=0).order_by("pk"))
    owed = -sum(lot.remaining for lot in debts)
    means = spread(account.lots.spendable(origin.posted_at), owed)
    left = sum(part for _, part in means)
    if not left:
        return None
    moves = [Move(lot, -part) for lot, part in means]
    for lot in debts:
        part = min(-lot.remaining, left)
        left -= part
        if part:
            moves.append(Move(lot, part))
    return write(account, Kind.CURE, moves, origin=origin)


def write(
    account: Account,
    kind: Kind,
    moves: Sequence[Move],
    *,
    origin: Origin,
    amount: int = 0,
    shortfall: int = 0,
    purchase: Purchase | None = None,
    refund: Refund | None = None,
    hold: Hold | None = None,
    undoes: Transaction | None = None,
    card: Card | None = None,
    reason: str = "",
) -> Transaction:
    """Write one transaction with its entries, and bring lots and account up to date. The account is locked.

    What undoes a transaction is of the same card.
    """
    active = sum(move.quantity for move in moves if move.bucket == Bucket.ACTIVE)
    pending = sum(move.quantity for move in moves if move.bucket == Bucket.PENDING)
    account.balance += active
    account.pending += pending
    _apply(moves)
    written = Transaction.objects.create(
        request=origin.request,
        account=account,
        kind=kind,
        business=origin.business,
        store=origin.store,
        channel=origin.channel,
        operator=origin.actor,
        card=undoes.card if undoes else card,
        at=origin.at,
        posted_at=origin.posted_at,
        purchase=purchase,
        refund=refund,
        hold=hold,
        undoes=undoes,
        quantity=active + pending,
        amount=amount,
        shortfall=shortfall,
        balance_after=account.balance,
        reason=reason,
    )
    Entry.objects.bulk_create(
        Entry(transaction=written, lot=move.lot, quantity=move.quantity, bucket=move.bucket, undoes=move.undoes)
        for move in moves
    )
    account.save(update_fields=["balance", "pending", "held"])
    return written


def take(account: Account, quantity: int, *, at: datetime) -> list[tuple[Lot, int]]:
    """Choose lots for `quantity`, soonest to expire first. Raises NotEnoughPoints; changes nothing."""
    _require_positive(quantity)
    if account.balance < quantity:
        raise NotEnoughPoints(balance=account.balance, wanted=quantity)
    parts = spread(account.lots.spendable(at), quantity)
    found = sum(part for _, part in parts)
    if found < quantity:  # the rest of the balance has expired and is only not yet swept
        raise NotEnoughPoints(balance=found, wanted=quantity)
    return parts


def spread(lots: Iterable[Lot], quantity: int) -> list[tuple[Lot, int]]:
    """Take `quantity` (or as much as there is) from these lots in their order."""
    parts = []
    for lot in lots:
        if quantity <= 0:
            break
        part = min(lot.unheld, quantity)
        parts.append((lot, part))
        quantity -= part
    return parts


def _apply(moves: Iterable[Move]) -> None:
    """Bring the lots up to date; a lot of these moves that is new is inserted."""
    lots = {id(move.lot): move.lot for move in moves}.values()
    for move in moves:
        move.lot.remaining += move.quantity
    new = [lot for lot in lots if lot.pk is None]
    known = [lot for lot in lots if lot.pk is not None]
    Lot.objects.bulk_create(new)
    Lot.objects.bulk_update(known, ["remaining"])


def _free(held: Hold, account: Account) -> list[tuple[Lot, int]]:
    """Take the hold off its lots, and (in memory) off the account; returns the lots in order of taking."""
    parts = [(part.lot, part.quantity) for part in held.parts.select_related("lot")]
    for lot, part in parts:
        lot.held -= part
    Lot.objects.bulk_update([lot for lot, _ in parts], ["held"])
    account.held -= held.quantity
    account.balance += held.quantity
    return parts


def _settle_released(lots: Sequence[Lot], account: Account, balance_before: int, *, origin: Origin) -> None:
    """What a hold has set free: expired units lapse at once, the rest meets debt."""
    lapsed = [(lot, lot.unheld) for lot in lots if lot.has_expired(origin.posted_at) and lot.unheld]
    if lapsed:
        expire(account, lapsed, origin=origin)
    cure(account, balance_before, origin=origin)


def _require_positive(quantity: int) -> None:
    if quantity <= 0:
        raise InvalidQuantity(field="quantity", wanted=quantity)
