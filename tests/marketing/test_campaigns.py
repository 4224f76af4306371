"""A campaign: frozen at launch, each member once, resumed after any interruption."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from benefits.models import Coupon
from loyalty.models import Account, Lot
from marketing import tasks
from marketing.errors import (
    CampaignAlreadyLaunched,
    CampaignIsOver,
    CampaignNotDone,
    NobodyInTheAudience,
    PayerOutOfReach,
)
from marketing.models import Campaign, CampaignMember
from marketing.services import campaigns, tags
from marketing.statements import lease
from members.models import Event, Job, Member, Request
from tests.factories import MemberFactory

State = Campaign.State


@pytest.fixture
def members(cast) -> list[Member]:
    return MemberFactory.create_batch(5, businesses=[cast.mall])


@pytest.fixture
def of_points(cast, members, regulars, origin) -> Campaign:
    """A hundred points for every regular, paid by the mall."""
    tags.recompute(regulars, as_of=timezone.localdate(), origin=origin)
    return Campaign.objects.create(name="周年庆", owner=cast.group, tag=regulars, points=100, payer=cast.mall)


@pytest.fixture
def of_coupons(cast, members, template) -> Campaign:
    rule = {"attr": "business", "cmp": "eq", "value": "MALL"}
    return Campaign.objects.create(name="送券", owner=cast.mall, rule=rule, template=template)


def states(campaign: Campaign) -> list[str]:
    return list(campaign.audience.values_list("state", flat=True))


def test_points_are_given_once_to_each(cast, members, of_points, origin):
    campaigns.launch(of_points, origin=origin)
    tasks.run_campaign(of_points.pk)
    of_points.refresh_from_db()
    assert of_points.state == State.DONE
    assert states(of_points) == ["given"] * 5
    assert set(Account.objects.values_list("member", "balance")) == {(member.pk, 100) for member in members}
    assert set(Lot.objects.values_list("issuer", flat=True)) == {cast.mall.pk}
    assert Request.objects.filter(reference=f"campaign:{of_points.pk}:{members[0].pk}").exists()


def test_progress_is_kept_in_the_job_and_told_by_events(of_points, origin, cast):
    launched = campaigns.launch(of_points, origin=origin)
    assert (launched.job.total, launched.job.done, launched.job.operator) == (5, 0, cast.sees_all)
    campaigns.give_next(of_points.pk, at=timezone.now(), size=2)
    job = Job.objects.get()
    assert (job.done, job.percent, job.state) == (2, 40, Job.State.RUNNING)
    tasks.run_campaign(of_points.pk)
    job.refresh_from_db()
    assert (job.done, job.failed, job.state) == (5, 0, Job.State.DONE)
    assert Event.objects.get(type="campaign.launched").data == {"campaign": of_points.pk, "size": 5}
    assert Event.objects.get(type="campaign.finished").data == {"campaign": of_points.pk, "given": 5, "refused": 0}


def test_coupons_are_given_once_to_each(members, of_coupons, origin):
    campaigns.launch(of_coupons, origin=origin)
    tasks.run_campaign(of_coupons.pk)
    assert set(Coupon.objects.values_list("member", flat=True)) == {member.pk for member in members}
    results = {row.result["coupon"] for row in of_coupons.audience.all()}
    assert results == set(Coupon.objects.values_list("code", flat=True))


def test_running_it_twice_gives_nothing_twice(of_points, origin):
    campaigns.launch(of_points, origin=origin)
    tasks.run_campaign(of_points.pk)
    tasks.run_campaign(of_points.pk)
    assert Lot.objects.count() == 5
    # Even had the outcome been forgotten, the reference would remember.
    of_points.audience.update(state=CampaignMember.State.WAITING)
    Campaign.objects.update(state=State.RUNNING)
    Job.objects.update(done=0)
    tasks.run_campaign(of_points.pk)
    assert Lot.objects.count() == 5
    assert states(of_points) == ["given"] * 5


def test_an_interrupted_campaign_is_resumed_where_it_stopped(of_points, origin, monkeypatch):
    campaigns.launch(of_points, origin=origin)
    give, calls = campaigns.points.earn, []

    def killed_at_the_third(*args, **kwargs):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return give(*args, **kwargs)

    monkeypatch.setattr(campaigns.points, "earn", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        tasks.run_campaign(of_points.pk)
    assert states(of_points).count("given") == 2
    assert Lot.objects.count() == 2

    tasks.resume_campaigns()
    of_points.refresh_from_db()
    assert of_points.state == State.DONE
    assert states(of_points) == ["given"] * 5
    assert Lot.objects.count() == 5
    assert Job.objects.get().done == 5


def test_one_who_fails_stops_no_other_and_can_be_given_again(of_points, origin, members, monkeypatch):
    campaigns.launch(of_points, origin=origin)
    Member.objects.filter(pk=members[0].pk).update(status=Member.Status.FROZEN)
    give = campaigns.points.earn

    def fails_for_the_second(member, *args, **kwargs):
        if member == members[1]:
            raise ZeroDivisionError("boom")
        return give(member, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(campaigns.points, "earn", fails_for_the_second)
        tasks.run_campaign(of_points.pk)
    assert {row.member: row.result["code"] for row in of_points.audience.filter(state="refused")} == {
        members[0]: "member_frozen",
        members[1]: "error",
    }
    assert Job.objects.get().failed == 2

    Member.objects.update(status=Member.Status.ACTIVE)
    assert campaigns.give_again(of_points, origin=origin) == 2
    tasks.run_campaign(of_points.pk)
    assert states(of_points) == ["given"] * 5
    assert Lot.objects.count() == 5
    assert (Job.objects.get().done, Job.objects.get().failed) == (5, 0)


def test_the_audience_is_frozen_at_launch(cast, of_points, regulars, origin):
    campaigns.launch(of_points, origin=origin)
    MemberFactory(businesses=[cast.mall])
    tags.recompute(regulars, as_of=timezone.localdate(), origin=origin)
    tasks.run_campaign(of_points.pk)
    assert Lot.objects.count() == 5


def test_the_audience_lies_within_the_owner_s_sight(cast, members, of_coupons, regulars, origin):
    stranger = MemberFactory(businesses=[cast.hotel])
    of_coupons.rule = {"attr": "registered_days", "cmp": "gte", "value": -1}
    assert stranger not in campaigns.audience(of_coupons, at=timezone.now())
    assert set(campaigns.audience(of_coupons, at=timezone.now())) == set(members)


def test_it_is_launched_once(of_points, origin):
    campaigns.launch(of_points, origin=origin)
    with pytest.raises(CampaignAlreadyLaunched):
        campaigns.launch(of_points, origin=origin)
    assert of_points.audience.count() == 5


def test_an_empty_audience_is_refused_and_leaves_a_draft(cast, template, origin):
    rule = {"attr": "registered_days", "cmp": "gt", "value": 10_000}
    campaign = Campaign.objects.create(name="无人", owner=cast.mall, rule=rule, template=template)
    with pytest.raises(NobodyInTheAudience):
        campaigns.launch(campaign, origin=origin)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.launched_at) == (State.DRAFT, None)
    assert not Job.objects.exists()


def test_one_business_can_t_spend_another_s_points(cast, of_points, origin):
    Campaign.objects.filter(pk=of_points.pk).update(owner=cast.mall, payer=cast.hotel)
    with pytest.raises(PayerOutOfReach):
        campaigns.launch(of_points, origin=origin)
    assert not CampaignMember.objects.exists()


def test_a_cancelled_campaign_gives_nothing_more(of_points, origin):
    campaigns.launch(of_points, origin=origin)
    campaigns.give_next(of_points.pk, at=timezone.now(), size=2)
    campaigns.cancel(of_points, origin=origin)
    tasks.run_campaign(of_points.pk)
    assert states(of_points).count("given") == 2
    assert Job.objects.get().state == Job.State.CANCELLED
    with pytest.raises(CampaignIsOver):
        campaigns.cancel(of_points, origin=origin)
    with pytest.raises(CampaignNotDone):
        campaigns.give_again(of_points, origin=origin)


@pytest.mark.usefixtures("transactional_db")
def test_two_workers_at_once_give_nothing_twice(of_points, origin):
    """The lease spares the second one the work; this is without it, on real connections."""
    campaigns.launch(of_points, origin=origin)
    together = Barrier(2)

    def work() -> None:
        together.wait()
        try:
            while campaigns.give_next(of_points.pk, at=timezone.now(), size=3):
                pass
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers:
        for done in [workers.submit(work) for _ in range(2)]:
            done.result()
    assert states(of_points) == ["given"] * 5
    assert Lot.objects.count() == 5
    assert (Job.objects.get().done, Job.objects.get().state) == (5, Job.State.DONE)
    assert Event.objects.filter(type="campaign.finished").count() == 1


@pytest.mark.usefixtures("transactional_db")
def test_a_campaign_that_is_being_run_is_left_to_its_worker(of_points, origin):
    campaigns.launch(of_points, origin=origin)

    def second_worker() -> None:
        try:
            tasks.run_campaign(of_points.pk)
        finally:
            connection.close()

    with lease(f"campaign {of_points.pk}") as is_mine, ThreadPoolExecutor(1) as workers:
        assert is_mine
        workers.submit(second_worker).result()
        assert Lot.objects.count() == 0
    second_worker()
    assert Lot.objects.count() == 5
