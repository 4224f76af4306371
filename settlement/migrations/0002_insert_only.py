"""Journals and postings stay as written; a closed period takes none, and its statements stay as they were locked."""

from django.db import migrations

CLOSED = "('locked', 'paid')"


def insert_only(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_rows_stay BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """,
        f"""
        DROP TRIGGER {table}_rows_stay ON {table};
        DROP TRIGGER {table}_is_never_emptied ON {table}
        """,
    )


# By statement, over all its new rows at once: a row trigger would cost collection a look-up for every row.
JOURNALS_ENTER_OPEN_PERIODS = f"""
CREATE FUNCTION settlement_journal_enters_an_open_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM settlement_period period
        WHERE period.state IN {CLOSED} AND period.id IN (SELECT period_id FROM new_rows)
    ) THEN
        RAISE EXCEPTION 'a locked period takes no journal' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER settlement_journal_enters_an_open_period AFTER INSERT ON settlement_journal
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION settlement_journal_enters_an_open_period()
"""

POSTINGS_BALANCE = f"""
CREATE FUNCTION settlement_postings_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows GROUP BY journal_id, book_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the postings of a journal sum to zero in every book'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_sums_to_zero_in_every_book';
    END IF;
    IF EXISTS (
        SELECT FROM new_rows WHERE counterparty_id IS NOT NULL
        GROUP BY journal_id, least(book_id, counterparty_id), greatest(book_id, counterparty_id)
        HAVING sum(amount) <> 0
    ) THEN
        RAISE EXCEPTION 'inter-company postings cancel between their two books'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_cancels_between_two_books';
    END IF;
    IF EXISTS (
        SELECT FROM settlement_journal journal JOIN settlement_period period ON period.id = journal.period_id
        WHERE period.state IN {CLOSED} AND journal.id IN (SELECT journal_id FROM new_rows)
    ) THEN
        RAISE EXCEPTION 'a locked period takes no posting' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER settlement_postings_balance AFTER INSERT ON settlement_posting
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION settlement_postings_balance()
"""

PERIODS_STAY_CLOSED = f"""
CREATE FUNCTION settlement_period_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN {CLOSED} AND (TG_OP = 'DELETE' OR NEW.state NOT IN {CLOSED}
            OR (NEW.starts_at, NEW.ends_at) IS DISTINCT FROM (OLD.starts_at, OLD.ends_at)) THEN
        RAISE EXCEPTION 'a locked period stays as it is' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER settlement_period_stays_closed BEFORE UPDATE OR DELETE ON settlement_period
    FOR EACH ROW EXECUTE FUNCTION settlement_period_stays_closed()
"""

STATEMENTS_STAY_LOCKED = f"""
CREATE FUNCTION settlement_statement_stays_locked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stated jsonb := to_jsonb(coalesce(NEW, OLD));
BEGIN
    IF EXISTS (
        SELECT FROM settlement_period period
        WHERE period.state IN {CLOSED} AND period.id = coalesce(
            (stated ->> 'period_id')::bigint,
            (SELECT period_id FROM settlement_statement WHERE id = (stated ->> 'statement_id')::bigint))
    ) THEN
        RAISE EXCEPTION 'the statements of a locked period stay as they are' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$
"""

STATED = ("statement", "counterpartybalance", "statementline", "pointsmovement", "nettingpayment")


def stays_locked(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER settlement_{table}_stays_locked BEFORE INSERT OR UPDATE OR DELETE ON settlement_{table}
            FOR EACH ROW EXECUTE FUNCTION settlement_statement_stays_locked()
        """,
        f"DROP TRIGGER settlement_{table}_stays_locked ON settlement_{table}",
    )


def trigger(create: str, name: str, table: str) -> migrations.RunSQL:
    return migrations.RunSQL(create, f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}()")


class Migration(migrations.Migration):
    dependencies = [("settlement", "0001_initial"), ("members", "0002_insert_only")]

    operations = [
        insert_only("settlement_journal"),
        insert_only("settlement_posting"),
        trigger(JOURNALS_ENTER_OPEN_PERIODS, "settlement_journal_enters_an_open_period", "settlement_journal"),
        trigger(POSTINGS_BALANCE, "settlement_postings_balance", "settlement_posting"),
        trigger(PERIODS_STAY_CLOSED, "settlement_period_stays_closed", "settlement_period"),
        migrations.RunSQL(STATEMENTS_STAY_LOCKED, "DROP FUNCTION settlement_statement_stays_locked()"),
        *map(stays_locked, STATED),
    ]
