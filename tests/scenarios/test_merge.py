"""A guest who enrolled twice: a till and a desk make one of him, and the old number works everywhere."""

from datetime import timedelta

import pytest
from django.utils import timezone

from benefits.models import Coupon, MemberTier
from benefits.services import coupons
from loyalty.models import Purchase
from loyalty.services.verify import violations
from marketing.models import Campaign, CampaignMember, MemberTag, Tag
from members.models import Card, CardType, Delivery, Event, Member, Merge
from members.services import deliveries
from members.services.member_code import issue_member_code
from members.services.merging import gather
from settlement.services.collect import collect
from tests.api.client import App
from tests.benefits.shop import Shop
from tests.cast import Cast
from tests.settlement.world import assert_sound


@pytest.fixture
def till(cast: Cast) -> App:
    return App(cast, cast.mall_app)


@pytest.fixture
def shop(cast: Cast) -> Shop:
    shop = Shop(cast)
    shop.at = timezone.now()
    shop.loser, shop.winner = shop.member, shop.new_member()
    return shop


def merge(till: App, shop: Shop):
    return till.post(f"members/{shop.loser.member_no}/merges", {"into": shop.winner.member_no, "reason": "同一人"})


def test_the_old_number_works_at_every_address(till: App, shop: Shop):
    shop.buy(50_000)
    answer = merge(till, shop)
    assert answer.status_code == 201
    assert (answer.json()["loser"], answer.json()["member_no"]) == (shop.loser.member_no, shop.winner.member_no)
    assert till.get(f"members/{shop.loser.member_no}").json()["member_no"] == shop.winner.member_no
    code = issue_member_code(shop.loser, at=timezone.now())
    assert till.get("members", {"code": code}).json()["results"][0]["member_no"] == shop.winner.member_no
    assert (
        till.get(f"members/{shop.loser.member_no}/assets").json()
        == till.get(f"members/{shop.winner.member_no}/assets").json()
    )
    basket = {"member": shop.loser.member_no, "store": "MALL-1", "external_number": "x", "lines": [{"amount": 1_000}]}
    assert till.post("purchases", basket).status_code == 201
    assert set(Purchase.objects.values_list("member", flat=True)) == {shop.winner.pk}


def test_the_same_key_again_gets_the_same_answer(till: App, shop: Shop):
    path, body = f"members/{shop.loser.member_no}/merges", {"into": shop.winner.member_no, "reason": "同一人"}
    first = till.post(path, body, key="once")
    assert till.post(path, body, key="once").json() == first.json()
    again = till.post(path, body)
    assert (again.status_code, again.json()["code"]) == (409, "merge_of_one")
    assert Merge.objects.count() == 1


def test_undone_by_the_till_within_its_days_only(till: App, shop: Shop):
    merged = merge(till, shop).json()
    Merge.objects.update(undo_until=timezone.now() - timedelta(seconds=1))
    late = till.post(f"merges/{merged['id']}/undo")
    assert (late.status_code, late.json()["code"]) == (409, "merge_undo_too_late")
    assert Member.objects.get(pk=shop.loser.pk).status == "merged"
    Merge.objects.update(undo_until=timezone.now() + timedelta(days=1))
    undone = till.post(f"merges/{merged['id']}/undo").json()
    assert undone["undone_at"] is not None
    assert till.get(f"members/{shop.loser.member_no}").json()["member_no"] == shop.loser.member_no
    assert [event.data["loser"] for event in Event.objects.filter(type="member.merge_undone")] == [
        shop.loser.member_no
    ] * 2


def test_what_both_spent_makes_the_tier_and_coupons_follow(till: App, shop: Shop):
    shop.at -= timedelta(days=1)
    shop.buy(60_000)
    shop.buy(60_000, member=shop.winner)
    coupon, used = shop.coupon(), shop.coupon()
    bought = shop.buy(20_000, coupons=(used.code,))
    assert (shop.history(shop.loser)[-1], shop.history(shop.winner)) == (("basic", "start"), [("basic", "start")])
    merged = merge(till, shop).json()
    assert shop.history(shop.winner) == [("basic", "start"), ("gold", "upgrade")]
    assert not MemberTier.objects.open().filter(member=shop.loser).exists()
    assert set(Coupon.objects.values_list("member", flat=True)) == {shop.winner.pk}
    shop.at = timezone.now()
    shop.refund(bought, whole=True)
    used.refresh_from_db()
    assert (used.state, used.member) == ("returned", shop.winner)
    till.post(f"merges/{merged['id']}/undo")
    coupon.refresh_from_db()
    assert coupon.member == shop.loser
    assert shop.history(shop.loser) == [("basic", "start")]
    assert MemberTier.objects.open().get(member=shop.loser).tier.code == "basic"
    assert [violation for _, violation in violations() if violation] == []
    collect()
    assert_sound()


def test_a_person_s_word_beats_a_rule_s_also_across_a_merge(till: App, shop: Shop, cast: Cast):
    rule = {"attr": "business", "cmp": "eq", "value": "MALL"}
    both, theirs = (
        Tag.objects.create(code=code, name=code, scope=cast.group, kind=kind, rule=rule if kind == "rule" else None)
        for code, kind in (("both", "rule"), ("theirs", "manual"))
    )
    now = timezone.now()

    def carry(member: Member, tag: Tag, source: str, **more) -> None:
        MemberTag.objects.create(member=member, tag=tag, source=source, since=now, **more)

    carry(shop.loser, both, "manual", is_held_off=True, why="不要")
    carry(shop.winner, both, "rule")
    carry(shop.loser, theirs, "manual", value="A")
    merged = merge(till, shop).json()
    rows = MemberTag.objects.filter(member=shop.winner).order_by("tag__code")
    assert list(rows.values_list("tag__code", "source", "is_held_off", "value")) == [
        ("both", "manual", True, ""), ("theirs", "manual", False, "A"),
    ]  # fmt: skip
    till.post(f"merges/{merged['id']}/undo")
    assert list(rows.values_list("tag__code", "source", "is_held_off")) == [("both", "rule", False)]
    assert MemberTag.objects.filter(member=shop.loser).count() == 2


def test_a_campaign_gives_a_person_its_gift_once(till: App, shop: Shop, cast: Cast):
    tag = Tag.objects.create(code="t", name="t", scope=cast.group)
    facts = {"owner": cast.group, "tag": tag, "points": 5, "payer": cast.mall, "state": "running"}
    both, one = (Campaign.objects.create(name=name, launched_at=timezone.now(), **facts) for name in ("两人", "一人"))
    for campaign, member in ((both, shop.loser), (both, shop.winner), (one, shop.loser)):
        CampaignMember.objects.create(campaign=campaign, member=member)
    merge(till, shop)
    waiting = CampaignMember.objects.filter(member=shop.winner)
    assert set(waiting.values_list("campaign", flat=True)) == {both.pk, one.pk}
    assert CampaignMember.objects.filter(member=shop.loser).count() == 1  # refused when its turn comes: he is no more


def test_what_was_on_its_way_to_the_loser_follows(till: App, shop: Shop):
    template = shop.template()
    merged = merge(till, shop).json()
    stale = shop.loser  # read before the merge, written after it
    late = Coupon.objects.get(code=coupons.issue_coupon(template, stale, origin=shop.origin())["code"])
    assert late.member == stale
    deliveries.dispatch(timezone.now())
    late.refresh_from_db()
    assert late.member == shop.winner
    assert not Delivery.objects.exclude(state="done").exists()
    gather(Event.objects.get(type="member.merged"))  # a reaction may be made twice
    till.post(f"merges/{merged['id']}/undo")
    late.refresh_from_db()
    assert late.member == shop.loser


def test_who_is_merged_before_he_is_welcomed_gets_no_gift_of_his_own(till: App, shop: Shop, cast: Cast):
    shop.template(is_welcome_gift=True)
    person = {"identities": [{"kind": "phone", "value": "13800138777"}], "store": "MALL-1"}
    shop.loser = Member.objects.get(member_no=till.post("members", person).json()["member_no"])
    merge(till, shop)
    deliveries.dispatch(timezone.now())
    assert not Coupon.objects.exists()
    assert not Delivery.objects.exclude(state="done").exists()


def test_the_tier_that_a_card_carries_comes_with_the_card(till: App, shop: Shop, cast: Cast):
    kind = CardType.objects.create(code="black", name="黑卡", prefix="7", org_unit=cast.group, carries_tier="black")
    card = {"number": "7000001", "state": "active", "org_unit": cast.mall_1, "issued_at": shop.at}
    Card.objects.create(card_type=kind, member=shop.loser, activated_at=shop.at, **card)
    merge(till, shop)
    assert shop.history(shop.winner) == [("basic", "start"), ("black", "manual")]


def test_who_does_not_know_both_can_neither_merge_nor_undo(till: App, shop: Shop, cast: Cast):
    cvs = App(cast, cast.cvs_app)
    assert merge(cvs, shop).status_code == 404
    merged = merge(till, shop).json()
    hidden = cvs.post(f"merges/{merged['id']}/undo")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "merge_not_found")
    assert Member.objects.get(pk=shop.loser.pk).status == "merged"
