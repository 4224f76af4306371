"""Tickets for channels: opened, read, talked about, rated; and what staff note among themselves never goes out."""

from datetime import datetime, timedelta

import pytest

from members.models import Member, Ticket, TicketNote, TicketType
from members.services import tickets
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory

WORDS = {"type": "complaint", "title": "空调不凉", "description": "晚上三十度"}


@pytest.fixture
def kind(cast: Cast) -> TicketType:
    return TicketType.objects.create(code="complaint", name="投诉", org_unit=cast.group, hours=24)


@pytest.fixture
def opened(app, cast, member, kind):
    def opened(channel=None, **said) -> str:
        answer = app(channel or cast.mall_app).post("tickets", {"member": member.member_no} | WORDS | said)
        assert answer.status_code == 201
        return answer.json()["number"]

    return opened


@pytest.fixture
def staff(cast):
    return lambda: own_origin("admin", actor=cast.sees_mall, business=cast.mall)


def test_a_ticket_is_opened_for_a_member_by_number_or_phone(app, cast, member, kind):
    body = {"member": "13800138000", "store": "MALL-1", "priority": "urgent"} | WORDS
    answer = app(cast.mall_app).post("tickets", body).json()
    ticket = Ticket.objects.get(number=answer["number"])
    assert (ticket.member, ticket.business, ticket.store) == (member, cast.mall, cast.mall_1)
    assert (ticket.channel, ticket.created_by, ticket.state) == (cast.mall_app, None, "new")
    assert ticket.due_at - ticket.created_at == timedelta(hours=6)
    assert datetime.fromisoformat(answer["due_at"]) == ticket.due_at


def test_the_same_reference_opens_one(app, cast, member, kind):
    body = {"member": member.member_no} | WORDS
    answers = [app(cast.mall_app).post("tickets", body, key="t-1").json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"type": "shoe"}, 422, "ticket_type_not_found"),
        ({"type": "hotels"}, 422, "ticket_type_not_found"),
        ({"member": "13900139000"}, 404, "member_not_found"),
        ({"store": "HOTEL-1"}, 404, "store_not_found"),
        ({"priority": "now"}, 400, "invalid_input"),
        ({"title": ""}, 400, "invalid_input"),
        ({"description": None}, 400, "invalid_input"),
    ],
)
def test_a_refused_ticket_is_not_there(app, cast, member, kind, said, status, code):
    TicketType.objects.create(code="hotels", name="客房", org_unit=cast.hotel)
    refused = app(cast.mall_app).post("tickets", {"member": member.member_no} | WORDS | said)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert not Ticket.objects.exists()


def test_a_member_with_many_open_tickets_gets_no_more(app, cast, member, opened):
    for _ in range(tickets.MOST_OPEN):
        opened()
    refused = app(cast.mall_app).post("tickets", {"member": member.member_no} | WORDS)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_tickets")
    assert Ticket.objects.count() == tickets.MOST_OPEN


def test_the_list_is_of_the_reach_by_member_and_state(app, cast, opened, staff):
    first, second, hotels = opened(), opened(), opened(cast.hotel_app)
    other = MemberFactory(businesses=[cast.mall])
    third = opened(member=other.member_no)
    tickets.resolve(Ticket.objects.get(number=first), "好了", origin=staff())

    def listed(channel, **query) -> list[str]:
        return [row["number"] for row in app(channel).get("tickets", query).json()["results"]]

    assert listed(cast.mall_app) == [third, second, first]
    assert listed(cast.mall_app, member="13800138000") == [second, first]
    assert listed(cast.mall_app, state="resolved") == [first]
    assert listed(cast.hotel_app) == [hotels]
    assert listed(cast.group_app, member="13800138000") == [hotels, second, first]
    assert listed(cast.cvs_app) == []
    assert app(cast.cvs_app).get("tickets", {"member": "13800138000"}).status_code == 404


def test_the_conversation_goes_out_and_internal_notes_never(app, cast, opened, staff):
    till, number = app(cast.mall_app), opened()
    ticket = Ticket.objects.get(number=number)
    tickets.take(ticket, origin=staff())
    tickets.note(ticket, "此人常来要赔偿", origin=staff())
    tickets.assign(ticket, cast.sees_mall, note="你熟", origin=staff())
    tickets.ask(ticket, "请问房号？", origin=staff())
    assert till.post(f"tickets/{number}/notes", {"text": "1203", "is_by_member": True}).json()["state"] == "in_progress"
    till.post(f"tickets/{number}/notes", {"text": "已派人", "is_by_member": False})
    tickets.resolve(ticket, "已修好", origin=staff())
    tickets.reopen(ticket, "他又打来骂人", origin=staff())
    answer = till.get(f"tickets/{number}").json()
    assert [(note["by"], note["text"], note["state"]) for note in answer["notes"]] == [
        ("staff", "请问房号？", "waiting"),
        ("member", "1203", "in_progress"),
        ("staff", "已派人", None),
        ("staff", "已修好", "resolved"),
    ]
    written = "".join(
        till.get(path).content.decode() for path in (f"tickets/{number}", "tickets", "events", "ticket-types")
    )
    internal = [note.text for note in TicketNote.objects.filter(is_internal=True) if note.text]
    assert internal == ["此人常来要赔偿", "→ sees_mall 你熟", "他又打来骂人"]
    assert [text for text in internal if text in written] == []


def test_a_note_says_whose_it_is(app, cast, opened):
    refused = app(cast.mall_app).post(f"tickets/{opened()}/notes", {"text": "?"})
    assert [error["field"] for error in refused.json()["errors"]] == ["is_by_member"]
    assert not TicketNote.objects.exists()


def test_it_is_rated_once_at_its_end(app, cast, opened, staff):
    till, number = app(cast.mall_app), opened()
    early = till.post(f"tickets/{number}/ratings", {"score": 5})
    assert (early.status_code, early.json()["code"]) == (409, "ticket_not_movable")
    tickets.resolve(Ticket.objects.get(number=number), "好了", origin=staff())
    assert till.post(f"tickets/{number}/ratings", {"score": 6}).status_code == 400
    assert till.post(f"tickets/{number}/ratings", {"score": 4, "note": "快"}).json()["state"] == "closed"
    again = till.post(f"tickets/{number}/ratings", {"score": 1})
    assert (again.status_code, again.json()["code"]) == (409, "ticket_already_rated")
    read = till.get(f"tickets/{number}").json()
    assert (read["satisfaction"], read["satisfaction_note"]) == (4, "快")


def test_a_member_who_needs_nothing_more_closes_it(app, cast, opened):
    till, number = app(cast.mall_app), opened()
    assert till.post(f"tickets/{number}/closures", {"note": "不用了"}).json()["state"] == "closed"
    assert till.post(f"tickets/{number}/closures").json()["code"] == "ticket_not_movable"
    refused = till.post(f"tickets/{number}/notes", {"text": "等等", "is_by_member": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "ticket_not_movable")


def test_another_business_that_knows_the_member_reads_nothing_of_it(app, cast, member: Member, opened):
    number = opened()
    for path, body in (("notes", {"text": "x", "is_by_member": True}), ("ratings", {"score": 1}), ("closures", {})):
        refused = app(cast.hotel_app).post(f"tickets/{number}/{path}", body)
        assert (refused.status_code, refused.json()["code"]) == (404, "ticket_not_found")
    assert app(cast.hotel_app).get(f"tickets/{number}").status_code == 404
    assert (Ticket.objects.get().state, TicketNote.objects.count()) == ("new", 0)


def test_the_types_are_the_group_s_and_the_business_s_own(app, cast, kind):
    TicketType.objects.create(code="hotels", name="客房", org_unit=cast.hotel)
    TicketType.objects.create(code="old", name="旧", org_unit=cast.mall, is_active=False)
    codes = {
        channel.code: [row["code"] for row in app(channel).get("ticket-types").json()["results"]]
        for channel in (cast.mall_app, cast.hotel_app)
    }
    assert codes == {"mall-app": ["complaint"], "hotel-app": ["complaint", "hotels"]}
