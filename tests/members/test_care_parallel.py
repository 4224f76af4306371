"""Care on real connections at once: rated once, done once, and no more opened than one may."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connections

from members.errors import FollowUpNotOpen, Refused, TicketAlreadyRated, TooManyTickets
from members.interfaces import Answer
from members.models import FollowUp, Member, Ticket, TicketType
from members.services import follow_ups, tickets
from members.services.organisation import own_origin
from tests.cast import Cast, build_cast
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 6


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return build_cast()


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall])


@pytest.fixture
def kind(cast: Cast) -> TicketType:
    return TicketType.objects.create(code="complaint", name="投诉", org_unit=cast.group)


def at_once(verb: Callable[[int], Answer]) -> list[Answer | Refused]:
    def run(i: int) -> Answer | Refused:
        try:
            return verb(i)
        except Refused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(run, range(RACERS)))


def refusals(answers: list[Answer | Refused]) -> list[type[Refused]]:
    return [type(answer) for answer in answers if isinstance(answer, Refused)]


def opened(cast: Cast, member: Member, kind: TicketType) -> Answer:
    said = {"title": "掉色", "description": "洗一次", "business": cast.mall}
    return tickets.open_ticket(member, type=kind, **said, origin=own_origin("member"))


def test_a_ticket_is_rated_by_the_first_and_by_nobody_else(cast: Cast, member: Member, kind: TicketType):
    ticket = Ticket.objects.get(number=opened(cast, member, kind)["number"])
    tickets.resolve(ticket, "好了", origin=own_origin("admin", actor=cast.sees_mall))
    answers = at_once(lambda i: tickets.rate(ticket, i % 5 + 1, f"第 {i} 次", origin=own_origin("member")))
    assert refusals(answers) == [TicketAlreadyRated] * (RACERS - 1)
    [first] = [i for i, answer in enumerate(answers) if not isinstance(answer, Refused)]
    ticket.refresh_from_db()
    assert (ticket.satisfaction, ticket.satisfaction_note) == (first % 5 + 1, f"第 {first} 次")


def test_a_follow_up_is_done_once_and_has_one_next(cast: Cast, member: Member):
    origin = own_origin("admin", actor=cast.sees_mall)
    plan = {"text": "问合身", "due_on": date(2099, 1, 1), "business": cast.mall}
    follow_up = FollowUp.objects.get(pk=follow_ups.plan(member, **plan, origin=origin)["id"])

    def done(i: int) -> Answer:
        said = {"outcome": "reached", "next_on": date(2099, 2, i + 1)}
        return follow_ups.done(follow_up, **said, origin=own_origin("admin", actor=cast.sees_mall))

    assert refusals(at_once(done)) == [FollowUpNotOpen] * (RACERS - 1)
    assert FollowUp.objects.filter(after=follow_up).count() == 1
    assert FollowUp.objects.count() == 2


def test_nobody_opens_more_by_opening_at_once(cast: Cast, member: Member, kind: TicketType):
    for _ in range(tickets.MOST_OPEN - 2):
        opened(cast, member, kind)
    answers = at_once(lambda i: opened(cast, member, kind))
    assert refusals(answers) == [TooManyTickets] * (RACERS - 2)
    assert Ticket.objects.count() == tickets.MOST_OPEN
