"""Contacts with members: planned, handed over, done with an outcome, and followed by the next one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.errors import (
    FollowUpInThePast,
    FollowUpNotOpen,
    MemberClosed,
    OperatorOutOfReach,
    OutcomeMissing,
    TextMissing,
)
from members.models import Event, FollowUp, Member, Operator
from members.services import follow_ups
from members.services.organisation import own_origin, today_at
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall])


@pytest.fixture
def clerk(cast: Cast) -> Operator:
    return OperatorFactory(username="clerk", org_unit=cast.mall_1)


def tomorrow():
    return today_at(None, timezone.now()) + timedelta(days=1)


def planned(cast: Cast, member: Member, **said) -> FollowUp:
    said = {"text": "问问大衣合不合身", "due_on": tomorrow(), "business": cast.mall, "store": cast.mall_1} | said
    origin = own_origin("admin", actor=cast.sees_mall, business=cast.mall)
    return FollowUp.objects.get(pk=follow_ups.plan(member, **said, origin=origin)["id"])


def origin_of(cast: Cast):
    return own_origin("admin", actor=cast.sees_mall, business=cast.mall)


def test_a_plan_belongs_to_its_place_and_says_nothing_in_its_event(cast, member, clerk):
    follow_up = planned(cast, member, assigned_to=clerk)
    assert (follow_up.business, follow_up.store, follow_up.state) == (cast.mall, cast.mall_1, "open")
    assert (follow_up.assigned_to, follow_up.created_by) == (clerk, cast.sees_mall)
    event = Event.objects.get(type="follow_up.planned")
    assert (event.member, event.business, event.store) == (member, cast.mall, cast.mall_1)
    assert event.data == {"follow_up": follow_up.pk, "due_on": str(tomorrow()), "assigned_to": "clerk"}


def test_a_store_sees_its_own_and_another_business_nothing(cast, member, clerk):
    here, beside = planned(cast, member), planned(cast, member, store=cast.mall_2)
    of_business = planned(cast, member, store=None)
    hotelier = OperatorFactory(org_unit=cast.hotel)
    assert set(FollowUp.objects.visible_to(clerk)) == {here}
    assert set(FollowUp.objects.visible_to(cast.sees_mall)) == {here, beside, of_business}
    assert not FollowUp.objects.visible_to(hotelier).exists()
    assert not FollowUp.objects.visible_to(cast.sees_nothing).exists()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"text": "  "}, TextMissing),
        ({"due_on": tomorrow}, FollowUpInThePast),
        ({"assigned_to": "hotelier"}, OperatorOutOfReach),
        ({"assigned_to": "sees_nothing"}, OperatorOutOfReach),
        ({"assigned_to": "clerk", "store": None}, OperatorOutOfReach),
        ({"assigned_to": "gone"}, OperatorOutOfReach),
    ],
)
def test_what_can_t_be_planned_is_not_written(cast, member, clerk, said, error):
    OperatorFactory(username="hotelier", org_unit=cast.hotel)
    OperatorFactory(username="gone", org_unit=cast.mall_1, is_active=False)
    if "due_on" in said:
        said = {"due_on": said["due_on"]() - timedelta(days=2)}
    if "assigned_to" in said:
        said = said | {"assigned_to": Operator.objects.get(username=said["assigned_to"])}
    with pytest.raises(error):
        planned(cast, member, **said)
    assert (FollowUp.objects.count(), Event.objects.count()) == (0, 0)


def test_who_has_left_is_not_followed_up(cast, member):
    member.status, member.closed_at = "closed", timezone.now()
    member.name, member.name_index = None, ""
    member.save()
    with pytest.raises(MemberClosed):
        planned(cast, member)
    assert not FollowUp.objects.exists()


def test_done_makes_the_next_one_for_the_same_person(cast, member, clerk):
    first = planned(cast, member, assigned_to=clerk)
    later = tomorrow() + timedelta(days=30)
    answer = follow_ups.done(
        first, outcome="will_come", note="下月来", next_on=later, next_plan="约到店", origin=origin_of(cast)
    )
    first.refresh_from_db()
    assert (first.state, first.outcome, first.note, first.done_by) == ("done", "will_come", "下月来", cast.sees_mall)
    following = FollowUp.objects.get(pk=answer["next"])
    assert (following.after, following.plan, following.due_on, following.state) == (first, "约到店", later, "open")
    assert (following.assigned_to, following.store, following.member) == (clerk, cast.mall_1, member)
    assert Event.objects.get(type="follow_up.done").data["next"] == following.pk


def test_nothing_follows_for_who_has_left_meanwhile(cast, member):
    first = planned(cast, member)
    nobody = {"name": None, "name_index": "", "birthday": None, "closed_at": timezone.now()}
    Member.objects.filter(pk=member.pk).update(status="closed", **nobody)
    with pytest.raises(MemberClosed):
        follow_ups.done(first, outcome="reached", next_on=tomorrow(), origin=origin_of(cast))
    first.refresh_from_db()
    assert (first.state, FollowUp.objects.count()) == ("open", 1)
    assert follow_ups.done(first, outcome="reached", origin=origin_of(cast))["next"] is None


def test_done_without_a_next_day_ends_it(cast, member):
    first = planned(cast, member)
    assert follow_ups.done(first, outcome="reached", origin=origin_of(cast)) == {"id": first.pk, "next": None}
    assert FollowUp.objects.count() == 1


def test_the_same_reference_is_done_once(cast, member):
    first = planned(cast, member)
    origin = own_origin("admin", actor=cast.sees_mall, reference="once")
    answers = [follow_ups.done(first, outcome="reached", next_on=tomorrow(), origin=origin) for _ in range(2)]
    assert answers[0] == answers[1]
    assert FollowUp.objects.count() == 2


def test_what_is_over_stays_as_it_was(cast, member, clerk):
    follow_up = planned(cast, member)
    follow_ups.cancel(follow_up, reason="会员不希望被联系", origin=origin_of(cast))
    for verb in (
        lambda: follow_ups.done(follow_up, outcome="reached", next_on=tomorrow(), origin=origin_of(cast)),
        lambda: follow_ups.cancel(follow_up, reason="x", origin=origin_of(cast)),
        lambda: follow_ups.assign(follow_up, clerk, origin=origin_of(cast)),
    ):
        with pytest.raises(FollowUpNotOpen):
            verb()
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.note, follow_up.assigned_to) == ("cancelled", "会员不希望被联系", None)
    assert FollowUp.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "error"), [({"outcome": ""}, OutcomeMissing), ({"outcome": "reached", "next_on": 1}, FollowUpInThePast)]
)
def test_a_refused_end_leaves_it_open(cast, member, said, error):
    follow_up = planned(cast, member)
    if "next_on" in said:
        said = said | {"next_on": tomorrow() - timedelta(days=2)}
    with pytest.raises(error):
        follow_ups.done(follow_up, **said, origin=origin_of(cast))
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.done_at) == ("open", None)


def test_it_is_handed_over_within_reach_only(cast, member, clerk):
    follow_up = planned(cast, member)
    follow_ups.assign(follow_up, clerk, origin=origin_of(cast))
    with pytest.raises(OperatorOutOfReach):
        follow_ups.assign(follow_up, OperatorFactory(org_unit=cast.mall_2), origin=origin_of(cast))
    follow_up.refresh_from_db()
    assert follow_up.assigned_to == clerk
    follow_ups.assign(follow_up, None, origin=origin_of(cast))
    follow_up.refresh_from_db()
    assert follow_up.assigned_to is None
