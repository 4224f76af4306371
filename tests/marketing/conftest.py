from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from benefits.models import CouponShare, CouponTemplate
from loyalty.models import PointsPrice
from marketing.models import Tag
from members.interfaces import Origin
from members.services.organisation import own_origin
from tests.cast import Cast


@pytest.fixture
def cast(cast: Cast) -> Cast:
    """The cast, in whose group a point costs 0.8 fen."""
    long_ago = timezone.now() - timedelta(days=1_000)
    PointsPrice.objects.create(issuer=cast.group, price=Decimal("0.8"), starts_at=long_ago)
    return cast


@pytest.fixture
def origin(cast) -> Origin:
    """A headquarters operator in the back office."""
    return own_origin("admin", actor=cast.sees_all)


@pytest.fixture
def regulars(cast) -> Tag:
    """Those who are of the mall: the rule tag of most tests."""
    rule = {"attr": "business", "cmp": "eq", "value": "MALL"}
    return Tag.objects.create(code="regulars", name="常客", scope=cast.group, kind=Tag.Kind.RULE, rule=rule)


@pytest.fixture
def vip(cast) -> Tag:
    return Tag.objects.create(code="vip", name="贵宾", scope=cast.group)


@pytest.fixture
def template(cast) -> CouponTemplate:
    """Ten yuan off, at the mall's expense."""
    template = CouponTemplate.objects.create(code="ten-off", name="满减十元", owner=cast.mall, amount=1_000)
    CouponShare.objects.create(template=template, payer=cast.mall, percent=100)
    return template
