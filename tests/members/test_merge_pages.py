"""The operator's way: look for doubles, compare, choose who stays, and take it back."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import PointsPrice
from loyalty.services import points
from members.models import Approval, Duplicate, Member, Merge
from members.services import approvals, duplicates, merging
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory

NOW = timezone.now()


@pytest.fixture
def pair(cast: Cast) -> tuple[Member, Member]:
    loser = MemberFactory(businesses=[cast.mall, cast.hotel], phone="+8613900000001", name="李雷雷")
    earlier = {"registered_at": NOW - timedelta(days=400)}
    return loser, MemberFactory(businesses=[cast.mall], phone="+8613900000002", name="李雷", **earlier)


def as_(operator) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def page(name: str, *args) -> str:
    return reverse(f"admin:members_{name}", args=args)


def merged(cast: Cast, pair) -> Merge:
    origin = own_origin("admin", actor=cast.sees_all)
    return Merge.objects.get(pk=merging.merge(*pair, reason="同一人", origin=origin)["id"])


def test_from_suspicion_to_one_member(cast: Cast, pair):
    loser, winner = pair
    duplicates.note(loser, winner, Duplicate.Reason.DEVICE, NOW)
    client = as_(cast.sees_all)
    listed = client.get(page("duplicate_changelist"))
    assert page("merge_compare", loser.pk, winner.pk) in listed.text
    assert "设备相同" in client.get(page("merge_start", winner.pk)).text
    started = client.post(page("merge_start", winner.pk), {"other": "13900000001"})
    assert started["Location"] == page("merge_compare", loser.pk, winner.pk)
    compared = client.get(started["Location"])
    for shown in (loser.member_no, winner.member_no, "李**", "139****0001、139****0002"[:11], "梧桐酒店", "设备相同"):
        assert shown in compared.text
    form = compared.context["form"]
    sent = {"reason": "本人确认", "token": form.initial["token"]}
    assert client.post(started["Location"], sent)["Location"] == page("member_360", winner.pk)
    loser.refresh_from_db()
    assert (loser.status, loser.merged_into) == ("merged", winner)
    assert Merge.objects.get().operator == cast.sees_all
    again = client.post(started["Location"], sent, follow=True)  # a double click
    assert again.status_code == 200
    assert Merge.objects.count() == 1


def test_the_loser_s_page_and_number_lead_to_the_winner(cast: Cast, pair):
    loser, winner = pair
    merged(cast, pair)
    client = as_(cast.sees_mall)
    answer = client.get(page("member_360", loser.pk), follow=True)
    assert answer.redirect_chain == [(page("member_360", winner.pk), 302)]
    assert f"会员 {loser.member_no} 已并入 {winner.member_no}" in answer.text
    found = client.get(page("member_changelist"), {"q": loser.member_no})
    assert page("member_360", winner.pk) in found.text


def test_the_history_of_the_loser_is_on_the_winner_s_page(cast: Cast, pair):
    loser, winner = pair
    PointsPrice.objects.create(issuer=cast.group, price=5, starts_at=NOW - timedelta(days=1))
    points.earn(loser, 111, issuer=cast.mall, reason="补登小票", origin=own_origin("admin", business=cast.mall))
    client = as_(cast.sees_all)
    tabs = [page("member_panel", winner.pk, name) for name in ("transactions", "events")]
    assert "补登小票" not in client.get(tabs[0]).text
    done = merged(cast, pair)
    assert "补登小票" in client.get(tabs[0]).text
    assert "积分获取" in client.get(tabs[1]).text
    merging.undo(done, origin=own_origin("admin", actor=cast.sees_all))
    assert "补登小票" not in client.get(tabs[0]).text


def test_the_preview_shows_a_business_no_other_s_lots(cast: Cast, pair):
    loser, winner = pair
    PointsPrice.objects.create(issuer=cast.group, price=5, starts_at=NOW - timedelta(days=1))
    for issuer, quantity in ((cast.mall, 111), (cast.hotel, 222)):
        points.earn(loser, quantity, issuer=issuer, origin=own_origin("admin", business=issuer))
    of_mall = as_(cast.sees_mall).get(page("merge_compare", loser.pk, winner.pk)).text
    assert "+111" in of_mall
    assert "其他批次" in of_mall
    assert "梧桐酒店" not in of_mall
    assert "梧桐酒店 · 长期有效" in as_(cast.sees_all).get(page("merge_compare", loser.pk, winner.pk)).text


def test_who_may_not_merge_or_not_see_both_finds_no_way(cast: Cast, pair):
    loser, winner = pair
    stranger = MemberFactory(businesses=[cast.hotel])
    clerk = OperatorFactory(org_unit=cast.group)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_member"))
    compare = page("merge_compare", loser.pk, winner.pk)
    assert as_(clerk).get(compare).status_code == 403
    assert as_(clerk).post(compare, {"reason": "x", "token": "t"}).status_code == 403
    assert as_(cast.sees_nothing).get(compare).status_code == 404
    assert as_(cast.sees_mall).get(page("merge_compare", stranger.pk, winner.pk)).status_code == 404
    assert as_(cast.sees_mall).post(page("merge_compare", stranger.pk, winner.pk), {}).status_code == 404
    assert not Merge.objects.exists()


def test_who_may_only_look_sees_the_pair_without_the_way_to_compare(cast: Cast, pair):
    duplicates.note(*pair, Duplicate.Reason.DEVICE, NOW)
    auditor = OperatorFactory(org_unit=cast.group)
    auditor.user_permissions.set(Permission.objects.filter(codename="view_duplicate"))
    listed = as_(auditor).get(page("duplicate_changelist")).text
    assert f"{pair[0]} ≈ {pair[1]}" in listed
    assert "/compare/" not in listed


def test_dismissing_by_page_and_in_bulk(cast: Cast, pair):
    one = duplicates.note(*pair, Duplicate.Reason.DEVICE, NOW)
    other = duplicates.note(pair[0], MemberFactory(businesses=[cast.mall]), Duplicate.Reason.EMAIL, NOW)
    client = as_(cast.sees_all)
    client.post(page("duplicate_dismiss", one.pk))
    client.post(page("duplicate_changelist"), {"action": "dismiss", "_selected_action": [one.pk, other.pk]})
    for row in (one, other):
        row.refresh_from_db()
        assert (row.state, row.decided_by) == ("dismissed", cast.sees_all)
    assert as_(cast.sees_nothing).post(page("duplicate_dismiss", one.pk)).status_code == 404


def test_undoing_within_its_days_takes_one_person(cast: Cast, pair):
    done = merged(cast, pair)
    client = as_(cast.sees_all)
    assert page("merge_undo", done.pk) in client.get(page("merge_changelist")).text
    form = client.get(page("merge_undo", done.pk)).context["form"]
    client.post(page("merge_undo", done.pk), {"token": form.initial["token"]})
    done.refresh_from_db()
    assert done.undone_by == cast.sees_all
    assert Member.objects.get(pk=pair[0].pk).status == "active"


def test_undoing_late_takes_two(cast: Cast, pair):
    done = merged(cast, pair)
    Merge.objects.update(undo_until=timezone.now() - timedelta(seconds=1))
    client = as_(cast.sees_all)
    assert "第二人审批" in client.get(page("merge_undo", done.pk)).text
    client.post(page("merge_undo", done.pk), {"token": "t", "reason": "并错了"})
    approval = Approval.objects.get()
    assert (approval.verb, approval.state, approval.reason) == ("members.undo_merge", "pending", "并错了")
    assert Member.objects.get(pk=pair[0].pk).status == "merged"
    second = OperatorFactory(org_unit=cast.group)
    second.user_permissions.set(Permission.objects.all())
    approvals.approve(approval, origin=own_origin("admin", actor=second))
    done.refresh_from_db()
    assert done.undone_by == cast.sees_all
    assert Member.objects.get(pk=pair[0].pk).status == "active"
