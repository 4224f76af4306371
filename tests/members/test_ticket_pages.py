"""A member's tickets on his own pages, and the same ones in the back office."""

import pytest
from django.urls import reverse

from members.models import Member, Ticket, TicketNote, TicketType
from members.services import tickets
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory
from tests.member_session import enter

LIST, NEW = reverse("member:tickets"), reverse("member:ticket_new")


@pytest.fixture
def member(cast: Cast, client) -> Member:
    member = MemberFactory(businesses=[cast.mall])
    enter(client, member)
    return member


@pytest.fixture
def kind(cast: Cast) -> TicketType:
    return TicketType.objects.create(code="complaint", name="投诉", org_unit=cast.group)


@pytest.fixture
def staff(cast):
    return lambda: own_origin("admin", actor=cast.sees_mall, business=cast.mall)


@pytest.fixture
def mine(cast, member, kind) -> Ticket:
    said = {"title": "掉色", "description": "洗一次就掉", "business": cast.mall, "store": cast.mall_1}
    answer = tickets.open_ticket(member, type=kind, **said, origin=own_origin("member"))
    return Ticket.objects.get(number=answer["number"])


def page(ticket: Ticket, name: str = "ticket") -> str:
    return reverse(f"member:{name}", args=[ticket.number])


def test_a_member_opens_one_and_a_double_click_is_one(cast, client, member, kind):
    said = {"business": cast.mall.pk, "type": kind.pk, "title": "掉色", "description": "洗一次", "token": "t"}
    answers = [client.post(NEW, said) for _ in range(2)]
    ticket = Ticket.objects.get()
    assert [answer["Location"] for answer in answers] == [page(ticket)] * 2
    assert (ticket.member, ticket.business, ticket.channel.code) == (member, cast.mall, "member")
    assert "掉色" in client.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("changes", "field"), [({"business": "hotel"}, "business"), ({"type": "hotels"}, "type"), ({"title": ""}, "title")]
)
def test_he_opens_only_what_his_businesses_offer(cast, client, member, kind, changes, field):
    hotels = TicketType.objects.create(code="hotels", name="客房", org_unit=cast.hotel)
    said = {"business": cast.mall.pk, "type": kind.pk, "title": "掉色", "description": "洗一次"} | changes
    said["business"] = cast.hotel.pk if said["business"] == "hotel" else said["business"]
    said["type"] = hotels.pk if said["type"] == "hotels" else said["type"]
    assert field in client.post(NEW, said).context["form"].errors
    assert not Ticket.objects.exists()


def test_types_that_are_not_for_members_are_not_offered(cast, client, member, kind):
    TicketType.objects.create(code="fraud", name="风控", org_unit=cast.group, is_for_members=False)
    of_mall = TicketType.objects.create(code="parking", name="停车", org_unit=cast.mall)
    TicketType.objects.create(code="hotels", name="客房", org_unit=cast.hotel)
    assert set(client.get(NEW).context["form"].fields["type"].queryset) == {kind, of_mall}
    said = {"business": "", "type": of_mall.pk, "title": "停车", "description": "收错"}  # the group has no such type
    assert "type" in client.post(NEW, said).context["form"].errors


def test_the_conversation_is_shown_and_internal_notes_never(cast, client, mine, staff):
    tickets.take(mine, origin=staff())
    tickets.note(mine, "此人常来要赔偿", origin=staff())
    tickets.assign(mine, cast.sees_mall, note="你熟", origin=staff())
    tickets.ask(mine, "请问哪一件？", origin=staff())
    client.post(page(mine, "answer_ticket"), {"text": "蓝色的"})
    tickets.resolve(mine, "已换新", origin=staff())
    tickets.reopen(mine, "又打来骂人", origin=staff())
    shown = client.get(page(mine)).content.decode() + client.get(LIST).content.decode()
    assert [text for text in ("洗一次就掉", "请问哪一件？", "蓝色的", "已换新") if text not in shown] == []
    internal = [note.text for note in TicketNote.objects.filter(is_internal=True) if note.text]
    assert len(internal) == 3
    assert [text for text in internal if text in shown] == []
    assert "sees_mall" not in shown


def test_he_rates_it_once_at_the_end(client, mine, staff):
    client.post(page(mine, "rate_ticket"), {"score": "5"})
    mine.refresh_from_db()
    assert mine.satisfaction is None
    tickets.resolve(mine, "已换新", origin=staff())
    client.post(page(mine, "rate_ticket"), {"score": "9"})
    mine.refresh_from_db()
    assert (mine.state, mine.satisfaction) == ("resolved", None)
    client.post(page(mine, "rate_ticket"), {"score": "4", "note": "快"})
    client.post(page(mine, "rate_ticket"), {"score": "1"})
    mine.refresh_from_db()
    assert (mine.state, mine.satisfaction, mine.satisfaction_note) == ("closed", 4, "快")
    shown = client.get(page(mine)).context
    assert (shown["may_rate"], shown["may_answer"]) == (False, False)


def test_another_s_ticket_is_not_there(cast, client, mine):
    enter(client, MemberFactory(businesses=[cast.mall]))
    assert client.get(page(mine)).status_code == 404
    for name, said in (("answer_ticket", {"text": "x"}), ("rate_ticket", {"score": "1"})):
        assert client.post(page(mine, name), said).status_code == 404
    assert mine.notes.count() == 0
    assert list(client.get(LIST).context["tickets"]) == []


def test_who_is_not_signed_in_signs_in_first(client, cast):
    for address in (LIST, NEW):
        assert client.get(address)["Location"].startswith(reverse("member:sign_in"))


# --- In the back office -------------------------------------------------------------------------------------------


def change(ticket: Ticket) -> str:
    return reverse("admin:members_ticket_change", args=[ticket.pk])


def test_staff_talk_and_settle_on_one_page(cast, client, mine):
    client.force_login(cast.sees_mall)
    for said in (
        {"verb": "take"},
        {"verb": "note", "text": "老客户", "token": "n"},
        {"verb": "note", "text": "老客户", "token": "n"},  # a double click
        {"verb": "reply", "text": "马上处理"},
        {"verb": "assign", "operator": cast.sees_mall.pk},
        {"verb": "resolve", "text": "已换新"},
    ):
        assert client.post(change(mine), said).status_code == 302
    mine.refresh_from_db()
    assert (mine.state, mine.assigned_to) == ("resolved", cast.sees_mall)
    assert [(note.text, note.is_internal) for note in mine.notes.all()] == [
        ("", True), ("老客户", True), ("马上处理", False), ("→ sees_mall", True), ("已换新", False),
    ]  # fmt: skip
    shown = client.get(change(mine)).content.decode()
    assert "老客户" in shown
    assert 'value="reopen"' in shown
    assert 'value="reply"' not in shown


def test_what_the_state_refuses_is_told(cast, client, mine):
    client.force_login(cast.sees_mall)
    told = client.post(change(mine), {"verb": "reopen", "text": "x"}, follow=True).content.decode()
    assert "工单当前的状态不能这样处理" in told
    assert mine.notes.count() == 0


def test_who_may_only_look_can_t_act(cast, client, mine):
    looker = OperatorFactory(org_unit=cast.mall)
    looker.user_permissions.set(cast.sees_all.user_permissions.filter(codename="view_ticket"))
    client.force_login(looker)
    assert 'name="verb"' not in client.get(change(mine)).content.decode()
    assert client.post(change(mine), {"verb": "note", "text": "x"}).status_code == 403
    assert mine.notes.count() == 0


def test_a_ticket_is_opened_from_member_360_within_reach(cast, client, member, kind):
    address = reverse("admin:members_ticket_open", args=[member.pk])
    client.force_login(cast.sees_mall)
    said = {"type": kind.pk, "priority": 1, "title": "掉色", "description": "x", "token": "t"}
    refused = client.post(address, said | {"place": cast.hotel.pk})
    assert "place" in refused.context["form"].errors
    hotelier = OperatorFactory(org_unit=cast.hotel)
    refused = client.post(address, said | {"place": cast.mall_1.pk, "assigned_to": hotelier.pk})
    assert "assigned_to" in refused.context["form"].errors
    assert not Ticket.objects.exists()
    for _ in range(2):
        client.post(address, said | {"place": cast.mall_1.pk, "assigned_to": cast.sees_mall.pk})
    ticket = Ticket.objects.get()
    assert (ticket.business, ticket.store, ticket.priority) == (cast.mall, cast.mall_1, 1)
    assert (ticket.assigned_to, ticket.created_by) == (cast.sees_mall, cast.sees_mall)
    stranger = MemberFactory(businesses=[cast.hotel])
    assert client.get(reverse("admin:members_ticket_open", args=[stranger.pk])).status_code == 404


def test_a_follow_up_goes_from_plan_to_done_on_its_pages(cast, client, member):
    client.force_login(cast.sees_mall)
    plan = reverse("admin:members_followup_plan", args=[member.pk])
    said = {"plan": "问合身", "due_on": "2099-01-05", "medium": "phone", "place": cast.mall_1.pk, "token": "t"}
    assert client.post(plan, said | {"due_on": "2001-01-01"}).context["form"].errors["due_on"]
    client.post(plan, said)
    first = member.follow_ups.get()
    work = reverse("admin:members_followup_change", args=[first.pk])
    done = {"verb": "done", "outcome": "reached", "next_on": "2099-02-05"}
    assert client.post(work, done | {"next_on": "2001-01-01"}).status_code == 200
    assert client.post(work, done)["Location"] == work
    first.refresh_from_db()
    assert (first.state, first.next.plan) == ("done", "问合身")
    cancel = reverse("admin:members_followup_change", args=[first.next.pk])
    client.post(cancel, {"verb": "cancel", "reason": "不想被打扰"})
    assert member.follow_ups.get(after=first).state == "cancelled"


def test_lists_are_filtered_by_who_and_when(cast, client, mine):
    client.force_login(cast.sees_mall)
    address = reverse("admin:members_ticket_changelist")

    def listed(**query) -> int:
        return client.get(address, query).context["cl"].result_count

    assert [listed(whose="mine"), listed(whose="free"), listed(due="overdue"), listed(due="open")] == [0, 1, 0, 1]
    Ticket.objects.update(assigned_to=cast.sees_mall, due_at=mine.created_at)
    assert [listed(whose="mine"), listed(whose="free"), listed(due="overdue"), listed(due="open")] == [1, 0, 1, 1]
