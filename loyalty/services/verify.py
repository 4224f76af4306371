"""The invariants of the ledger: each one SQL statement that finds the rows that break it, over any number of rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection

SHOWN = 20  # offenders printed per invariant


@dataclass(frozen=True, slots=True)
class Invariant:
    """A sentence that is true of the ledger, and the query whose every row is an exception."""

    sentence: str
    query: str


@dataclass(frozen=True, slots=True)
class Violation:
    invariant: Invariant
    columns: tuple[str, ...]
    rows: list[tuple]
    count: int


INVARIANTS = (
    Invariant(
        "The entries of a lot sum to what remains of it",
        """
        SELECT lot.id AS lot, lot.remaining, coalesce(sum(entry.quantity), 0) AS entries
        FROM loyalty_lot lot LEFT JOIN loyalty_entry entry ON entry.lot_id = lot.id
        GROUP BY lot.id HAVING lot.remaining <> coalesce(sum(entry.quantity), 0)
        """,
    ),
    Invariant(
        "The pending entries of an account sum to its pending, the active ones to balance + held",
        """
        SELECT account.id AS account, account.pending, account.balance, account.held,
               coalesce(sum(entry.quantity) FILTER (WHERE entry.bucket = 'pending'), 0) AS pending_entries,
               coalesce(sum(entry.quantity) FILTER (WHERE entry.bucket = 'active'), 0) AS active_entries
        FROM loyalty_account account
        LEFT JOIN loyalty_lot lot ON lot.account_id = account.id
        LEFT JOIN loyalty_entry entry ON entry.lot_id = lot.id
        GROUP BY account.id
        HAVING account.pending <> coalesce(sum(entry.quantity) FILTER (WHERE entry.bucket = 'pending'), 0)
            OR account.balance + account.held
               <> coalesce(sum(entry.quantity) FILTER (WHERE entry.bucket = 'active'), 0)
        """,
    ),
    Invariant(
        "An account holds what its lots hold, and its lots what its open holds hold",
        """
        SELECT account.id AS account, account.held, coalesce(lots.held, 0) AS lots, coalesce(holds.held, 0) AS holds
        FROM loyalty_account account
        LEFT JOIN (SELECT account_id, sum(held) AS held FROM loyalty_lot GROUP BY 1) lots
            ON lots.account_id = account.id
        LEFT JOIN (SELECT account_id, sum(quantity) AS held FROM loyalty_hold WHERE state = 'open' GROUP BY 1) holds
            ON holds.account_id = account.id
        WHERE account.held <> coalesce(lots.held, 0) OR account.held <> coalesce(holds.held, 0)
        """,
    ),
    Invariant(
        "A lot holds what the open holds took of it",
        """
        SELECT lot.id AS lot, lot.held, coalesce(open.held, 0) AS open_holds
        FROM loyalty_lot lot
        LEFT JOIN (
            SELECT part.lot_id, sum(part.quantity) AS held
            FROM loyalty_holdlot part JOIN loyalty_hold hold ON hold.id = part.hold_id AND hold.state = 'open'
            GROUP BY 1
        ) open ON open.lot_id = lot.id
        WHERE lot.held <> coalesce(open.held, 0)
        """,
    ),
    Invariant(
        "A lot lies between nothing and its quantity, and holds no more than remains",
        """
        SELECT id AS lot, quantity, remaining, held FROM loyalty_lot
        WHERE NOT (quantity > 0 AND remaining BETWEEN 0 AND quantity AND held BETWEEN 0 AND remaining
                OR quantity < 0 AND remaining BETWEEN quantity AND 0 AND held = 0)
        """,
    ),
    Invariant(
        "A pending lot has no active remainder, an active lot no pending one",
        """
        SELECT lot.id AS lot, lot.activated_at, entry.bucket, sum(entry.quantity) AS entries
        FROM loyalty_lot lot JOIN loyalty_entry entry ON entry.lot_id = lot.id
        GROUP BY lot.id, entry.bucket
        HAVING sum(entry.quantity) <> 0 AND (entry.bucket = 'pending') <> (lot.activated_at IS NULL)
        """,
    ),
    Invariant(
        "The entries of a transaction sum to its quantity and stay in its account",
        """
        SELECT transaction.id AS transaction, transaction.quantity, coalesce(sum(entry.quantity), 0) AS entries
        FROM loyalty_transaction transaction
        LEFT JOIN loyalty_entry entry ON entry.transaction_id = transaction.id
        LEFT JOIN loyalty_lot lot ON lot.id = entry.lot_id
        GROUP BY transaction.id
        HAVING transaction.quantity <> coalesce(sum(entry.quantity), 0)
            OR bool_or(lot.account_id <> transaction.account_id)
        """,
    ),
    Invariant(
        "What undoes an entry has the other sign, and never exceeds it in sum",
        """
        SELECT undone.id AS entry, undone.quantity, sum(entry.quantity) AS undoing
        FROM loyalty_entry entry JOIN loyalty_entry undone ON undone.id = entry.undoes_id
        GROUP BY undone.id
        HAVING sign(sum(entry.quantity)) = sign(undone.quantity) OR abs(sum(entry.quantity)) > abs(undone.quantity)
        """,
    ),
    Invariant(
        "Where there is debt, nothing is spendable",
        """
        SELECT account_id AS account, sum(remaining) FILTER (WHERE remaining < 0) AS debt,
               sum(remaining - held) FILTER (WHERE remaining > 0) AS spendable
        FROM loyalty_lot WHERE activated_at IS NOT NULL GROUP BY 1
        HAVING sum(remaining) FILTER (WHERE remaining < 0) < 0
           AND sum(remaining - held) FILTER (WHERE remaining > 0) > 0
        """,
    ),
    Invariant(
        "A merge takes from one member what it gives to another, asset by asset",
        """
        SELECT transaction.request_id AS request, account.asset, sum(transaction.quantity) AS quantity
        FROM loyalty_transaction transaction JOIN loyalty_account account ON account.id = transaction.account_id
        WHERE transaction.kind = 'merge'
        GROUP BY 1, 2 HAVING sum(transaction.quantity) <> 0
        """,
    ),
    Invariant(
        "What a merge moved keeps its issuer, price and dates",
        """
        SELECT lot.id AS lot, lot.parent_id AS parent
        FROM loyalty_entry entry
        JOIN loyalty_transaction transaction ON transaction.id = entry.transaction_id AND transaction.kind = 'merge'
        JOIN loyalty_lot lot ON lot.id = entry.lot_id AND sign(lot.quantity) = sign(entry.quantity)
        LEFT JOIN loyalty_lot parent ON parent.id = lot.parent_id
        WHERE (lot.issuer_id, lot.unit_price, lot.earned_at, lot.expires_at)
            IS DISTINCT FROM (parent.issuer_id, parent.unit_price, parent.earned_at, parent.expires_at)
        """,
    ),
    Invariant(
        "A purchase refunds what its refunds and its lines say, and no more than it was",
        """
        SELECT purchase.id AS purchase, purchase.refunded_amount, coalesce(refunds.amount, 0) AS refunds,
               coalesce(lines.amount, 0) AS lines
        FROM loyalty_purchase purchase
        LEFT JOIN (SELECT purchase_id, sum(amount) AS amount FROM loyalty_refund GROUP BY 1) refunds
            ON refunds.purchase_id = purchase.id
        LEFT JOIN (SELECT purchase_id, sum(refunded_amount) AS amount FROM loyalty_purchaseline GROUP BY 1) lines
            ON lines.purchase_id = purchase.id
        WHERE purchase.refunded_amount <> coalesce(refunds.amount, 0)
           OR purchase.refunded_amount <> coalesce(lines.amount, 0)
           OR purchase.refunded_amount > purchase.net_amount
        """,
    ),
    Invariant(
        "The lines of a purchase sum to it, and so do its tenders",
        """
        SELECT purchase.id AS purchase, purchase.net_amount, lines.net, coalesce(tenders.amount, 0) AS tenders
        FROM loyalty_purchase purchase
        LEFT JOIN (
            SELECT purchase_id, sum(amount - tier_discount - coupon_discount) AS net,
                   sum(points_amount) AS points_amount, sum(points_used) AS points_used
            FROM loyalty_purchaseline GROUP BY 1
        ) lines ON lines.purchase_id = purchase.id
        LEFT JOIN (SELECT purchase_id, sum(amount) AS amount FROM loyalty_tender GROUP BY 1) tenders
            ON tenders.purchase_id = purchase.id
        WHERE purchase.net_amount <> coalesce(lines.net, 0) OR purchase.net_amount <> coalesce(tenders.amount, 0)
           OR purchase.points_amount <> coalesce(lines.points_amount, 0)
           OR purchase.points_used <> coalesce(lines.points_used, 0)
        """,
    ),
    Invariant(
        "A purchase earned what its awards say",
        """
        SELECT award.id AS award, award.given, transaction.quantity
        FROM loyalty_award award LEFT JOIN loyalty_transaction transaction ON transaction.id = award.transaction_id
        WHERE award.given <> coalesce(transaction.quantity, 0)
        """,
    ),
    Invariant(
        "What is done with a card is done for the member for whom it spends, or is one that a merge moved",
        """
        SELECT transaction.id AS transaction, transaction.card_id AS card, account.member_id AS member,
               coalesce(card.principal_id, card.member_id) AS spends_for
        FROM loyalty_transaction transaction
        JOIN loyalty_account account ON account.id = transaction.account_id
        JOIN members_card card ON card.id = transaction.card_id
        WHERE account.member_id IS DISTINCT FROM coalesce(card.principal_id, card.member_id)
          AND NOT EXISTS (
              SELECT 1 FROM members_merge merge WHERE account.member_id IN (merge.loser_id, merge.winner_id)
          )
        """,
    ),
    Invariant(
        "What undoes a transaction is of the same card",
        """
        SELECT undoing.id AS transaction, undoing.card_id AS card, undone.card_id AS card_of_the_undone
        FROM loyalty_transaction undoing JOIN loyalty_transaction undone ON undone.id = undoing.undoes_id
        WHERE undoing.card_id IS DISTINCT FROM undone.card_id
        """,
    ),
)


def violations(invariants: Iterable[Invariant] = INVARIANTS) -> Iterator[tuple[Invariant, Violation | None]]:
    """Check every invariant in turn: yields it with what breaks it, or None."""
    for invariant in invariants:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT *, count(*) OVER () AS all_rows FROM ({invariant.query}) offenders LIMIT {SHOWN}")
            rows = cursor.fetchall()
            columns = tuple(column.name for column in cursor.description)[:-1]
        yield invariant, Violation(invariant, columns, [row[:-1] for row in rows], rows[0][-1]) if rows else None
