"""Stores carry a trade: rules and rule trees name it by its code."""

from datetime import date

import pytest
from django.urls import reverse

from loyalty.admin.rules import EarnRuleAdmin
from loyalty.interfaces import DraftLine
from loyalty.models import BurnRule, EarnRule
from loyalty.services import earning, terms
from members import criteria
from members.models import Member, OrgUnit, Trade
from tests.cast import Cast
from tests.loyalty.test_purchases import NOW, START, Shop


@pytest.fixture
def shop(cast: Cast) -> Shop:
    """MALL-1 sells food; MALL-2 has no trade yet."""
    food = Trade.objects.create(code="food", name="餐饮")
    Trade.objects.create(code="wear", name="服饰")
    OrgUnit.objects.filter(pk=cast.mall_1.pk).update(trade=food)
    cast.mall_1.refresh_from_db()
    return Shop(cast)


def earning_at(shop: Shop, store: OrgUnit) -> list[str]:
    draft = shop.draft(DraftLine(amount=1000), store=store)
    return [award.rule.name for award in earning.preview(draft)]


def test_an_earn_rule_holds_at_the_stores_of_its_trades(shop: Shop):
    shop.rule(name="餐饮", trades=["food"])
    shop.rule(name="服饰", trades=["wear"])
    shop.rule(name="都有", trades=["food", "wear"])
    assert earning_at(shop, shop.cast.mall_1) == ["基础", "餐饮", "都有"]
    assert earning_at(shop, shop.cast.mall_2) == ["基础"]


def test_a_burn_rule_too(shop: Shop):
    own = BurnRule.objects.create(
        name="餐饮", org_unit=shop.cast.group, starts_at=START, points=1, amount=10, priority=1, trades=["food"]
    )
    terms.forget()
    assert terms.burn_rule(shop.cast.mall_1, NOW) == own
    assert terms.burn_rule(shop.cast.mall_2, NOW).name == "抵扣"


def test_a_rule_tree_asks_for_purchases_in_a_trade(shop: Shop):
    shop.buy(DraftLine(amount=1000))
    in_trade = {code: {"event": "purchase", "where": {"trade": code}} for code in ("food", "wear")}
    as_of = date(2026, 3, 11)
    for code, expected in (("food", True), ("wear", False)):
        criteria.validate(in_trade[code])
        found = Member.objects.filter(criteria.compile(in_trade[code], as_of=as_of), pk=shop.member.pk)
        assert (found.exists(), criteria.matches(in_trade[code], shop.member, as_of=as_of)) == (expected, expected)
    assert "餐饮" in criteria.describe(in_trade["food"])


def test_trades_are_chosen_from_the_list(shop: Shop, client):
    client.force_login(shop.cast.sees_all)
    page = client.get(reverse("admin:loyalty_earnrule_add")).content.decode()
    assert ("餐饮" in page, "服饰" in page) == (True, True)
    said = {
        "name": "新", "org_unit": shop.cast.mall.pk, "asset": "points", "base": "paid", "is_active": "on",
        "starts_at_0": "2026-01-01", "starts_at_1": "00:00", "points": 1, "per_amount": 100, "multiplier": 1,
        "cap_per_purchase": 0, "cap_per_day": 0, "priority": 100, "pending_days": 0, "audience": "null",
    }  # fmt: skip
    add = reverse("admin:loyalty_earnrule_add")
    client.post(add, said | {"trades": ["none-such"]})
    assert not EarnRule.objects.filter(name="新").exists()
    client.post(add, said | {"trades": ["food", "wear"]})
    assert EarnRule.objects.get(name="新").trades == ["food", "wear"]
    assert "trades" in str(EarnRuleAdmin.fieldsets)


def test_the_list_of_trades_is_kept_by_the_group(shop: Shop, client):
    food = Trade.objects.get(code="food")
    page = reverse("admin:members_trade_change", args=[food.pk])
    client.force_login(shop.cast.sees_mall)
    assert client.post(page, {"name": "改了"}).status_code == 403
    assert client.post(reverse("admin:members_trade_add"), {"code": "x", "name": "x"}).status_code == 403
    client.force_login(shop.cast.sees_all)
    client.post(page, {"name": "美食", "code": "changed"})
    food.refresh_from_db()
    assert (food.code, food.name) == ("food", "美食")  # rules name it by its code


def test_only_stores_have_one(shop: Shop, client):
    client.force_login(shop.cast.sees_all)
    add = reverse("admin:members_orgunit_add")
    wear = Trade.objects.get(code="wear")
    new = {"code": "NEW", "name": "新", "trade": wear.pk}
    client.post(add, new | {"kind": "region", "parent": shop.cast.mall.pk})
    assert not OrgUnit.objects.filter(code="NEW").exists()
    client.post(add, new | {"kind": "store", "parent": shop.cast.mall_east.pk})
    assert OrgUnit.objects.get(code="NEW").trade == wear
