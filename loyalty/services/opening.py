"""Opening balances: what members bring from an older system, as lots with their issuer, day and expiry, in sets.

One transaction and one entry for each lot, under a reference made of what the row says: the same lot is opened once,
whichever file brings it again.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from loyalty.models import Account, Asset, Bucket, Entry, Lot, Transaction
from loyalty.services import ledger
from members.errors import ReasonMissing
from members.events import record_many
from members.interfaces import Origin
from members.models import Member, OrgUnit, Request

VERB = "points.open"

CLAIM_MANY = """
    INSERT INTO members_request (channel_id, reference, verb, input_hash, created_at, answer)
    SELECT %s, reference, %s, '', now(), '{}'::jsonb FROM unnest(%s::text[]) AS reference
    ON CONFLICT ON CONSTRAINT request_reference_is_unique_in_its_channel DO NOTHING
    RETURNING reference, id
"""


@dataclass(frozen=True, slots=True)
class Opening:
    """A lot to be opened. `reference` says which it is: the same again has no effect."""

    reference: str
    member: Member
    issuer: OrgUnit
    quantity: int
    unit_price: Decimal
    earned_at: datetime
    expires_at: datetime | None = None


@transaction.atomic
def open_lots(openings: Sequence[Opening], asset: Asset, *, reason: str, origin: Origin) -> set[str]:
    """Open lots for active members. Returns the references of those that were new. Raises ReasonMissing."""
    if not reason.strip():
        raise ReasonMissing(field="reason")
    accounts = _lock_accounts({opening.member for opening in openings}, asset)
    claimed = _claim([opening.reference for opening in openings], origin)
    new = [opening for opening in openings if opening.reference in claimed]
    in_debt = {account.pk for account in accounts.values() if account.balance < 0}
    plain = [opening for opening in new if accounts[opening.member.pk].pk not in in_debt]
    _write(plain, accounts, claimed, reason=reason, origin=origin)
    for opening in new:
        account = accounts[opening.member.pk]
        if account.pk in in_debt:  # what comes in meets the debt first: the ledger's own way
            _earn(opening, account, claimed[opening.reference], reason=reason, origin=origin)
    record_many(
        "points.opened",
        origin=origin,
        member_ids=sorted({opening.member.pk for opening in new}),
        data={"asset": str(asset), "reason": reason},
    )
    return set(claimed)


def _lock_accounts(members: Collection[Member], asset: Asset) -> dict[int, Account]:
    """Member's key → his account, made where it is the first, locked in the order of keys."""
    keys = {member.pk: member for member in members}
    Account.objects.bulk_create(
        (Account(member=member, asset=asset) for _pk, member in sorted(keys.items())), ignore_conflicts=True
    )
    rows = Account.objects.select_for_update().filter(member__in=keys, asset=asset).order_by("pk")
    accounts = {row.member_id: row for row in rows}
    for pk, account in accounts.items():
        account.member = keys[pk]
    merged = {pk: account for pk, account in accounts.items() if account.is_merged}  # while we waited
    return accounts | {pk: ledger.lock_account(keys[pk], asset) for pk in merged}


def _claim(references: Sequence[str], origin: Origin) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_MANY, [origin.channel.pk, VERB, sorted(references)])
        return dict(cursor.fetchall())


def _write(
    openings: Sequence[Opening],
    accounts: dict[int, Account],
    claimed: dict[str, int],
    *,
    reason: str,
    origin: Origin,
) -> None:
    lots, transactions = [], []
    given: dict[int, int] = defaultdict(int)
    for opening in openings:
        account = accounts[opening.member.pk]
        given[account.pk] += opening.quantity
        lots.append(
            Lot(
                account=account,
                issuer=opening.issuer,
                quantity=opening.quantity,
                remaining=opening.quantity,
                unit_price=opening.unit_price,
                earned_at=opening.earned_at,
                available_at=origin.posted_at,
                activated_at=origin.posted_at,
                expires_at=opening.expires_at,
            )
        )
        transactions.append(
            Transaction(
                request_id=claimed[opening.reference],
                account=account,
                kind=Transaction.Kind.EARN,
                business=opening.issuer,
                channel=origin.channel,
                operator=origin.actor,
                at=opening.earned_at,
                posted_at=origin.posted_at,
                quantity=opening.quantity,
                balance_after=account.balance + given[account.pk],
                reason=reason,
            )
        )
    Lot.objects.bulk_create(lots)
    Transaction.objects.bulk_create(transactions)
    Entry.objects.bulk_create(
        Entry(transaction=written, lot=lot, quantity=lot.quantity, bucket=Bucket.ACTIVE)
        for written, lot in zip(transactions, lots, strict=True)
    )
    _raise_balances(given)


def _raise_balances(given: dict[int, int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_account AS account SET balance = balance + given.quantity"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS given (id, quantity) WHERE account.id = given.id",
            [list(given), list(given.values())],
        )


def _earn(opening: Opening, account: Account, request: int, *, reason: str, origin: Origin) -> None:
    of_row = replace(origin, at=opening.earned_at, business=opening.issuer, request=Request.objects.get(pk=request))
    ledger.earn(
        account,
        opening.quantity,
        issuer=opening.issuer,
        unit_price=opening.unit_price,
        origin=of_row,
        expires_at=opening.expires_at,
        reason=reason,
    )
