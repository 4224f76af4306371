"""A member is shared by businesses; what happened at one of them is not."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import EarnRule, Lot, Transaction
from members.models import Member
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.points import give_points


@pytest.fixture
def shared(cast: Cast) -> Member:
    """A member of both businesses, with points given at HOTEL."""
    member = MemberFactory(businesses=[cast.mall, cast.hotel])
    give_points(member, 100, cast.hotel)
    return member


def test_another_business_sees_neither_the_transaction_nor_the_lot(cast: Cast, shared: Member):
    assert Transaction.objects.visible_to(cast.sees_mall).count() == 0
    assert Lot.objects.visible_to(cast.sees_mall).count() == 0
    assert Transaction.objects.visible_to(cast.hotel_app).count() == 1
    assert Lot.objects.visible_to(cast.hotel_app).count() == 1


def test_another_business_can_not_reverse_it(client: Client, cast: Cast, shared: Member):
    given = Transaction.objects.get()
    client.force_login(cast.sees_mall)
    data = {"action": "reverse_transactions", "_selected_action": [given.pk]}
    client.post(reverse("admin:loyalty_transaction_changelist"), data)
    assert Transaction.objects.count() == 1


def test_a_rule_from_above_is_seen_and_not_copied_there(client: Client, cast: Cast):
    rule = EarnRule.objects.create(name="集团规则", org_unit=cast.group, starts_at=timezone.now())
    client.force_login(cast.sees_mall)
    url = reverse("admin:loyalty_earnrule_changelist")
    assert "集团规则" in client.get(url).content.decode()
    client.post(url, {"action": "copy", "_selected_action": [rule.pk]})
    assert EarnRule.objects.count() == 1


def test_adjusting_needs_the_permission(client: Client, cast: Cast, shared: Member):
    cast.sees_mall.user_permissions.clear()
    client.force_login(cast.sees_mall)
    assert client.get(reverse("admin:loyalty_account_adjust", args=[shared.pk])).status_code == 403
