import os
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import Phase, settings

from members.services.memory import Memory
from tests.cast import Cast, build_cast
from tests.database import cloned_database, tables_that_refuse_to_be_emptied

# A shared machine is slow now and then: no example has a time limit. CI only tells, from the same examples each
# time; whoever looks into it shrinks them.
settings.register_profile("suite", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
settings.load_profile("ci" if os.environ.get("CI") else "suite")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, worker_id: str) -> Iterator[None]:
    """Instead of pytest-django's, which migrates a database for each worker of each run."""
    run = os.getpid() if worker_id == "master" else os.getppid()
    with django_db_blocker.unblock(), cloned_database(run, worker_id):
        yield


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    """Rows are rolled back between tests; what the process keeps of them must go too.

    Before as well: the live server may still have been answering a page of the test before.
    """
    Memory.forget_all()
    yield
    Memory.forget_all()
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _insert_only_tables_may_be_emptied() -> Iterator[None]:
    """Between tests that commit, Django empties all tables: only here do the triggers look away."""
    patch = pytest.MonkeyPatch()
    flush = DatabaseOperations.execute_sql_flush

    def without_triggers(self, statements: list[str]) -> None:
        tables = tables_that_refuse_to_be_emptied(self.connection)
        switch = "ALTER TABLE {} {} TRIGGER USER".format  # not session_replication_role: only superusers may
        off, on = ([switch(table, word) for table in tables] for word in ("DISABLE", "ENABLE"))
        flush(self, [*off, *statements, *on])

    patch.setattr(DatabaseOperations, "execute_sql_flush", without_triggers)
    yield
    patch.undo()


@pytest.fixture
def cast(db: None) -> Cast:
    """The fixed cast (tests/cast.py): ask for `transactional_db` as well where threads must see it."""
    return build_cast()
