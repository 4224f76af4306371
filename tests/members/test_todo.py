"""My to-dos: what waits for the one who asks, within his reach, and the same as counts on the dashboard."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from members.admin import todo
from members.models import Approval, FollowUp, Member, Operator, OrgUnit, Reminder, Ticket, TicketType
from members.services.organisation import own_channel
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory

PAGE = reverse("admin:members_todo")


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall, cast.hotel])


@pytest.fixture
def hotelier(cast: Cast) -> Operator:
    operator = OperatorFactory(username="hotelier", org_unit=cast.hotel)
    operator.user_permissions.set(cast.sees_all.user_permissions.all())
    return operator


def today_of(cast: Cast):
    return timezone.localdate(timezone=cast.mall.zone)


def follow_up(member: Member, business, day, operator=None, **said) -> FollowUp:
    said |= {"plan": "回访", "due_on": day, "assigned_to": operator, "created_at": timezone.now()}
    return FollowUp.objects.create(member=member, business=business, **said)


def ticket(member: Member, business, number: str, operator=None, **said) -> Ticket:
    kind, _ = TicketType.objects.get_or_create(
        code="any", defaults={"name": "咨询", "org_unit": OrgUnit.objects.get(depth=1)}
    )
    now = timezone.now()
    said = {"created_at": now, "due_at": now + timedelta(hours=1), "title": "问", "description": "问"} | said
    return Ticket.objects.create(
        number=number, member=member, business=business, type=kind, assigned_to=operator,
        channel=own_channel("member"), **said,
    )  # fmt: skip


def approval(cast: Cast, node, asked_by: Operator, **said) -> Approval:
    now = timezone.now()
    said = {"asked_at": now, "expires_at": now + timedelta(hours=1), "verb": "loyalty.adjust"} | said
    return Approval.objects.create(title="调整", org_unit=node, asked_by=asked_by, **said)


def parts(client, operator: Operator) -> dict[str, list]:
    client.force_login(operator)
    return {part["name"]: part["rows"] for part in client.get(PAGE).context["parts"]}


@pytest.fixture
def work(cast, member, hotelier, monkeypatch):
    """Something of everything for the mall's operator, beside what is not his."""
    today, mine = today_of(cast), cast.sees_mall
    monkeypatch.setattr(todo, "approval_verbs", [Verb("loyalty.adjust", "loyalty.adjust_account")])
    later = follow_up(member, cast.mall, today + timedelta(days=3), mine)
    late = follow_up(member, cast.mall, today - timedelta(days=1), mine)
    now = follow_up(member, cast.mall, today, mine)
    follow_up(member, cast.mall, today, cast.sees_all)
    follow_up(member, cast.mall, today, mine, state="cancelled")
    follow_up(member, cast.hotel, today, hotelier)
    own = ticket(member, cast.mall, "T1", mine)
    free = ticket(member, cast.mall, "T2", due_at=timezone.now() - timedelta(hours=1))
    ticket(member, cast.mall, "T3", cast.sees_all)
    ticket(member, cast.mall, "T4", mine, state="resolved")
    ticket(member, cast.hotel, "T5")
    reminders = [
        Reminder.objects.create(
            member=member, business=business, kind="birthday", key="1", due_on=today, state=state,
            created_at=timezone.now(),
        )
        for business, state in ((cast.mall, "open"), (cast.hotel, "open"))
    ]  # fmt: skip
    waiting = approval(cast, cast.mall_1, hotelier)
    approval(cast, cast.mall, mine)  # nobody decides his own
    approval(cast, cast.hotel, cast.sees_all)
    approval(cast, cast.mall, hotelier, verb="something.else")
    approval(cast, cast.mall, hotelier, expires_at=timezone.now() - timedelta(hours=1))
    return {
        "follow-ups": [late, now, later],
        "tickets": [free, own],
        "reminders": [reminders[0]],
        "approvals": [waiting],
    }


class Verb:
    def __init__(self, name: str, permission: str) -> None:
        self.name, self.permission = name, permission


def test_what_is_mine_and_in_my_reach_is_listed_soonest_first(cast, client, work):
    assert parts(client, cast.sees_mall) == work


def test_another_business_sees_nothing_of_it(cast, client, work, hotelier):
    seen = parts(client, hotelier)
    here = {row for rows in seen.values() for row in rows}
    assert not here & {row for rows in work.values() for row in rows}
    assert {name: len(rows) for name, rows in seen.items()} == {
        "follow-ups": 1, "tickets": 1, "reminders": 1, "approvals": 1,
    }  # fmt: skip


def test_who_stands_nowhere_has_nothing_to_do(cast, client, work):
    assert parts(client, cast.sees_nothing) == {}
    assert list(todo.counts(cast.sees_nothing, timezone.now())) == []


def test_without_the_permission_a_part_is_not_there(cast, client, work):
    operator = OperatorFactory(org_unit=cast.mall)
    assert parts(client, operator) == {}


def test_the_counts_are_those_of_the_page(cast, work):
    counted = {str(title): count for title, count, _link in todo.counts(cast.sees_mall, timezone.now())}
    assert counted == {
        "逾期回访": 1, "今日回访": 1, "我的工单": 1, "待领工单": 1, "逾期工单": 1, "会员提醒": 1, "待我审批": 1,
    }  # fmt: skip


def test_the_dashboard_shows_them_and_leads_to_them(cast, client, work):
    client.force_login(cast.sees_mall)
    shown = [(str(title), count, link) for title, count, link in client.get(reverse("admin:index")).context["to_do"]]
    assert shown[:2] == [("逾期回访", 1, f"{PAGE}#follow-ups"), ("今日回访", 1, f"{PAGE}#follow-ups")]


def test_its_queries_do_not_grow_with_the_work(cast, client, member, django_assert_max_num_queries):
    today, mine = today_of(cast), cast.sees_mall
    client.force_login(mine)
    client.get(PAGE)
    for many in (2, 20):
        for number in range(many):
            other = MemberFactory(businesses=[cast.mall])
            follow_up(other, cast.mall, today, mine)
            ticket(other, cast.mall, f"T{many}-{number}", mine)
            Reminder.objects.create(
                member=other, business=cast.mall, kind="birthday", key="1", due_on=today, created_at=timezone.now()
            )
        with django_assert_max_num_queries(12):
            client.get(PAGE)
        with django_assert_max_num_queries(6):  # the four kinds of work, and what he may see
            list(todo.counts(mine, timezone.now()))
    assert [part["more"] for part in client.get(PAGE).context["parts"]] == [True, True, True, False]
