"""Purchases and points by INSERT … SELECT: made where they are kept, with indexes built afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from members.models import Channel, Request

# A tenth of the members make half of the purchases, as in life.
PURCHASES = """
    INSERT INTO loyalty_purchase
        (request_id, member_id, business_id, store_id, channel_id, external_number, at, posted_at, list_amount,
         net_amount, points_used, points_amount, refunded_amount)
    SELECT %(request)s, %(first)s + 1 + buyer.number, member.registered_business_id, member.registered_store_id,
           %(channel)s, 'scale-' || %(reference)s || '-' || buyer.purchase, buyer.at, buyer.at, buyer.amount,
           buyer.amount, 0, 0, 0
    FROM (
        SELECT purchase,
            floor(CASE WHEN purchase %% 2 = 0 THEN random() * 0.1 ELSE random() END * %(members)s)::bigint AS number,
            now() - random() * interval '730 days' AS at,
            (500 + random() * 50000)::bigint AS amount
        FROM generate_series(%(start)s::bigint, %(end)s::bigint) AS purchase
    ) AS buyer
    JOIN members_member AS member ON member.id = %(first)s + 1 + buyer.number
"""

ACCOUNTS = """
    INSERT INTO loyalty_account (member_id, asset, balance, pending, held)
    SELECT id, 'points', 100 + id %% 5000, 0, 0 FROM members_member WHERE id > %(first)s
"""
LOTS = """
    INSERT INTO loyalty_lot
        (account_id, issuer_id, quantity, remaining, held, unit_price,
         earned_at, available_at, activated_at, expires_at)
    SELECT account.id, member.registered_business_id, account.balance, account.balance, 0, 5, now(), now(), now(),
           now() + interval '1 year' + (member.id %% 365) * interval '1 day'
    FROM loyalty_account AS account JOIN members_member AS member ON member.id = account.member_id
    WHERE member.id > %(first)s
"""
TRANSACTIONS = """
    INSERT INTO loyalty_transaction
        (request_id, account_id, kind, business_id, channel_id, at, posted_at, quantity, amount, shortfall,
         balance_after, reason)
    SELECT %(request)s, account.id, 'adjust', member.registered_business_id, %(channel)s, now(), now(),
           account.balance, 0, 0, account.balance, 'scale'
    FROM loyalty_account AS account JOIN members_member AS member ON member.id = account.member_id
    WHERE member.id > %(first)s
"""
ENTRIES = """
    INSERT INTO loyalty_entry (transaction_id, lot_id, quantity, bucket)
    SELECT earned.id, lot.id, lot.quantity, 'active'
    FROM loyalty_lot AS lot
    JOIN loyalty_account AS account ON account.id = lot.account_id
    JOIN loyalty_transaction AS earned ON earned.account_id = account.id
    WHERE account.member_id > %(first)s
"""
ROWS_AT_ONCE = 1_000_000

INDEXES = """
    SELECT index.indexrelid::regclass::text, pg_get_indexdef(index.indexrelid)
    FROM pg_index AS index LEFT JOIN pg_constraint AS held ON held.conindid = index.indexrelid
    WHERE index.indrelid = %s::regclass AND held.oid IS NULL
"""


def add_points(first: int, channel: Channel, request: Request) -> None:
    """One lot for each member after `first`: the ledger holds, and `verify_ledger` agrees."""
    values = {"first": first, "channel": channel.pk, "request": request.pk}
    with connection.cursor() as cursor:
        for statement in (ACCOUNTS, LOTS, TRANSACTIONS, ENTRIES):
            cursor.execute(statement, values)


def add_purchases(count: int, members: int, first: int, channel: Channel, request: Request) -> Iterator[int]:
    """Write `count` purchases of the `members` members after `first`; yields how many there are so far."""
    values = {"request": request.pk, "first": first, "members": members, "channel": channel.pk}
    for start in range(1, count + 1, ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE - 1, count)
        with connection.cursor() as cursor:
            cursor.execute(PURCHASES, values | {"start": start, "end": end, "reference": request.pk})
        yield end


@contextmanager
def without_indexes(*tables: str) -> Iterator[None]:
    """Drop what is no constraint's index, and build it again at the end: far faster than row by row."""
    with connection.cursor() as cursor:
        definitions = []
        for table in tables:
            cursor.execute(INDEXES, [table])
            definitions += cursor.fetchall()
        for name, _ in definitions:
            cursor.execute(f"DROP INDEX {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '1GB'")
            for _, definition in definitions:
                cursor.execute(definition)


@contextmanager
def without_foreign_key_checks() -> Iterator[None]:
    """In this session: every key that we write was read from its table a moment ago."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")
