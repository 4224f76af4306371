import os
from collections.abc import Iterator

import pytest

from tests.database import cloned_database


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, worker_id: str) -> Iterator[None]:
    """Instead of pytest-django's, which migrates a database for each worker of each run."""
    run = os.getpid() if worker_id == "master" else os.getppid()
    with django_db_blocker.unblock(), cloned_database(run, worker_id):
        yield
