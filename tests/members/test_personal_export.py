"""All that is held on a member, from every floor, and nothing of anybody else."""

import json
from datetime import timedelta

import pytest

from benefits.services import checkout
from loyalty.models import Purchase
from loyalty.services import points
from marketing.models import Campaign, CampaignMember, MemberTag, Tag
from members.interfaces.steps import export_steps
from members.models import (
    Attribute,
    AttributeValue,
    Call,
    Event,
    FollowUp,
    Member,
    Reminder,
    Ticket,
    TicketNote,
    TicketType,
)
from members.services import cards, consents, devices, identities, merging, personal_export
from members.services.organisation import own_origin
from tests.benefits.shop import Shop
from tests.cast import Cast
from tests.factories import CardTypeFactory

SECRET = "内部备注：难缠"


@pytest.fixture
def shop(cast: Cast) -> Shop:
    return Shop(cast)


def known_everywhere(shop: Shop) -> Member:
    member, cast = shop.member, shop.cast
    bought = shop.buy(50_000, coupons=(shop.coupon().code,), number="R-1")
    checkout.refund(Purchase.objects.get(pk=bought["id"]), amount=1_000, reason="瑕疵", origin=shop.origin())
    identities.add(member, "email", "li@example.com", is_verified=True, origin=own_origin("member"))
    consents.give(member, receiver=cast.mall, purpose="marketing", origin=own_origin("member"))
    devices.seen(member, "ios-1", at=shop.at)
    member.important_dates.create(name="结婚", day="2010-05-20")
    size = Attribute.objects.create(code="size", name="鞋码", org_unit=cast.mall, kind=Attribute.Kind.TEXT)
    AttributeValue.objects.create(member=member, attribute=size, text="42")
    card_type = CardTypeFactory(org_unit=cast.mall)
    cards.issue(card_type, org_unit=cast.mall, member=member, origin=own_origin("admin"))
    tag = Tag.objects.create(code="vip", name="贵宾", scope=cast.mall)
    MemberTag.objects.create(member=member, tag=tag, source="manual", since=shop.at)
    campaign = Campaign.objects.create(name="送券", owner=cast.mall, tag=tag, template=shop.template())
    CampaignMember.objects.create(campaign=campaign, member=member)
    _cared_for(member, shop)
    return member


def _cared_for(member: Member, shop: Shop) -> None:
    common = {"member": member, "business": shop.cast.mall}
    FollowUp.objects.create(**common, plan="问候", due_on="2026-05-01", created_at=shop.at)
    Reminder.objects.create(**common, kind="birthday", key="2026", due_on="2026-05-01", created_at=shop.at)
    Call.objects.create(**common, phone="+8613800138000", reason="咨询", operator=shop.cast.sees_all, at=shop.at)
    kind = TicketType.objects.create(code="other", name="其他", org_unit=shop.cast.group)
    ticket = Ticket.objects.create(
        **common,
        number="T-1",
        type=kind,
        title="停车",
        description="停车券没到账",
        channel=own_origin("desk").channel,
        created_at=shop.at,
        due_at=shop.at + timedelta(days=2),
    )
    TicketNote.objects.create(ticket=ticket, text="已补发", is_internal=False, at=shop.at)
    TicketNote.objects.create(ticket=ticket, text=SECRET, is_internal=True, at=shop.at)


def test_every_floor_tells_all_that_it_holds(shop: Shop) -> None:
    member = known_everywhere(shop)
    held = personal_export.collect(member)
    rows = {section["name"]: section["rows"] for section in held["sections"]}
    assert list(rows) == [step.name for step in export_steps]
    assert {name for name, found in rows.items() if not found} == set()
    assert json.loads(json.dumps(held)) == held
    assert rows["person"][0]["会员号"] == member.member_no
    known_by = {row["类型"]: row["内容"] for row in rows["identities"]}
    assert (list(known_by), known_by["邮箱"]) == (["手机号", "邮箱", "卡号"], "li@example.com")
    assert (rows["attributes"][0]["属性"], rows["attributes"][0]["内容"]) == ("鞋码", "42")
    assert (rows["purchases"][0]["单号"], rows["purchases"][0]["已退（分）"]) == ("R-1", 1_000)
    assert (rows["purchase_lines"][0]["金额（分）"], rows["refunds"][0]["原因"]) == (50_000, "瑕疵")
    assert sum(row["数量"] for row in rows["transactions"] if row["资产"] == "积分") == rows["accounts"][0]["可用"]
    assert (rows["coupons"][0]["状态"], rows["tags"][0]["标签"], rows["calls"][0]["来电号码"]) == (
        "已使用",
        "贵宾",
        "+8613800138000",
    )


def test_internal_notes_stay_with_the_staff(shop: Shop) -> None:
    member = known_everywhere(shop)
    text = json.dumps(personal_export.collect(member), ensure_ascii=False)
    assert ("已补发" in text, SECRET in text) == (True, False)


def test_nothing_of_another_is_told(shop: Shop) -> None:
    known_everywhere(shop)
    stranger = shop.new_member()
    told = {section["name"]: len(section["rows"]) for section in personal_export.collect(stranger)["sections"]}
    assert {name: count for name, count in told.items() if count} == {"person": 1, "identities": 1, "memberships": 1}


def test_what_was_told_of_him_under_another_number_is_told_too(shop: Shop) -> None:
    """Accounts, history, and what both had stay with the row that was merged."""
    loser, winner = shop.member, shop.new_member()
    points.earn(loser, 70, issuer=shop.cast.mall, origin=own_origin("admin", business=shop.cast.mall))
    for member, day in ((loser, "2010-05-20"), (winner, "2011-06-21")):
        member.important_dates.create(name="结婚", day=day)
    merging.merge(loser, winner, reason="同一人", origin=own_origin("admin", actor=shop.cast.sees_all))
    winner.refresh_from_db()
    rows = {section["name"]: section["rows"] for section in personal_export.collect(winner)["sections"]}
    assert [row["会员号"] for row in rows["person"]] == [winner.member_no, loser.member_no]
    assert [row["日期"] for row in rows["important_dates"]] == ["2011-06-21", "2010-05-20"]
    assert [(row["数量"], row["余额"]) for row in rows["transactions"]] == [(70, 70), (70, 70), (-70, 0)]
    assert [row["可用"] for row in rows["accounts"] if row["资产"] == "积分"] == [70, 0]


def test_handing_over_is_on_record_but_keeps_no_second_copy(shop: Shop) -> None:
    origin = own_origin("admin", actor=shop.cast.sees_all)
    held = personal_export.hand_over(shop.member, origin=origin)
    event = Event.objects.get(type="member.exported")
    assert (event.member, event.operator, event.data) == (shop.member, shop.cast.sees_all, {})
    assert held["member_no"] == shop.member.member_no
