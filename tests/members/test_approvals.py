"""Maker–checker: nothing happens before a second person agrees, and then once, in the name of who asked."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pghistory
import pytest
from django.contrib.auth.models import Permission
from django.db import connections
from django.utils import timezone

from members.errors import (
    ApprovalDecided,
    ApprovalOverdue,
    AskerGone,
    MemberNotFound,
    NotYours,
    OnlyTheAsker,
    Refused,
    SecondPersonNeeded,
)
from members.events import record
from members.interfaces import Answer, Origin
from members.interfaces.approvals import ApprovalVerb, approval_verbs
from members.models import Approval, ApprovalPolicy, AuditEntry, Event, Operator, OrgUnit
from members.services import approvals
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import OperatorFactory

RUNS: list[tuple[dict, Origin]] = []


def ring(arguments: dict, origin: Origin) -> Answer:
    """A verb that leaves a trace, and refuses to ring nought times."""
    if arguments["times"] == 0:
        raise MemberNotFound
    RUNS.append((arguments, origin))
    record("bell.rung", origin=origin, data=arguments)
    return {"rung": arguments["times"], "at": origin.at}


@pytest.fixture(autouse=True)
def bell() -> Iterator[None]:
    rows = tuple(approval_verbs)
    RUNS.clear()
    approval_verbs.install(*rows, ApprovalVerb("bell.ring", "敲钟", "members.change_orgunit", ring, "下"))
    yield
    approval_verbs.install(*rows)


@pytest.fixture
def colleague(cast: Cast) -> Operator:
    """Stands where sees_mall stands, with every permission."""
    return _operator("colleague", cast.mall)


def _operator(username: str, node: OrgUnit | None, without: tuple[str, ...] = ()) -> Operator:
    operator = OperatorFactory(username=username, org_unit=node)
    operator.user_permissions.set(Permission.objects.exclude(codename__in=without))
    return operator


def by(actor: Operator | None, **said) -> Origin:
    return own_origin("admin", actor=actor, business=actor.reach.business if actor and actor.reach else None, **said)


def asked(cast: Cast, *, times: int = 3, **said) -> Approval:
    return approvals.ask(
        "bell.ring",
        **{"org_unit": cast.mall_1, "quantity": times, "reason": "过年"} | said,
        arguments={"times": times},
        before={"钟声": "0"},
        after={"钟声": str(times)},
        title="敲钟三下",
        origin=by(cast.sees_mall, reference="bell-1"),
    )


def events() -> list[str]:
    return list(Event.objects.order_by("id").values_list("type", flat=True))


# --- When it is needed ------------------------------------------------------------------------------------------


def test_the_nearest_policy_above_a_node_holds(cast: Cast):
    assert approvals.needed("bell.ring", cast.mall_1, 10**9) is None
    policy = ApprovalPolicy.objects.create
    of_group = policy(org_unit=cast.group, verb="bell.ring", threshold=1_000)
    of_mall = policy(org_unit=cast.mall, verb="bell.ring", threshold=50)
    policy(org_unit=cast.mall_1, verb="bell.ring", threshold=1, is_active=False)
    policy(org_unit=cast.mall_1, verb="bell.mend", threshold=1)
    wanted = {
        (node.code, quantity): approvals.needed("bell.ring", node, quantity)
        for node in (cast.mall_1, cast.hotel_1, cast.group)
        for quantity in (49, 50, -50, 999, -1_000)
    }
    assert wanted == {
        ("MALL-1", 49): None, ("MALL-1", 50): of_mall, ("MALL-1", -50): of_mall,
        ("MALL-1", 999): of_mall, ("MALL-1", -1_000): of_mall,
        ("HOTEL-1", 49): None, ("HOTEL-1", 50): None, ("HOTEL-1", -50): None,
        ("HOTEL-1", 999): None, ("HOTEL-1", -1_000): of_group,
        ("GROUP", 49): None, ("GROUP", 50): None, ("GROUP", -50): None,
        ("GROUP", 999): None, ("GROUP", -1_000): of_group,
    }  # fmt: skip


# --- Asking -----------------------------------------------------------------------------------------------------


def test_asking_does_nothing_yet_and_the_same_reference_asks_once(cast: Cast):
    first, second = asked(cast), asked(cast)
    assert (first.pk, Approval.objects.count(), RUNS, events()) == (second.pk, 1, [], ["approval.asked"])
    kept = Approval.objects.get()
    assert (kept.state, kept.asked_by, kept.quantity) == ("pending", cast.sees_mall, 3)
    assert (kept.before, kept.after, kept.reason) == ({"钟声": "0"}, {"钟声": "3"}, "过年")
    assert kept.expires_at - kept.asked_at == timedelta(hours=72)


def test_the_policy_says_how_long_there_is_to_decide(cast: Cast):
    ApprovalPolicy.objects.create(org_unit=cast.mall, verb="bell.ring", hours=5)
    approval = asked(cast)
    assert approval.expires_at - approval.asked_at == timedelta(hours=5)


def test_nobody_asks_beyond_his_reach(cast: Cast):
    for node in (cast.hotel, cast.group):
        with pytest.raises(NotYours):
            asked(cast, org_unit=node)
    assert (Approval.objects.count(), events()) == (0, [])


# --- Deciding ---------------------------------------------------------------------------------------------------


def test_a_second_person_agrees_and_it_is_done_in_the_asker_s_name(cast: Cast, colleague: Operator):
    decided = approvals.approve(asked(cast), note="好", origin=by(colleague))
    ((arguments, origin),) = RUNS
    assert (arguments, origin.actor, origin.business) == ({"times": 3}, cast.sees_mall, cast.mall)
    assert origin.reference == f"approval:{decided.pk}"
    decided.refresh_from_db()
    assert (decided.state, decided.decided_by, decided.note) == ("approved", colleague, "好")
    assert decided.answer["rung"] == 3
    told = [(event.type, event.operator, event.reference) for event in Event.objects.order_by("id")]
    assert [(kind, who) for kind, who, _ in told] == [
        ("approval.asked", cast.sees_mall),
        ("bell.rung", cast.sees_mall),
        ("approval.approved", colleague),
    ]
    assert told[1][2] == f"approval:{decided.pk}"
    assert Event.objects.latest("id").data == {
        "approval": decided.pk, "verb": "bell.ring", "org_unit": "MALL-1", "quantity": 3,
        "asked_by": cast.sees_mall.pk,
    }  # fmt: skip


def test_the_audit_trail_names_the_asker_and_the_approval(cast: Cast, colleague: Operator):
    def rename(name: str) -> None:
        OrgUnit.objects.filter(pk=cast.mall_1.pk).update(name=name)

    def run(arguments: dict, origin: Origin) -> Answer:
        rename(arguments["name"])
        return {}

    approval_verbs.install(*approval_verbs, ApprovalVerb("store.rename", "改名", "members.change_orgunit", run))
    said = {"before": {}, "after": {}, "title": "改名", "origin": by(cast.sees_mall)}
    approval = approvals.ask("store.rename", org_unit=cast.mall_1, arguments={"name": "新店"}, **said)
    with pghistory.context(operator=colleague.pk, page="POST /admin/"):
        rename("中店")
        approvals.approve(approval, origin=by(colleague))
        rename("老店")
    entries = AuditEntry.objects.of(cast.mall_1).order_by("pk")
    assert [(entry.after["name"], entry.operator, entry.page) for entry in entries if "name" in entry.after] == [
        ("广场一店", None, ""),
        ("中店", colleague, "POST /admin/"),
        ("新店", cast.sees_mall, f"approval #{approval.pk}"),
        ("老店", colleague, "POST /admin/"),
    ]


def test_who_may_not_decide(cast: Cast):
    approval = asked(cast)
    strangers = {
        cast.sees_mall: SecondPersonNeeded,
        cast.sees_nothing: NotYours,
        _operator("hotelier", cast.hotel): NotYours,
        _operator("neighbour", cast.mall_2): NotYours,
        _operator("no_decider", cast.mall, without=("decide_approval",)): NotYours,
        _operator("no_bell", cast.mall, without=("change_orgunit",)): NotYours,
    }
    for actor, reason in strangers.items():
        for decide in (approvals.approve, approvals.reject):
            with pytest.raises(reason):
                decide(approval, origin=by(actor))
    with pytest.raises(NotYours):
        approvals.approve(approval, origin=own_origin("clock"))
    approval.refresh_from_db()
    assert (approval.state, approval.decided_by, RUNS, events()) == ("pending", None, [], ["approval.asked"])


def test_not_even_a_superuser_agrees_with_himself(cast: Cast):
    cast.sees_mall.is_superuser = True
    cast.sees_mall.save()
    with pytest.raises(SecondPersonNeeded):
        approvals.approve(asked(cast), origin=by(cast.sees_mall))
    assert RUNS == []


def test_what_the_verb_refuses_stays_pending(cast: Cast, colleague: Operator):
    approval = asked(cast, times=0)
    with pytest.raises(MemberNotFound):
        approvals.approve(approval, origin=by(colleague))
    approval.refresh_from_db()
    assert (approval.state, approval.answer, events()) == ("pending", None, ["approval.asked"])


def test_what_is_decided_stays_decided(cast: Cast, colleague: Operator):
    approval = approvals.reject(asked(cast), note="不好", origin=by(colleague))
    assert (approval.state, approval.decided_by, approval.note) == ("rejected", colleague, "不好")
    for decide, actor in ((approvals.approve, colleague), (approvals.withdraw, cast.sees_mall)):
        with pytest.raises(ApprovalDecided):
            decide(approval, origin=by(actor))
    assert (RUNS, events()) == ([], ["approval.asked", "approval.rejected"])


def test_only_the_asker_takes_it_back(cast: Cast, colleague: Operator):
    approval = asked(cast)
    with pytest.raises(OnlyTheAsker):
        approvals.withdraw(approval, origin=by(colleague))
    assert approvals.withdraw(approval, origin=by(cast.sees_mall)).state == "withdrawn"
    assert events() == ["approval.asked", "approval.withdrawn"]


def test_after_its_time_it_can_t_be_decided_and_the_clock_closes_it(cast: Cast, colleague: Operator):
    approval = asked(cast)
    at_the_end = approval.expires_at
    Approval.objects.update(expires_at=timezone.now())
    with pytest.raises(ApprovalOverdue):
        approvals.approve(approval, origin=by(colleague))
    Approval.objects.update(expires_at=at_the_end)
    assert approvals.expire_due(at_the_end - timedelta(seconds=1)) == 0
    assert [approvals.expire_due(at_the_end) for _ in range(2)] == [1, 0]
    approval.refresh_from_db()
    assert (approval.state, approval.decided_by, RUNS) == ("expired", None, [])
    told = Event.objects.latest("id")
    assert (told.type, told.operator, told.business) == ("approval.expired", None, cast.mall)


@pytest.mark.parametrize("gone", [{"is_active": False}, {"org_unit": None}])
def test_nothing_is_done_in_the_name_of_who_has_left(cast: Cast, colleague: Operator, gone: dict):
    approval = asked(cast)
    Operator.objects.filter(pk=cast.sees_mall.pk).update(**gone)
    with pytest.raises(AskerGone):
        approvals.approve(approval, origin=by(colleague))
    assert RUNS == []
    assert approvals.reject(approval, origin=by(colleague)).state == "rejected"


def test_one_sees_what_is_asked_for_below(cast: Cast):
    asked(cast)
    seen = {actor.username: Approval.objects.visible_to(actor).count() for actor in Operator.objects.all()}
    assert seen == {"sees_all": 1, "sees_mall": 1, "sees_nothing": 0}


@pytest.mark.django_db(transaction=True)
def test_ten_who_decide_at_once_have_one_effect(transactional_db: None, cast: Cast, colleague: Operator):
    approval = asked(cast)

    def decide(number: int) -> str:
        verb = approvals.approve if number % 3 else approvals.reject
        try:
            return verb(approval, origin=by(colleague)).state
        except Refused as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        outcomes = sorted(pool.map(decide, range(10)))
    assert outcomes[:9] == ["approval_decided"] * 9
    assert Approval.objects.get().state == outcomes[9]
    assert events() == ["approval.asked", *(["bell.rung"] * len(RUNS)), f"approval.{outcomes[9]}"]
    assert len(RUNS) == (outcomes[9] == "approved")
