"""Freezing and closing: nothing is spent from the commit on, the person is gone, the ledger stays, no second gift."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from benefits.models import Coupon
from benefits.services import coupons
from benefits.services.welcome import welcome
from loyalty.errors import AssetsLeft, HoldsOpen, MoneyLeft
from loyalty.models import Account, Asset, Hold, Transaction
from loyalty.services import points
from loyalty.services.verify import violations
from marketing.models import MemberTag, Tag
from members.errors import MemberClosed, MemberFrozen, MemberNotFrozen, ReasonMissing
from members.models import Call, Event, FollowUp, FormerIdentity, Identity, Member
from members.personal_data import blind_index
from members.services import closing, consents, devices, freezing, identities, merging
from members.services.organisation import own_origin
from members.services.people import enrol, find
from tests.benefits.shop import Shop
from tests.cast import Cast, build_cast

PHONE = "+8613800138000"


@pytest.fixture
def shop(cast: Cast) -> Shop:
    return Shop(cast)


@pytest.fixture
def open_shop(transactional_db: None) -> Shop:
    return Shop(build_cast())


def staff(cast: Cast):
    return own_origin("admin", actor=cast.sees_all)


def status(member: Member) -> str:
    return Member.objects.values_list("status", flat=True).get(pk=member.pk)


# --- Freezing ---------------------------------------------------------------------------------------------------


def test_a_frozen_member_spends_nothing_anywhere(shop: Shop) -> None:
    points.earn(shop.member, 500, issuer=shop.cast.mall, origin=shop.origin())
    coupon = shop.coupon()
    held = points.hold(shop.member, 50, until=shop.at.replace(year=2030), origin=shop.origin())
    stale = Member.objects.get(pk=shop.member.pk)
    freezing.freeze(shop.member, reason="盗用", origin=staff(shop.cast))
    before = Transaction.objects.count(), Hold.objects.count()
    spends = (
        lambda: shop.buy(10_000, points=100, member=stale),
        lambda: points.burn(stale, 100, origin=shop.origin()),
        lambda: points.hold(stale, 100, until=shop.at.replace(year=2030), origin=shop.origin()),
        lambda: points.capture(Hold.objects.get(pk=held["id"]), origin=shop.origin()),
        lambda: coupons.redeem_coupon(coupon, 20_000, store=shop.cast.mall_1, origin=shop.origin()),
    )
    for spend in spends:
        with pytest.raises(MemberFrozen):
            spend()
    assert (Transaction.objects.count(), Hold.objects.count()) == before
    freezing.unfreeze(shop.member, reason="核实本人", origin=staff(shop.cast))
    assert points.burn(Member.objects.get(pk=stale.pk), 100, origin=shop.origin())["balance"] == 350
    data = [event.data for event in Event.objects.filter(type__in=("member.frozen", "member.unfrozen")).order_by("pk")]
    assert data == [{"reason": "盗用"}, {"reason": "核实本人"}]


def test_freezing_says_why_and_only_once(shop: Shop) -> None:
    with pytest.raises(ReasonMissing):
        freezing.freeze(shop.member, reason=" ", origin=staff(shop.cast))
    with pytest.raises(MemberNotFrozen):
        freezing.unfreeze(shop.member, reason="…", origin=staff(shop.cast))
    freezing.freeze(shop.member, reason="盗用", origin=staff(shop.cast))
    with pytest.raises(MemberFrozen):
        freezing.freeze(shop.member, reason="盗用", origin=staff(shop.cast))
    assert status(shop.member) == "frozen"


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", [freezing.freeze, closing.close])
def test_a_payment_that_meets_a_block_is_refused_once_it_is_committed(open_shop: Shop, verb) -> None:
    """The payment has read an active member, and waits for his account while he is blocked."""
    member = open_shop.member
    points.earn(member, 500, issuer=open_shop.cast.mall, origin=open_shop.origin())

    def pay() -> str:
        try:
            open_shop.buy(10_000, points=100, member=Member.objects.get(pk=member.pk))
            return "paid"
        except (MemberFrozen, MemberClosed) as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            verb(member, reason="盗用", origin=staff(open_shop.cast))
            payment = pool.submit(pay)
            for _ in range(200):
                if waiting_for_a_lock():
                    break
                time.sleep(0.02)
            assert not payment.done()
        assert payment.result() in ("member_frozen", "member_closed")
    assert not Transaction.objects.filter(kind=Transaction.Kind.BURN).exists()


# --- Closing ----------------------------------------------------------------------------------------------------


def with_everything(shop: Shop) -> Member:
    """Somebody of whom each floor knows something."""
    member, cast = shop.member, shop.cast
    points.earn(member, 500, issuer=cast.mall, origin=shop.origin())
    points.earn(member, 70, issuer=cast.mall, available_at=shop.at.replace(year=2030), origin=shop.origin())
    shop.coupon()
    tag = Tag.objects.create(code="vip", name="贵宾", scope=cast.mall)
    MemberTag.objects.create(member=member, tag=tag, source="manual", since=shop.at)
    identities.add(member, "email", "a@example.com", is_verified=True, origin=own_origin("member"))
    consents.give(member, receiver=cast.mall, purpose="marketing", origin=own_origin("member"))
    devices.seen(member, "ios-1", at=shop.at)
    member.important_dates.create(name="结婚", day="2010-05-20")
    FollowUp.objects.create(member=member, plan="问候", due_on="2026-05-01", created_at=shop.at)
    Call.objects.create(
        member=member, phone=PHONE, phone_index="x", last_four="8000", reason="咨询", operator=cast.sees_all, at=shop.at
    )
    return member


def test_the_person_goes_and_the_ledger_stays(shop: Shop) -> None:
    member = with_everything(shop)
    value_indexes = set(member.identities.values_list("value_index", flat=True))
    before = Transaction.objects.count()
    said = {loss.label: loss.text for loss in closing.preview(member)}
    assert said["积分"] == "570，将作废"
    assert (said["优惠券"], said["标签"]) == ("1 张，将作废", "1 个，将移除")

    answer = closing.close(member, reason="本人要求", origin=staff(shop.cast))

    member.refresh_from_db()
    assert (member.status, member.name, member.name_index) == ("closed", "", "")
    assert (member.birthday, member.gender) == (None, "")
    assert (answer["member_no"], member.closed_at is not None) == (member.member_no, True)
    assert not member.identities.exists()
    assert set(FormerIdentity.objects.values_list("value_index", flat=True)) == value_indexes
    assert set(FormerIdentity.objects.values_list("reason", flat=True)) == {"closed"}
    assert not member.consents.in_force().exists()
    assert [rows.count() for rows in (member.devices, member.important_dates, member.tags)] == [0, 0, 0]
    call = Call.objects.get()
    assert (FollowUp.objects.get().state, call.phone, call.phone_index, call.last_four) == ("cancelled", "", "", "")
    assert Coupon.objects.get().state == "revoked"
    account = Account.objects.get(asset=Asset.POINTS)
    assert (account.balance, account.pending, account.held) == (0, 0, 0)
    assert Transaction.objects.get(kind="expire").quantity == -570
    assert Transaction.objects.count() == before + 2  # what was pending came due, and all of it lapsed
    assert [found for _, found in violations() if found] == []
    closed = Event.objects.get(type="member.closed")
    assert (closed.operator, closed.data["reason"]) == (shop.cast.sees_all, "本人要求")
    assert closed.data["steps"]["loyalty"] == {"points": 570}


def test_nothing_more_happens_to_who_has_left(shop: Shop) -> None:
    closing.close(shop.member, reason="", origin=own_origin("member"))
    with pytest.raises(MemberClosed):
        closing.close(shop.member, reason="", origin=own_origin("member"))
    with pytest.raises(MemberClosed):
        shop.buy(100, member=Member.objects.get(pk=shop.member.pk))
    with pytest.raises(MemberClosed):
        points.earn(Member.objects.get(pk=shop.member.pk), 1, issuer=shop.cast.mall, origin=shop.origin())


def counts() -> list[int]:
    return [model.objects.count() for model in (Event, Identity, FormerIdentity, Transaction)]


def refused(shop: Shop, why: type[Exception], **asked) -> None:
    before = counts(), status(shop.member)
    with pytest.raises(why):
        closing.close(shop.member, **({"reason": "…", "origin": staff(shop.cast)} | asked))
    assert (counts(), status(shop.member)) == before


def test_money_is_paid_out_first(shop: Shop) -> None:
    points.earn(shop.member, 12_345, issuer=shop.cast.mall, asset=Asset.BALANCE, origin=shop.origin())
    assert {loss.label: loss.text for loss in closing.preview(shop.member)}["储值本金"] == "¥123.45，请先退款"
    refused(shop, MoneyLeft)


def test_an_order_under_way_is_finished_first(shop: Shop) -> None:
    points.earn(shop.member, 500, issuer=shop.cast.mall, origin=shop.origin())
    points.hold(shop.member, 50, until=shop.at.replace(year=2030), origin=shop.origin())
    refused(shop, HoldsOpen)


def test_by_policy_points_are_used_up_first(shop: Shop, settings) -> None:
    settings.MEMBERS_CLOSING = "refuse"
    points.earn(shop.member, 500, issuer=shop.cast.mall, origin=shop.origin())
    refused(shop, AssetsLeft)
    points.burn(shop.member, 500, origin=shop.origin())
    closing.close(shop.member, reason="", origin=own_origin("member"))
    assert status(shop.member) == "closed"


def test_an_operator_says_why_and_a_frozen_member_does_not_slip_away(shop: Shop) -> None:
    refused(shop, ReasonMissing, reason=" ")
    freezing.freeze(shop.member, reason="盗用", origin=staff(shop.cast))
    refused(shop, MemberFrozen, origin=own_origin("member"))
    closing.close(shop.member, reason="调查结束", origin=staff(shop.cast))
    assert status(shop.member) == "closed"


def test_rows_merged_into_his_are_forgotten_with_him(shop: Shop) -> None:
    part, tag = shop.new_member(), Tag.objects.create(code="vip", name="贵宾", scope=shop.cast.mall)
    for member in (part, shop.member):  # what both had stays with the one who was merged
        member.important_dates.create(name="结婚", day="2010-05-20")
        consents.give(member, receiver=shop.cast.mall, purpose="marketing", origin=own_origin("member"))
        MemberTag.objects.create(member=member, tag=tag, source="rule", since=shop.at)
    merging.merge(part, shop.member, reason="同一人", origin=staff(shop.cast))
    part.refresh_from_db()
    assert (part.important_dates.count(), part.consents.in_force().count(), part.tags.count()) == (1, 1, 1)
    closing.close(shop.member, reason="", origin=own_origin("member"))
    part.refresh_from_db()
    assert (part.status, part.name, part.name_index) == ("merged", "", "")
    assert (part.important_dates.count(), part.consents.in_force().count(), part.tags.count()) == (0, 0, 0)


# --- Coming back ------------------------------------------------------------------------------------------------


def joined(cast: Cast, **known_by: str) -> Member:
    answer = enrol(identities=known_by, business=cast.mall, origin=own_origin("desk"))
    member = Member.objects.get(member_no=answer["member_no"])
    welcome(Event.objects.get(type="member.enrolled", member=member))
    return member


def test_who_comes_back_is_welcome_but_not_to_a_second_gift(shop: Shop) -> None:
    shop.template(is_welcome_gift=True)
    first = joined(shop.cast, phone=PHONE, wechat_unionid="o6_bm")
    assert first.coupons.count() == 1
    closing.close(first, reason="", origin=own_origin("member"))
    second = joined(shop.cast, phone="13900139000", wechat_unionid="o6_bm")
    assert (second.pk != first.pk, second.coupons.count()) == (True, 0)
    assert Event.objects.get(type="welcome_gift.refused").data == {"code": "came_back"}
    assert joined(shop.cast, phone="13700137000").coupons.count() == 1


def test_nor_is_who_has_changed_his_number_and_joins_again_with_the_old_one(shop: Shop) -> None:
    shop.template(is_welcome_gift=True)
    first = joined(shop.cast, phone=PHONE, email="a@example.com")
    identities.remove(first.identities.get(kind="email"), origin=own_origin("member"))
    again = joined(shop.cast, email="a@example.com")
    assert (again.coupons.count(), find("email", "a@example.com")) == (0, again)
    assert FormerIdentity.objects.get().value_index == blind_index("email", "a@example.com")
