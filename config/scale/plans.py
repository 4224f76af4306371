"""What a page asks of the database, and how it is answered: its statements, and their plans."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

BIG = 100_000  # rows of a table that must not be looked through
PART = 0.05  # of it, that a scan under a LIMIT may pass before it stops


@dataclass(frozen=True)
class Scan:
    """A statement that reads a big table from end to end."""

    table: str
    statement: str


def asked_by(page: Callable[[], Any]) -> list[str]:
    """The statements that a page sends, with their values."""
    with CaptureQueriesContext(connection) as captured:
        page()
    return [query["sql"] for query in captured.captured_queries]


def scans_of(statements: list[str]) -> list[Scan]:
    rows_of = _big_tables()
    return [
        Scan(table, statement)
        for statement in statements
        if statement.lstrip("( ").upper().startswith(("SELECT", "WITH"))
        for table, rows in _scanned(statement)
        if rows > PART * rows_of.get(table, rows * 1_000)
    ]


def _big_tables() -> dict[str, int]:
    """Name → rows, as of the last ANALYZE."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r' AND reltuples >= %s", [BIG])
        return dict(cursor.fetchall())


def _scanned(statement: str) -> list[tuple[str, int]]:
    """(table, rows read) of each sequential scan, as it really went: under a LIMIT it stops early."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON, ANALYZE, TIMING OFF, BUFFERS OFF) {statement.replace('%', '%%')}")
        found = cursor.fetchone()[0]
    plan = json.loads(found) if isinstance(found, str) else found
    scans = (node for node in _nodes(plan[0]["Plan"]) if node["Node Type"].endswith("Seq Scan"))
    return [(node["Relation Name"], _rows_read(node)) for node in scans]


def _rows_read(node: dict[str, Any]) -> int:
    return (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
