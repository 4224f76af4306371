"""What the ORM has no words for, said in the database's."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Expression, F, Model, QuerySet


def insert_select(model: type[Model], rows: QuerySet, **values: Expression | F) -> int:
    """INSERT … SELECT: one row of `model` for each of `rows`, passing over those that are there already.

    `values` are expressions over `rows`, by field name; what the ORM compiles for them and for `rows` is used as it
    stands, parameters included. Returns how many came in.
    """
    try:
        select, params = rows.order_by().values_list(*values.values()).query.sql_with_params()
    except EmptyResultSet:
        return 0
    quote = connection.ops.quote_name
    columns = ", ".join(quote(model._meta.get_field(name).column) for name in values)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {select} ON CONFLICT DO NOTHING", params)
        return cursor.rowcount


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """One transaction in which no statement runs longer. Raises OperationalError, having changed nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        before = cursor.execute("SELECT current_setting('statement_timeout')").fetchone()[0]
        set_limit = "SELECT set_config('statement_timeout', %s, true)"
        cursor.execute(set_limit, [f"{seconds}s"])
        yield
        cursor.execute(set_limit, [before])  # of an outer transaction, which goes on


@contextmanager
def lease(name: str) -> Iterator[bool]:
    """Whether the name is this connection's alone until the block ends; a process that dies gives it back."""
    with connection.cursor() as cursor:
        is_held = cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()[0]
        try:
            yield is_held
        finally:
            if is_held:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
