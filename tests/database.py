"""The suite's databases: migrated once into a template, then cloned for each run and worker.

The template is named by a hash of the migrations, so that a second run starts at once. Runs side by side in
one tree (or on one server, with DATABASE_URL) do not meet: every clone carries its run's process id.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psycopg
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

TEMPLATE = "wutong_template_"
CLONE = "wutong_test_"
LOCK = 20_240_602  # any number: advisory locks are per server


@contextmanager
def cloned_database(run: int, worker: str) -> Iterator[None]:
    """Point Django at a fresh migrated database; drop it afterwards."""
    original = connection.settings_dict["NAME"]
    name = f"{CLONE}{run}_{worker}"
    with server(original) as cursor:
        template = _template(cursor)
        _execute(cursor, "CREATE DATABASE {} TEMPLATE {}", name, template)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    _use(name)
    try:
        yield
    finally:
        _use(original)
        with server(original) as cursor:
            _execute(cursor, "DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def server(database: str) -> Iterator[psycopg.Cursor]:
    _use(database)
    params = connection.get_connection_params()
    with psycopg.connect(**(params | {"cursor_factory": psycopg.Cursor}), autocommit=True) as admin:
        yield admin.cursor()


def _template(cursor: psycopg.Cursor) -> str:
    """The name of the migrated template. Returns holding LOCK: nobody drops it before it is cloned."""
    name = TEMPLATE + migrations_hash()
    cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    names = [row[0] for row in cursor.execute("SELECT datname FROM pg_database").fetchall()]
    for old in names:
        if _is_leftover(old, name):
            _execute(cursor, "DROP DATABASE IF EXISTS {} WITH (FORCE)", old)
    if name not in names:
        _migrate(cursor, f"{TEMPLATE}draft")  # half a template never has the name of a whole one
        _execute(cursor, "ALTER DATABASE {} RENAME TO {}", f"{TEMPLATE}draft", name)
    return name


def _migrate(cursor: psycopg.Cursor, database: str) -> None:
    original = connection.settings_dict["NAME"]
    _execute(cursor, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", database)
    _use(database)
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        _use(original)


def migrations_hash() -> str:
    digest = hashlib.sha256(django.__version__.encode())
    for app in sorted(apps.get_app_configs(), key=lambda config: config.label):
        for path in sorted(Path(app.path, "migrations").glob("**/*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def tables_that_refuse_to_be_emptied(connection: BaseDatabaseWrapper) -> list[str]:
    """Those with a trigger on TRUNCATE (bit 5 of tgtype), quoted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgtype::int & 32 <> 0")
        return [table for (table,) in cursor.fetchall()]


def _is_leftover(database: str, template: str) -> bool:
    if database.startswith(CLONE):
        return not _is_running(int(database.removeprefix(CLONE).split("_")[0]))
    return database.startswith(TEMPLATE) and database != template


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _use(database: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = database


def _execute(cursor: psycopg.Cursor, statement: str, *names: str) -> None:
    cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
