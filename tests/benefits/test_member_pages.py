"""What tiers and coupons show to their member: the badge and the way to the next tier, coupons by what can be done."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benefits.models import Coupon
from benefits.services.coupons import redeem_coupon, revoke_coupon
from tests.benefits.shop import Shop
from tests.member_session import enter

LIST, HOME = reverse("coupons:list"), reverse("member:home")


@pytest.fixture
def shop(shop: Shop, client: Client) -> Shop:
    """Open today, its member signed in with `client`."""
    shop.at = timezone.now()
    enter(client, shop.member)
    return shop


def detail(coupon: Coupon) -> str:
    return reverse("coupons:detail", args=[coupon.code])


def listed(client: Client, tab: str) -> list[Coupon]:
    return list(client.get(LIST, {"tab": tab}).context["coupons"])


def test_each_coupon_is_in_the_tab_of_what_can_be_done_with_it(client: Client, shop: Shop) -> None:
    unused, later, used, revoked = shop.coupon(), shop.coupon(from_day=3), shop.coupon(), shop.coupon()
    redeem_coupon(used, 15_000, store=shop.cast.mall_1, origin=shop.origin())
    revoke_coupon(revoked, reason="发错", origin=shop.origin())
    shop.at -= timedelta(days=40)
    overdue = shop.coupon()  # its 30 days are over, and the clock has not swept yet
    assert listed(client, "unused") == [unused, later]
    assert listed(client, "used") == [used]
    assert set(listed(client, "expired")) == {revoked, overdue}


def test_an_unknown_tab_is_the_first(client: Client, shop: Shop) -> None:
    assert client.get(LIST, {"tab": "x"}).context["tab"] == "unused"


def test_the_detail_shows_code_and_terms(client: Client, shop: Shop) -> None:
    coupon = shop.coupon(terms_text="每单限用一张", categories=["生鲜"])
    coupon.template.businesses.add(shop.cast.mall)  # too late for this coupon: its terms are a snapshot
    page = client.get(detail(coupon)).content.decode()
    for text in ("满100减20", "每单限用一张", "生鲜", shop.cast.group.name):
        assert text in page
    assert f"{coupon.code[:4]} {coupon.code[4:8]}" in page
    assert shop.cast.mall.name not in page


def test_a_used_coupon_shows_no_code(client: Client, shop: Shop) -> None:
    coupon = shop.coupon()
    redeem_coupon(coupon, 15_000, store=shop.cast.mall_1, origin=shop.origin())
    page = client.get(detail(coupon)).content.decode()
    assert f"{coupon.code[:4]} {coupon.code[4:8]}" not in page


def test_the_coupon_of_another_is_not_found(client: Client, shop: Shop) -> None:
    coupon = shop.coupon(shop.new_member())
    assert client.get(detail(coupon)).status_code == 404
    assert listed(client, "unused") == []


def test_without_signing_in_there_is_nothing_to_see(shop: Shop) -> None:
    assert Client().get(LIST).status_code == 302
    assert Client().get(detail(shop.coupon())).status_code == 302


def test_home_says_what_is_missing_to_the_next_tier(client: Client, shop: Shop) -> None:
    shop.buy(25_000)
    page = client.get(HOME).content.decode()
    assert ">Basic<" in page
    assert "再消费 ¥750.00 升级Gold" in page
    assert 'aria-valuenow="25"' in page


def test_home_congratulates_the_highest_tier(client: Client, shop: Shop) -> None:
    shop.put_on(shop.black)
    page = client.get(HOME).content.decode()
    assert ">Black<" in page
    assert "最高等级" in page


def test_home_shows_the_coupons_that_end_first(client: Client, shop: Shop) -> None:
    later, sooner, soonest = (shop.coupon(name=f"券{days}", for_days=days) for days in (30, 20, 10))
    page = client.get(HOME).content.decode()
    assert page.index("券10") < page.index("券20")
    assert "券30" not in page
    assert detail(soonest) in page
    assert detail(sooner) in page
    assert detail(later) not in page
