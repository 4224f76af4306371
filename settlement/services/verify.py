"""The invariants of settlement: each one SQL statement that finds the rows that break it, over any number of rows."""

from loyalty.services.verify import Invariant

INVARIANTS = (
    Invariant(
        "The postings of a journal sum to zero in every book",
        """
        SELECT journal_id AS journal, book_id AS book, sum(amount) AS amount
        FROM settlement_posting GROUP BY 1, 2 HAVING sum(amount) <> 0
        """,
    ),
    Invariant(
        "Inter-company postings cancel between their two books, journal by journal",
        """
        SELECT journal_id AS journal, least(book_id, counterparty_id) AS book,
               greatest(book_id, counterparty_id) AS counterparty, sum(amount) AS amount
        FROM settlement_posting WHERE account = 'inter_company' GROUP BY 1, 2, 3 HAVING sum(amount) <> 0
        """,
    ),
    Invariant(
        "Every book balances in every period",
        """
        SELECT journal.period_id AS period, posting.book_id AS book, sum(posting.amount) AS amount
        FROM settlement_posting posting JOIN settlement_journal journal ON journal.id = posting.journal_id
        GROUP BY 1, 2 HAVING sum(posting.amount) <> 0
        """,
    ),
    Invariant(
        "A journal moves the liability by its entry's points at the lot's price, or for a debt lot the receivable",
        """
        SELECT journal.id AS journal, entry.quantity, lot.unit_price, sum(posting.amount) AS posted
        FROM settlement_journal journal
        JOIN loyalty_entry entry ON entry.id = journal.entry_id
        JOIN loyalty_lot lot ON lot.id = entry.lot_id
        LEFT JOIN settlement_posting posting ON posting.journal_id = journal.id
            AND posting.account = CASE WHEN lot.quantity > 0 THEN 'points_liability' ELSE 'member_receivable' END
        GROUP BY journal.id, entry.quantity, lot.unit_price
        HAVING coalesce(sum(posting.amount), 0) <> -entry.quantity * lot.unit_price
        """,
    ),
    Invariant(
        "The liability, with what is not collected yet, is what remains of activated lots at their prices",
        """
        WITH lots AS (
            SELECT coalesce(sum(lot.remaining * lot.unit_price), 0) AS value
            FROM loyalty_lot lot JOIN loyalty_account account ON account.id = lot.account_id
            WHERE account.asset = 'points' AND lot.quantity > 0 AND lot.activated_at IS NOT NULL
        ), posted AS (
            SELECT -coalesce(sum(amount), 0) AS value FROM settlement_posting WHERE account = 'points_liability'
        ), uncollected AS (
            SELECT coalesce(sum(entry.quantity * lot.unit_price), 0) AS value
            FROM loyalty_entry entry
            JOIN loyalty_lot lot ON lot.id = entry.lot_id
            JOIN loyalty_account account ON account.id = lot.account_id
            LEFT JOIN settlement_journal journal ON journal.entry_id = entry.id
            WHERE entry.bucket = 'active' AND account.asset = 'points' AND lot.quantity > 0 AND journal.id IS NULL
        )
        SELECT lots.value AS lots, posted.value AS posted, uncollected.value AS uncollected
        FROM lots, posted, uncollected WHERE lots.value <> posted.value + uncollected.value
        """,
    ),
    Invariant(
        "The liability stands with the fund under A, with the lot's issuer under B",
        """
        SELECT posting.id AS posting, journal.model, book.id AS book
        FROM settlement_posting posting
        JOIN settlement_journal journal ON journal.id = posting.journal_id
        JOIN settlement_book book ON book.id = posting.book_id
        JOIN loyalty_entry entry ON entry.id = journal.entry_id
        JOIN loyalty_lot lot ON lot.id = entry.lot_id
        JOIN members_orgunit issuer ON issuer.id = lot.issuer_id
        WHERE posting.account = 'points_liability'
          AND NOT (journal.model = 'A' AND book.role = 'fund'
                OR journal.model = 'B' AND book.role = 'operating'
                   AND book.org_unit_id = coalesce(issuer.business_id, issuer.id))
        """,
    ),
    Invariant(
        "A lot keeps its model for life",
        """
        SELECT entry.lot_id AS lot, array_agg(DISTINCT journal.model) AS models
        FROM settlement_journal journal JOIN loyalty_entry entry ON entry.id = journal.entry_id
        GROUP BY 1 HAVING count(DISTINCT journal.model) > 1
        """,
    ),
    Invariant(
        "A charge's journal posts its amount, and only that",
        """
        SELECT journal.id AS journal, charge.amount, sum(posting.amount) AS posted
        FROM settlement_journal journal
        JOIN benefits_charge charge ON charge.id = journal.charge_id
        LEFT JOIN settlement_posting posting ON posting.journal_id = journal.id AND posting.account = 'coupon_tender'
        GROUP BY journal.id, charge.amount HAVING coalesce(sum(posting.amount), 0) <> -charge.amount
        """,
    ),
    Invariant(
        "A statement foots: opening + lines = closing, with every counterparty",
        """
        SELECT balance.id AS balance, balance.opening, balance.closing, coalesce(sum(line.amount), 0) AS lines
        FROM settlement_counterpartybalance balance
        LEFT JOIN settlement_statementline line
            ON line.statement_id = balance.statement_id AND line.counterparty_id = balance.counterparty_id
        GROUP BY balance.id HAVING balance.opening + coalesce(sum(line.amount), 0) <> balance.closing
        """,
    ),
    Invariant(
        "A statement's opening and closing are the sums of its counterparties'",
        """
        SELECT statement.id AS statement, statement.opening, statement.closing,
               coalesce(sum(balance.opening), 0) AS openings, coalesce(sum(balance.closing), 0) AS closings
        FROM settlement_statement statement
        LEFT JOIN settlement_counterpartybalance balance ON balance.statement_id = statement.id
        GROUP BY statement.id
        HAVING (statement.opening, statement.closing)
            <> (coalesce(sum(balance.opening), 0), coalesce(sum(balance.closing), 0))
        """,
    ),
    Invariant(
        "Both sides of a pair state the same balance",
        """
        SELECT mine.statement_id AS statement, mine.counterparty_id AS counterparty, mine.closing
        FROM settlement_counterpartybalance mine
        JOIN settlement_statement own ON own.id = mine.statement_id
        LEFT JOIN (
            SELECT stated.period_id, stated.book_id, balance.counterparty_id, balance.opening, balance.closing
            FROM settlement_counterpartybalance balance
            JOIN settlement_statement stated ON stated.id = balance.statement_id
        ) other ON other.period_id = own.period_id
            AND other.book_id = mine.counterparty_id AND other.counterparty_id = own.book_id
        WHERE (other.opening, other.closing) IS DISTINCT FROM (-mine.opening, -mine.closing)
        """,
    ),
    Invariant(
        "A statement opens where the one before it closed",
        """
        SELECT * FROM (
            SELECT statement.id AS statement, statement.opening, statement.points_opening,
                   lag(statement.closing) OVER earlier AS closed, lag(statement.points_closing) OVER earlier AS points
            FROM settlement_statement statement JOIN settlement_period period ON period.id = statement.period_id
            WINDOW earlier AS (PARTITION BY statement.book_id ORDER BY period.starts_at)
        ) chain
        WHERE (opening, points_opening) <> (coalesce(closed, 0), coalesce(points, 0))
        """,
    ),
    Invariant(
        "The fund owes what the points it answers for are worth",
        """
        SELECT statement.id AS statement, statement.liability, statement.points_value
        FROM settlement_statement statement JOIN settlement_book book ON book.id = statement.book_id
        WHERE book.role = 'fund' AND statement.liability <> statement.points_value
        """,
    ),
    Invariant(
        "Netting settles every business's net of the period",
        """
        SELECT nets.period_id AS period, nets.org_unit_id AS org_unit, nets.net, coalesce(sum(paid.amount), 0) AS paid
        FROM (
            SELECT statement.period_id, book.org_unit_id, sum(statement.closing - statement.opening) AS net
            FROM settlement_statement statement JOIN settlement_book book ON book.id = statement.book_id
            GROUP BY 1, 2
        ) nets
        LEFT JOIN (
            SELECT period_id, payee_id AS org_unit_id, amount FROM settlement_nettingpayment
            UNION ALL SELECT period_id, payer_id, -amount FROM settlement_nettingpayment
        ) paid ON paid.period_id = nets.period_id AND paid.org_unit_id = nets.org_unit_id
        GROUP BY 1, 2, 3 HAVING nets.net <> coalesce(sum(paid.amount), 0)
        """,
    ),
)
