import pytest

from tests.benefits.shop import Shop
from tests.cast import Cast, build_cast


@pytest.fixture
def shop(cast: Cast) -> Shop:
    return Shop(cast)


@pytest.fixture
def open_shop(transactional_db: None) -> Shop:
    """The same, committed: for tests with real parallel connections."""
    return Shop(build_cast())
