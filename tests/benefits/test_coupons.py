"""Coupons outside the till: issue, hold, redeem alone, revoke, expire; terms are those of the day of issue."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from benefits.errors import (
    AmountInvalid,
    CouponHeld,
    CouponLimitReached,
    CouponNotFound,
    CouponNotOpen,
    CouponOfAPurchase,
    CouponsSoldOut,
    CouponTemplateOver,
    CouponTemplateStopped,
    ReasonMissing,
    SharesNotWhole,
)
from benefits.models import Charge, Coupon, CouponTemplate
from benefits.services import coupon_clock, coupons
from benefits.services.welcome import welcome
from members.errors import MemberClosed
from members.models import Event, Identity, Member
from members.services.deliveries import dispatch
from members.services.people import enrol
from tests.benefits.shop import NOON, SHANGHAI, Shop


def issue(shop: Shop, template: CouponTemplate, **facts) -> dict:
    return coupons.issue_coupon(template, shop.member, origin=shop.origin(**facts))


def test_a_coupon_keeps_the_terms_of_its_issue(shop: Shop):
    coupon = shop.coupon(shares=[(shop.cast.group, "60"), (None, "40")])
    template = coupon.template
    template.amount, template.threshold, template.name = 1, 999_999, "别的"
    template.save()
    template.businesses.set([shop.cast.hotel])
    template.shares.all().delete()
    answer = shop.buy(10_000, coupons=(coupon.code,))
    assert answer["coupons"] == [{"code": coupon.code, "name": "满100减20", "discount": 2_000}]
    assert [share["amount"] for share in Charge.objects.get().shares] == [1_200, 800]


def test_issuing_says_why_it_is_refused(shop: Shop):
    one_each = shop.template(per_member=1)
    issue(shop, one_each)
    last_one = shop.template(total_quantity=1)
    issue(shop, last_one)
    for template, reason in (
        (one_each, CouponLimitReached),
        (last_one, CouponsSoldOut),
        (shop.template(is_active=False), CouponTemplateStopped),
        (shop.template(shares=[(shop.cast.group, "99.99")]), SharesNotWhole),
        (shop.template(shares=[]), SharesNotWhole),
        (
            shop.template(validity="dates", valid_from=NOON - timedelta(days=9), valid_until=NOON),
            CouponTemplateOver,
        ),
    ):
        with pytest.raises(reason):
            issue(shop, template)
        template.refresh_from_db()
        assert template.issued == template.coupons.count()
    assert Coupon.objects.count() == 2


def test_a_closed_member_gets_none(shop: Shop):
    shop.member.status = Member.Status.CLOSED
    with pytest.raises(MemberClosed):
        issue(shop, shop.template())


def test_the_same_reference_issues_one(shop: Shop):
    template = shop.template()
    assert issue(shop, template, reference="gift") == issue(shop, template, reference="gift")
    assert Coupon.objects.count() == 1


def test_validity_counts_local_days(shop: Shop):
    answer = issue(shop, shop.template(from_day=1, for_days=3))
    coupon = Coupon.objects.get(code=answer["code"])
    assert coupon.valid_from.astimezone(SHANGHAI).isoformat() == "2026-03-11T00:00:00+08:00"
    assert coupon.valid_until.astimezone(SHANGHAI).isoformat() == "2026-03-14T00:00:00+08:00"


def test_a_code_is_found_through_the_door_only(shop: Shop):
    coupon = shop.coupon()
    written = f"{coupon.code[:8].lower()} {coupon.code[8:]}"
    assert coupons.find(written, actor=shop.cast.sees_mall) == coupon
    for actor in (shop.cast.hotel_app, shop.cast.sees_nothing):
        with pytest.raises(CouponNotFound):
            coupons.find(coupon.code, actor=actor)


def test_a_held_coupon_is_for_its_order_alone(shop: Shop):
    coupon = shop.coupon()
    coupons.hold(coupon, "A-1", until=shop.at + timedelta(hours=1), origin=shop.origin())
    with pytest.raises(CouponHeld):
        shop.buy(20_000, coupons=(coupon.code,), number="B-1")
    with pytest.raises(CouponHeld):
        coupons.hold(coupon, "B-1", until=shop.at, origin=shop.origin())
    assert shop.buy(20_000, coupons=(coupon.code,), number="A-1")["coupon_discount"] == 2_000
    with pytest.raises(CouponNotOpen):
        coupons.release(coupon, origin=shop.origin())


def test_a_hold_is_released_by_hand_or_by_the_clock(shop: Shop):
    by_hand, by_clock = shop.coupon(), shop.coupon()
    for coupon in (by_hand, by_clock):
        coupons.hold(coupon, "A-1", until=shop.at + timedelta(hours=1), origin=shop.origin())
    coupons.release(by_hand, origin=shop.origin())
    assert coupon_clock.release_overdue(shop.at) == 0
    assert coupon_clock.release_overdue(shop.at + timedelta(hours=1)) == 1
    assert set(Coupon.objects.values_list("state", "held_for")) == {("issued", "")}


def test_a_till_with_receipts_of_its_own_redeems_and_returns(shop: Shop):
    coupon = shop.coupon(shares=[(shop.cast.group, "50"), (None, "50")])
    hotel = shop.cast.hotel_1
    with pytest.raises(AmountInvalid):
        coupons.redeem_coupon(coupon, 0, store=hotel, origin=shop.origin())
    answer = coupons.redeem_coupon(coupon, 50_000, store=hotel, origin=shop.origin())
    assert (answer["discount"], answer["state"]) == (2_000, "redeemed")
    charge = Charge.objects.get()
    assert (charge.business, charge.store, charge.purchase) == (shop.cast.hotel, hotel, None)
    with pytest.raises(CouponNotOpen):
        coupons.redeem_coupon(coupon, 50_000, store=hotel, origin=shop.origin())
    with pytest.raises(ReasonMissing):
        coupons.return_coupon(coupon, reason=" ", origin=shop.origin())
    assert coupons.return_coupon(coupon, reason="扫错", origin=shop.origin())["state"] == "returned"
    assert sum(Charge.objects.values_list("amount", flat=True)) == 0


def test_a_coupon_of_a_purchase_comes_back_through_its_refund(shop: Shop):
    coupon = shop.coupon()
    shop.buy(20_000, coupons=(coupon.code,))
    with pytest.raises(CouponOfAPurchase):
        coupons.return_coupon(coupon, reason="扫错", origin=shop.origin())


def test_a_revoked_coupon_is_worth_nothing(shop: Shop):
    coupon = shop.coupon()
    coupons.revoke_coupon(coupon, reason="发错", origin=shop.origin())
    with pytest.raises(CouponNotOpen):
        shop.buy(20_000, coupons=(coupon.code,))
    with pytest.raises(CouponNotOpen):
        coupons.revoke_coupon(coupon, reason="发错", origin=shop.origin())
    assert Event.objects.filter(type="coupon.revoked").count() == 1


def test_coupons_expire_in_batches(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(coupon_clock, "BATCH", 2)
    used, *others = [shop.coupon() for _ in range(6)]
    shop.buy(20_000, coupons=(used.code,))
    end = others[0].valid_until
    assert coupon_clock.expire_due(end - timedelta(microseconds=1)) == 0
    assert coupon_clock.expire_due(end) == 5
    assert coupon_clock.expire_due(end) == 0
    assert sorted(Coupon.objects.values_list("state", flat=True)) == ["expired"] * 5 + ["redeemed"]
    assert Event.objects.filter(type="coupons.expired").count() == 3


def test_a_charge_is_never_changed(shop: Shop):
    shop.buy(20_000, coupons=(shop.coupon().code,))
    for change in (lambda: Charge.objects.update(amount=1), lambda: Charge.objects.all().delete()):
        with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic():
            change()


# The welcome gift -----------------------------------------------------------------------------------------------


def join(shop: Shop, phone: str, **facts) -> Member:
    answer = enrol(identities={"phone": phone}, business=shop.cast.mall, origin=shop.origin(**facts))
    return Member.objects.get(member_no=answer["member_no"])


def test_who_enrols_is_welcomed_once(shop: Shop):
    gift = shop.template(is_welcome_gift=True, per_member=1)
    of_the_hotel = shop.template(is_welcome_gift=True, owner=shop.cast.hotel)
    member = join(shop, "13800138000")
    event = Event.objects.get(type="member.enrolled")
    welcome(event)
    welcome(event)
    assert [coupon.template for coupon in Coupon.objects.filter(member=member)] == [gift]
    assert not of_the_hotel.coupons.exists()


def test_the_gift_is_delivered_by_the_outbox(shop: Shop):
    shop.template(is_welcome_gift=True)
    member = join(shop, "13800138000")
    delivery = Event.objects.get(type="member.enrolled").deliveries.get()
    assert dispatch(delivery.next_at).done == 1
    assert Coupon.objects.get().member == member


def test_closing_and_coming_again_harvests_nothing(shop: Shop):
    shop.template(is_welcome_gift=True, per_member=1)
    first = join(shop, "13800138000")
    welcome(Event.objects.get(type="member.enrolled"))
    Identity.objects.filter(member=first).delete()
    Member.objects.filter(pk=first.pk).update(status=Member.Status.CLOSED)
    again = join(shop, "13800138000")
    assert again != first
    welcome(Event.objects.filter(type="member.enrolled").latest("pk"))
    assert Coupon.objects.count() == 1
    join(shop, "13800138001")
    welcome(Event.objects.filter(type="member.enrolled").latest("pk"))
    assert Coupon.objects.count() == 2


def test_a_gift_that_has_run_out_is_told(shop: Shop):
    template = shop.template(is_welcome_gift=True, total_quantity=1)
    issue(shop, template)
    join(shop, "13800138000")
    welcome(Event.objects.get(type="member.enrolled"))
    refused = Event.objects.get(type="welcome_gift.refused")
    assert refused.data == {"template": template.code, "code": "coupons_sold_out"}
