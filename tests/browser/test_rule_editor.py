"""Marketing in a real browser: a rule is told and counted while it is typed, a campaign asks before it starts."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from benefits.models import Coupon, CouponShare, CouponTemplate
from marketing.models import Campaign, Tag
from tests.factories import MemberFactory

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("transactional_db")]


@pytest.fixture
def desk(browser: Browser, live_server, cast) -> Iterator[Page]:
    """Headquarters, signed in, at the size of an office screen."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="zh-CN", base_url=live_server.url)
    page = context.new_page()
    page.goto("/admin/login/")
    page.fill("[name=username]", "sees_all")
    page.fill("[name=password]", "password")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/admin/")
    yield page
    context.close()


@pytest.fixture
def template(cast) -> CouponTemplate:
    template = CouponTemplate.objects.create(code="ten-off", name="满减十元", owner=cast.mall, amount=1_000)
    CouponShare.objects.create(template=template, payer=cast.mall, percent=100)
    return template


def test_a_rule_is_told_and_counted_while_it_is_typed(desk, cast):
    MemberFactory.create_batch(2, businesses=[cast.mall])
    MemberFactory(businesses=[cast.hotel])
    rule = {"attr": "business", "cmp": "eq", "value": "MALL"}
    tag = Tag.objects.create(code="mall", name="商场会员", scope=cast.group, kind=Tag.Kind.RULE, rule=rule)
    desk.goto(f"/admin/marketing/tag/{tag.pk}/change/")
    said = desk.locator("#rule-preview")
    expect(said).to_contain_text("业态会员 = 梧桐广场")
    expect(said).to_contain_text("命中 2 位会员")
    desk.fill("[name=rule]", json.dumps({**rule, "value": "HOTEL"}))
    expect(said).to_contain_text("命中 1 位会员")
    desk.fill("[name=rule]", json.dumps({**rule, "value": 5}))
    expect(said).to_contain_text("value：应为文字，实际是5")


def test_a_campaign_asks_before_it_starts_and_shows_how_far_it_is(desk, cast, template):
    MemberFactory.create_batch(2, businesses=[cast.mall])
    rule = {"attr": "business", "cmp": "eq", "value": "MALL"}
    campaign = Campaign.objects.create(name="周年庆", owner=cast.mall, rule=rule, template=template)
    desk.goto(f"/admin/marketing/campaign/{campaign.pk}/change/")
    desk.locator("a", has_text="启动活动").click()
    dialog = desk.locator("#dialog")
    expect(dialog).to_contain_text("将向 2 位会员各发放 满减十元")
    dialog.get_by_role("button", name="确定").click()
    expect(desk.locator("#campaign-progress")).to_contain_text("已处理 2 / 2")
    assert Coupon.objects.count() == 2
