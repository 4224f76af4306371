from collections.abc import Callable
from decimal import Decimal

import pytest

from loyalty.models import PointsPrice
from members.models import Channel, Member
from tests.api.client import App
from tests.cast import Cast
from tests.factories import MemberFactory

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def app(cast: Cast) -> Callable[[Channel | None], App]:
    """`app(cast.mall_app).get("members", {"phone": "…"})`."""
    return lambda channel: App(cast, channel)


@pytest.fixture
def prices(cast: Cast) -> None:
    for business in (cast.mall, cast.hotel, cast.cvs):
        PointsPrice.objects.create(issuer=business, starts_at=LONG_AGO, price=Decimal(5))


@pytest.fixture
def member(cast: Cast) -> Member:
    """Known to the mall and to the hotel, not to the convenience stores."""
    return MemberFactory(businesses=[cast.mall, cast.hotel], phone="+8613800138000")
