"""A member's way through the pages on a phone of 390 px, in a real browser: no script error, nothing sticks out."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from members.notifications import MemorySmsBackend
from members.services.member_code import resolve_member_code
from tests.benefits.shop import Shop
from tests.cast import build_cast
from tests.factories import MemberFactory
from tests.points import give_points, in_days

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = "13912345678"


@pytest.fixture
def shop() -> Shop:
    """A shop whose member has points, some of them pending and some about to expire, and a coupon."""
    shop = Shop(build_cast())
    shop.at = timezone.now()
    cast = shop.cast
    shop.member = MemberFactory(name="王小明", phone=f"+86{PHONE}", businesses=[cast.mall, cast.cvs])
    give_points(shop.member, 180, cast.hotel, expires_at=in_days(12))
    for points in range(100, 125):
        give_points(shop.member, points, cast.mall)
    give_points(shop.member, 260, cast.cvs, available_at=in_days(7))
    shop.buy(42_000)
    shop.coupon()
    return shop


@pytest.fixture
def go(page: Page, live_server) -> Callable[[str], None]:
    def go(path: str) -> None:
        page.goto(live_server.url + path)
        assert_fits(page)

    return go


def assert_fits(page: Page) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"{page.url} is {width} px wide"


def sign_in(page: Page, phone: str = PHONE) -> None:
    MemorySmsBackend.outbox.clear()
    page.get_by_label("手机号").fill(phone)
    page.get_by_role("button", name="获取验证码").click()
    code = page.get_by_label("短信验证码")
    expect(code).to_be_visible()
    assert_fits(page)
    code.fill(re.search(r"\d{6}", MemorySmsBackend.outbox[-1][1])[0])
    page.get_by_role("button", name="登录").click()


def test_a_member_finds_his_card_points_coupons_and_code(shop: Shop, page: Page, go) -> None:
    go("/m/")
    sign_in(page)
    card = page.get_by_role("region", name="会员卡")
    expect(card).to_contain_text("王小明")
    expect(card).to_contain_text("再消费 ¥580.00 升级Gold")
    expect(page.get_by_text("180 积分将于")).to_be_visible()
    assert_fits(page)

    go("/m/points/")
    rows = page.locator("#history li")
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="查看更多").click()
    expect(rows).to_have_count(28)
    page.get_by_label("业态").select_option(label=shop.cast.hotel.name)
    expect(rows).to_have_count(1)
    assert_fits(page)

    go("/m/coupons/")
    page.get_by_text("满100减20").click()
    expect(page.locator(".code svg").first).to_be_visible()
    assert_fits(page)
    go("/m/me/")
    expect(page.get_by_text("139****5678")).to_be_visible()


def test_the_member_code_renews_itself_after_a_minute(shop: Shop, page: Page, go) -> None:
    page.clock.install()
    go("/m/code/")
    sign_in(page)
    code = page.locator("#code")
    assert resolve_member_code(code.locator(".digits").inner_text(), at=timezone.now()) == shop.member
    code.evaluate("shown => shown.dataset.first = true")
    page.clock.fast_forward(59_000)
    expect(page.locator("#code[data-first]")).to_have_count(1)
    page.clock.fast_forward(2_000)
    expect(page.locator("#code:not([data-first])")).to_have_count(1)
    assert resolve_member_code(code.locator(".digits").inner_text(), at=timezone.now()) == shop.member


def test_somebody_new_joins_and_leaves(shop: Shop, page: Page, go) -> None:
    go("/m/")
    sign_in(page, "13900000001")
    page.get_by_label("姓名").fill("李雷")
    page.get_by_role("button", name="同意并加入").click()
    expect(page.get_by_text("请阅读并同意")).to_be_visible()
    assert_fits(page)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="同意并加入").click()
    expect(page.get_by_role("region", name="会员卡")).to_contain_text("李雷")
    go("/m/me/")
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_label("手机号")).to_be_visible()
