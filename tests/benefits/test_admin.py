"""The back office of benefits, through its pages: what each operator sees, may do, and is told."""

import pytest
from django.urls import reverse

from benefits.models import Coupon, CouponShare, CouponTemplate, Tier
from benefits.services import coupons
from members.models import Operator
from tests.benefits.shop import Shop
from tests.factories import MemberFactory


@pytest.fixture
def page(client):
    """`page(operator, "coupon_change", key)`, with `data=` as a POST; redirects followed."""

    def ask(operator: Operator, name: str, *args, data: dict | None = None):
        client.force_login(operator)
        url = reverse(f"admin:{name}" if "_member_" in name else f"admin:benefits_{name}", args=args)
        return client.get(url) if data is None else client.post(url, data, follow=True)

    return ask


@pytest.fixture
def sees_all(shop: Shop) -> Operator:
    return shop.cast.sees_all


@pytest.fixture
def sees_mall(shop: Shop) -> Operator:
    return shop.cast.sees_mall


def template_data(shop: Shop, *shares: tuple, **changes) -> dict:
    data = {
        "code": "new",
        "name": "新券",
        "owner": shop.cast.mall.pk,
        "is_active": "on",
        "kind": "cash_off",
        "amount": "20.50",
        "threshold": "100",
        "validity": "days",
        "from_day": "0",
        "for_days": "30",
        "total_quantity": "0",
        "per_member": "1",
        "on_refund": "return",
        "shares-TOTAL_FORMS": len(shares),
        "shares-INITIAL_FORMS": 0,
    }
    for number, (payer, percent) in enumerate(shares):
        data |= {f"shares-{number}-payer": payer.pk if payer else "", f"shares-{number}-percent": percent}
    return data | changes


def test_a_template_is_typed_in_yuan_and_kept_in_fen(shop, page, sees_mall):
    page(sees_mall, "coupontemplate_add", data=template_data(shop, (shop.cast.mall, 60), (None, 40)))
    template = CouponTemplate.objects.get(code="new")
    assert (template.amount, template.threshold) == (2050, 10_000)
    assert list(template.shares.values_list("payer", "percent")) == [(shop.cast.mall.pk, 60), (None, 40)]
    shown = page(sees_mall, "coupontemplate_change", template.pk).content.decode()
    assert 'value="20.5"' in shown
    assert "满100减20.50" in page(sees_mall, "coupontemplate_changelist").content.decode()


@pytest.mark.parametrize("percents", [(60, 30), (60, 50), (99.99,)])
def test_shares_that_are_no_whole_are_told(shop, page, sees_all, percents):
    payers = (shop.cast.mall, None)
    data = template_data(shop, *zip(payers, percents, strict=False))
    said = page(sees_all, "coupontemplate_add", data=data).content.decode()
    assert "承担比例之和必须是 100%，现在是" in said
    assert not CouponTemplate.objects.exists()


def test_a_template_without_shares_is_told(shop, page, sees_all):
    page(sees_all, "coupontemplate_add", data=template_data(shop))
    assert not CouponTemplate.objects.exists()


@pytest.mark.parametrize("amount", ["0", "-1", "1.005", "x", "99999999999999999999"])
def test_an_amount_that_is_none_is_told(shop, page, sees_all, amount):
    data = template_data(shop, (None, 100), amount=amount)
    response = page(sees_all, "coupontemplate_add", data=data)
    assert "amount" in response.context["adminform"].form.errors
    assert not CouponTemplate.objects.exists()


def test_a_business_burdens_nobody_but_itself(shop, page, sees_mall):
    page(sees_mall, "coupontemplate_add", data=template_data(shop, (shop.cast.hotel, 100)))
    page(sees_mall, "coupontemplate_add", data=template_data(shop, (None, 100), owner=shop.cast.group.pk))
    assert not CouponTemplate.objects.exists()


def test_what_the_group_decides_is_seen_below_and_kept_above(shop, page, sees_mall, sees_all):
    template = shop.template(owner=shop.cast.group)
    assert page(sees_mall, "coupontemplate_change", template.pk).status_code == 200
    assert page(sees_mall, "coupontemplate_change", template.pk, data={"name": "我的"}).status_code == 403
    assert page(sees_mall, "tierprogramme_change", shop.programme.pk).status_code == 200
    assert page(sees_mall, "tierprogramme_change", shop.programme.pk, data={"name": "我的"}).status_code == 403
    assert page(sees_mall, "tier_change", shop.gold.pk, data={"name": "我的"}).status_code == 403
    assert page(sees_mall, "tierprogramme_dry_run", shop.programme.pk).status_code == 403
    assert page(sees_all, "tierprogramme_dry_run", shop.programme.pk).status_code == 200


def test_tiers_show_their_prices_and_thresholds_as_people_say_them(shop, page, sees_all):
    shown = page(sees_all, "tierprogramme_change", shop.programme.pk).content.decode()
    assert "梧桐广场 9.5折" in shown
    assert 'value="1000"' in shown
    data = {
        "name": "金卡",
        "rank": "10",
        "threshold": "1200.50",
        "points_multiplier": "1.5",
        "look": "gold",
        "prices-TOTAL_FORMS": "0",
        "prices-INITIAL_FORMS": "0",
    }
    page(sees_all, "tier_change", shop.gold.pk, data=data)
    assert Tier.objects.get(pk=shop.gold.pk).threshold == 120_050


def test_the_dry_run_names_who_would_move_and_moves_nobody(shop, page, sees_all, monkeypatch):
    shop.buy(120_000)
    shown = page(sees_all, "tierprogramme_dry_run", shop.programme.pk).content.decode()
    assert "1 位会员将变动等级" in shown  # the purchases are older than the window: down again
    assert shop.member.member_no in shown
    assert shop.tier == "gold"


def test_a_coupon_is_issued_once_however_often_one_clicks(shop, page, sees_mall):
    template = shop.template(name="周末券", per_member=0)
    data = {"template": template.pk, "token": "abc"}
    for _ in range(2):
        page(sees_mall, "coupon_issue", shop.member.pk, data=data)
    coupon = Coupon.objects.get()
    assert (coupon.member, coupon.request.channel.code) == (shop.member, "admin")


def test_a_coupon_that_can_t_be_had_is_told(shop, page, sees_mall):
    template = shop.template(per_member=1)
    for token in ("a", "b"):
        said = page(sees_mall, "coupon_issue", shop.member.pk, data={"template": template.pk, "token": token})
    assert "限领" in said.content.decode()
    assert Coupon.objects.count() == 1


def test_coupons_are_issued_only_to_one_s_own_and_by_permission(shop, page, sees_mall):
    template = shop.template()
    guest = MemberFactory(businesses=[shop.cast.hotel])
    data = {"template": template.pk, "token": "a"}
    assert page(sees_mall, "coupon_issue", guest.pk, data=data).status_code == 404
    sees_mall.user_permissions.remove(*sees_mall.user_permissions.filter(codename="issue_coupon"))
    assert page(sees_mall, "coupon_issue", shop.member.pk, data=data).status_code == 403
    assert not Coupon.objects.exists()


def test_a_coupon_is_revoked_with_a_reason(shop, page, sees_mall):
    coupon = shop.coupon()
    page(sees_mall, "coupon_revoke", coupon.pk, data={"_form_submitted": "true", "reason": ""})
    assert Coupon.objects.get().state == "issued"
    page(sees_mall, "coupon_revoke", coupon.pk, data={"_form_submitted": "true", "reason": "发错了"})
    assert Coupon.objects.get().state == "revoked"
    assert "已作废" in page(sees_mall, "coupon_change", coupon.pk).content.decode()
    page(sees_mall, "coupon_revoke", coupon.pk, data={"_form_submitted": "true", "reason": "又一次"})
    assert "已使用、已过期或已作废" in page(sees_mall, "coupon_change", coupon.pk).content.decode()


def test_another_s_coupon_is_not_there_to_be_revoked(shop, page, sees_mall):
    coupon = shop.coupon(MemberFactory(businesses=[shop.cast.hotel]))
    data = {"_form_submitted": "true", "reason": "x"}
    assert page(sees_mall, "coupon_revoke", coupon.pk, data=data).status_code == 404
    assert Coupon.objects.get().state == "issued"


def test_a_charge_says_who_bears_it_in_yuan(shop, page, sees_all, sees_mall):
    coupon = shop.coupon(shares=((shop.cast.group, 50), (None, 50)))
    shop.buy(20_000, coupons=(coupon.code,))
    shown = page(sees_mall, "charge_changelist").content.decode()
    assert "梧桐集团 ¥10.00 · 梧桐广场 ¥10.00" in shown
    charge = coupon.charges.get()
    assert "¥20.00" in page(sees_all, "charge_change", charge.pk).content.decode()


@pytest.mark.parametrize("panel", ["coupons", "tiers"])
def test_member_360_shows_tier_and_coupons(shop, page, sees_mall, panel):
    shop.buy(120_000)
    coupon = shop.coupon()
    shown = page(sees_mall, "members_member_360", shop.member.pk).content.decode()
    assert "Gold" in shown
    assert "发券" in shown
    tab = page(sees_mall, "members_member_panel", shop.member.pk, panel).content.decode()
    assert (coupon.code if panel == "coupons" else "升级") in tab


def test_members_are_found_by_their_tier(shop, client, sees_all):
    shop.buy(120_000)
    other = shop.new_member()
    client.force_login(sees_all)
    url = reverse("admin:members_member_changelist")
    for tier, member in ((shop.gold, shop.member), (shop.basic, other)):
        found = client.get(url, {"tier": tier.pk}).context["cl"]
        assert [row.pk for row in found.result_list] == [member.pk]


def test_the_template_of_issued_coupons_stays(shop, page, sees_all):
    template = shop.coupon().template
    assert page(sees_all, "coupontemplate_delete", template.pk, data={"post": "yes"}).status_code == 403
    assert CouponShare.objects.filter(template=template).exists()
    assert coupons.find(Coupon.objects.get().code, actor=sees_all)
