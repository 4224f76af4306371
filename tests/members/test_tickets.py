"""Service tickets: the state table, due times, the conversation, who sees what, and the clock."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from members.errors import (
    InvalidScore,
    MemberClosed,
    OperatorOutOfReach,
    TextMissing,
    TicketAlreadyRated,
    TicketNotMovable,
    TicketTypeNotFound,
    TooManyTickets,
)
from members.interfaces import Origin
from members.models import Event, Member, Operator, Ticket, TicketNote, TicketType
from members.rules import tickets as rules
from members.services import tickets
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory

State = Ticket.State


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall])


@pytest.fixture
def kind(cast: Cast) -> TicketType:
    return TicketType.objects.create(code="complaint", name="投诉", org_unit=cast.group, hours=24)


@pytest.fixture
def clerk(cast: Cast) -> Operator:
    return OperatorFactory(username="clerk", org_unit=cast.mall_1)


@pytest.fixture
def staff(cast: Cast):
    return lambda **more: own_origin("admin", actor=cast.sees_mall, business=cast.mall, **more)


@pytest.fixture
def himself():
    return lambda **more: own_origin("member", **more)


@pytest.fixture
def opened(cast: Cast, member: Member, kind: TicketType, himself):
    def opened(origin: Origin | None = None, **said) -> Ticket:
        said = {"business": cast.mall, "store": cast.mall_1, "title": "外套掉色", "description": "洗一次就掉色"} | said
        answer = tickets.open_ticket(said.pop("member", member), type=kind, **said, origin=origin or himself())
        return Ticket.objects.get(number=answer["number"])

    return opened


def put(ticket: Ticket, state: str) -> Ticket:
    dates = {"resolved_at": timezone.now()} if state == State.RESOLVED else {}
    Ticket.objects.filter(pk=ticket.pk).update(state=state, **dates)
    ticket.refresh_from_db()
    return ticket


VERBS = {
    "take": lambda ticket, origin: tickets.take(ticket, origin=origin),
    "reply": lambda ticket, origin: tickets.reply(ticket, "您好", origin=origin),
    "ask": lambda ticket, origin: tickets.ask(ticket, "请问订单号？", origin=origin),
    "resolve": lambda ticket, origin: tickets.resolve(ticket, "已换新", origin=origin),
    "reopen": lambda ticket, origin: tickets.reopen(ticket, "会员再次来电", origin=origin),
    "answer": lambda ticket, origin: tickets.answer(ticket, "还是不行", origin=origin),
    "withdraw": lambda ticket, origin: tickets.withdraw(ticket, origin=origin),
    "rate": lambda ticket, origin: tickets.rate(ticket, 4, origin=origin),
}


@pytest.mark.parametrize("state", State.values)
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_follows_the_table(opened, staff, verb, state):
    ticket = put(opened(), state)
    expected = rules.MOVES[verb].get(state)
    notes, events = ticket.notes.count(), Event.objects.count()
    if expected is None:
        with pytest.raises(TicketNotMovable):
            VERBS[verb](ticket, staff())
        expected = state
        assert (ticket.notes.count(), Event.objects.count()) == (notes, events)
    else:
        assert VERBS[verb](ticket, staff())["state"] == expected
        assert Event.objects.count() == events + 1
    ticket.refresh_from_db()
    assert ticket.state == expected


def test_the_table_speaks_of_states_that_exist_and_opens_nothing_closed():
    states = {state for moves in rules.MOVES.values() for pair in moves.items() for state in pair}
    assert states == set(State.values)
    assert {verb for verb, moves in rules.MOVES.items() if "closed" in moves} == {"rate"}


@pytest.mark.parametrize(("priority", "hours"), [(1, 12), (2, 24), (3, 48), (4, 96)])
def test_it_is_due_by_its_priority(priority, hours):
    at = datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert rules.due_at(at, hours=48, priority=priority) == at + timedelta(hours=hours)
    assert rules.due_at(at, hours=1, priority=1) == at + timedelta(minutes=15)


def test_a_ticket_has_a_number_of_its_day_that_tells_nothing(opened):
    first, second = opened(), opened()
    day = first.created_at.astimezone(first.business.zone)
    assert re.fullmatch(rf"T{day:%Y%m%d}\d{{6}}", first.number)
    assert first.number != second.number


def test_opening_says_nothing_in_the_event(cast, opened, member, kind):
    ticket = opened(priority=2)
    assert ticket.due_at - ticket.created_at == timedelta(hours=12)
    event = Event.objects.get(type="ticket.opened")
    assert (event.member, event.business, event.store) == (member, cast.mall, cast.mall_1)
    assert event.data == {"ticket": ticket.number, "type": "complaint", "priority": 2}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"title": " "}, TextMissing),
        ({"description": ""}, TextMissing),
        ({"assigned_to": "hotelier"}, OperatorOutOfReach),
        ({"business": "hotel", "store": None}, TicketTypeNotFound),
        ({"member": "closed"}, MemberClosed),
    ],
)
def test_what_can_t_be_opened_is_not_written(cast, opened, kind, said, error):
    said = dict(said)
    if "assigned_to" in said:
        said["assigned_to"] = OperatorFactory(org_unit=cast.hotel)
    if "business" in said:
        kind.org_unit = cast.mall
        kind.save()
        said["business"] = cast.hotel
    if "member" in said:
        said["member"] = MemberFactory(status="closed")
    with pytest.raises(error):
        opened(**said)
    assert (Ticket.objects.count(), Event.objects.count()) == (0, 0)


def test_a_type_out_of_use_takes_no_tickets(opened, kind):
    kind.is_active = False
    kind.save()
    with pytest.raises(TicketTypeNotFound):
        opened()
    assert not Ticket.objects.exists()


def test_a_member_can_t_flood_and_staff_can_help(opened, staff):
    for _ in range(tickets.MOST_OPEN):
        opened()
    with pytest.raises(TooManyTickets):
        opened()
    assert Ticket.objects.count() == tickets.MOST_OPEN
    opened(staff())
    assert Ticket.objects.count() == tickets.MOST_OPEN + 1


def test_taking_makes_it_mine_without_telling_the_member(cast, opened, staff):
    ticket = opened()
    tickets.take(ticket, origin=staff())
    ticket.refresh_from_db()
    [note] = ticket.notes.all()
    assert (ticket.assigned_to, ticket.state) == (cast.sees_mall, "in_progress")
    assert (note.is_internal, note.from_state, note.to_state) == (True, "new", "in_progress")


def test_the_answer_to_a_question_goes_on_with_it(opened, staff, himself):
    ticket = opened()
    tickets.ask(ticket, "订单号？", origin=staff())
    assert tickets.answer(ticket, "A-1", origin=himself())["state"] == "in_progress"
    said = [(note.text, note.is_by_member, note.is_internal) for note in ticket.notes.all()]
    assert said == [("订单号？", False, False), ("A-1", True, False)]


def test_an_answer_after_the_resolution_opens_it_again_with_a_new_term(opened, staff, himself):
    ticket = opened()
    tickets.resolve(ticket, "已换新", origin=staff())
    ticket.refresh_from_db()
    assert ticket.resolved_at is not None
    later = timezone.now() + timedelta(days=3)
    tickets.answer(ticket, "又坏了", origin=himself(at=later))
    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolved_at, ticket.due_at) == ("in_progress", None, later + timedelta(hours=24))
    assert Event.objects.filter(type="ticket.reopened").count() == 1


@pytest.mark.parametrize("verb", [tickets.reply, tickets.ask, tickets.resolve, tickets.note, tickets.answer])
def test_nothing_said_is_nothing_done(opened, staff, verb):
    ticket = opened()
    with pytest.raises(TextMissing):
        verb(ticket, " \n", origin=staff())
    ticket.refresh_from_db()
    assert (ticket.state, ticket.notes.count()) == ("new", 0)


def test_it_is_handed_over_within_reach_only(cast, opened, staff, clerk):
    ticket = opened()
    tickets.assign(ticket, clerk, note="懂面料", origin=staff())
    with pytest.raises(OperatorOutOfReach):
        tickets.assign(ticket, OperatorFactory(org_unit=cast.mall_2), origin=staff())
    ticket.refresh_from_db()
    assert ticket.assigned_to == clerk
    assert [(note.text, note.is_internal) for note in ticket.notes.all()] == [("→ clerk 懂面料", True)]


def test_who_doesn_t_see_it_can_t_take_it(cast, opened):
    ticket = opened()
    with pytest.raises(OperatorOutOfReach):
        tickets.take(ticket, origin=own_origin("admin", actor=OperatorFactory(org_unit=cast.hotel)))
    ticket.refresh_from_db()
    assert (ticket.assigned_to, ticket.state) == (None, "new")


def test_it_is_rated_once_at_its_end_and_then_stays_closed(opened, staff, himself):
    ticket = opened()
    with pytest.raises(TicketNotMovable):
        tickets.rate(ticket, 5, origin=himself())
    tickets.resolve(ticket, "已换新", origin=staff())
    for score in (0, 6):
        with pytest.raises(InvalidScore):
            tickets.rate(ticket, score, origin=himself())
    tickets.rate(ticket, 2, "慢", origin=himself())
    with pytest.raises(TicketAlreadyRated):
        tickets.rate(ticket, 5, origin=himself())
    with pytest.raises(TicketNotMovable):
        tickets.answer(ticket, "补充", origin=himself())
    ticket.refresh_from_db()
    assert (ticket.state, ticket.satisfaction, ticket.satisfaction_note) == ("closed", 2, "慢")
    assert ticket.closed_at is not None
    assert Event.objects.get(type="ticket.rated").data == {
        "ticket": ticket.number, "state": "closed", "satisfaction": 2,
    }  # fmt: skip


def test_the_clock_closes_what_was_resolved_a_week_ago(opened, staff, himself, settings):
    settings.MEMBERS_TICKET_CLOSE_DAYS = 7
    now = timezone.now()
    old, fresh, open_one = opened(), opened(), opened()
    tickets.resolve(old, "好了", origin=staff(at=now - timedelta(days=7)))
    tickets.resolve(fresh, "好了", origin=staff(at=now - timedelta(days=7) + timedelta(seconds=1)))
    assert tickets.close_resolved(now) == 1
    assert tickets.close_resolved(now) == 0
    states = {ticket: Ticket.objects.get(pk=ticket.pk).state for ticket in (old, fresh, open_one)}
    assert states == {old: "closed", fresh: "resolved", open_one: "new"}
    last = old.notes.last()
    assert (last.text, last.from_state, last.to_state, last.at) == ("", "resolved", "closed", now)
    assert tickets.rate(old, 5, origin=himself())["state"] == "closed"  # still his to say


def test_a_store_sees_its_own_and_another_business_nothing(cast, opened, clerk):
    here, beside = opened(), opened(store=cast.mall_2)
    of_business = opened(store=None)
    assert set(Ticket.objects.visible_to(clerk)) == {here}
    assert set(Ticket.objects.visible_to(cast.sees_mall)) == {here, beside, of_business}
    assert not Ticket.objects.visible_to(OperatorFactory(org_unit=cast.hotel)).exists()
    assert not Ticket.objects.visible_to(cast.sees_nothing).exists()


def test_what_was_said_is_in_no_event(opened, staff, himself):
    ticket = opened()
    tickets.note(ticket, "此人很难缠", origin=staff())
    tickets.reply(ticket, "您好张先生", origin=staff())
    tickets.answer(ticket, "我的电话 13800138000", origin=himself())
    written = " ".join(str(event.data) for event in Event.objects.all())
    assert [word for word in ("难缠", "张先生", "1380013", "掉色") if word in written] == []
    assert TicketNote.objects.count() == 3
