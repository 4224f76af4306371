from collections.abc import Callable

import pytest
from django.utils import timezone

from members.models import Channel, Member
from tests.api.client import App
from tests.benefits.shop import Shop
from tests.cast import Cast
from tests.factories import MemberFactory


@pytest.fixture
def app(cast: Cast) -> Callable[[Channel | None], App]:
    """`app(cast.mall_app).get("members", {"phone": "…"})`."""
    return lambda channel: App(cast, channel)


@pytest.fixture
def shop(cast: Cast) -> Shop:
    """Rules, prices and tiers of round figures: 1 point per 1.00, 100 points pay 1.00, a point costs 5 fen."""
    shop = Shop(cast)
    shop.at = timezone.now()
    return shop


@pytest.fixture
def member(cast: Cast) -> Member:
    """Known to the mall and to the hotel, not to the convenience stores."""
    return MemberFactory(businesses=[cast.mall, cast.hotel], phone="+8613800138000")
