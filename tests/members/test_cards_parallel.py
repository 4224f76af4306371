"""Real connections at once: a card takes one step at a time, and no number is given twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from members.errors import CardReplacementUnfit, CardStateForbids, MemberClosed, Refused
from members.interfaces import Answer
from members.models import Card, CardChange, Identity
from members.services import cards, closing
from members.services.locking import locked
from members.services.organisation import own_origin
from tests.cast import Cast, build_cast
from tests.factories import CardTypeFactory, MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return build_cast()


@pytest.fixture
def card(cast: Cast) -> Card:
    card_type = CardTypeFactory(org_unit=cast.mall, prefix="6200")
    answer = cards.issue_to(MemberFactory(), card_type, org_unit=cast.mall, origin=own_origin("desk"))
    return Card.objects.get(number=answer["number"])


def at_once(times: int, verb: Callable[[int], Answer]) -> list[Answer | Refused]:
    """Run `verb(i)` on as many connections at the same moment; a refusal comes back as its error."""
    start = Barrier(times)

    def run(i: int) -> Answer | Refused:
        try:
            start.wait()
            return verb(i)
        except Refused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def refusals(answers: list[Answer | Refused]) -> list[type]:
    return [type(answer) for answer in answers if isinstance(answer, Refused)]


def test_of_eight_replacements_one_wins(card):
    answers = at_once(8, lambda _: cards.replace(card, reason="补卡", origin=own_origin("desk")))
    assert refusals(answers) == [CardStateForbids] * 7
    new = Card.objects.get(replaces=card)
    assert Card.objects.count() == 2
    assert [identity.value for identity in Identity.objects.filter(kind="card")] == [new.number]


def test_of_eight_losses_one_is_written(card):
    answers = at_once(8, lambda _: cards.report_lost(card, reason="丢了", origin=own_origin("member")))
    assert refusals(answers) == [CardStateForbids] * 7
    assert CardChange.objects.filter(verb="report_lost").count() == 1


def test_one_printed_card_replaces_one_of_two(cast, card):
    second = Card.objects.get(
        number=cards.issue_to(MemberFactory(), card.card_type, org_unit=cast.mall, origin=own_origin("desk"))["number"]
    )
    spare = cards.issue(card.card_type, org_unit=cast.mall, origin=own_origin("desk"))["number"]
    old = (card, second)
    answers = at_once(2, lambda i: cards.replace(old[i], reason="换卡", number=spare, origin=own_origin("desk")))
    assert refusals(answers) == [CardReplacementUnfit]
    assert sorted(Card.objects.values_list("state", flat=True)) == ["active", "active", "replaced"]


def test_cards_made_at_once_have_numbers_of_their_own(cast, card):
    answers = at_once(8, lambda _: cards.issue(card.card_type, org_unit=cast.mall, origin=own_origin("desk")))
    assert refusals(answers) == []
    serials = sorted(int(answer["number"][4:-1]) for answer in answers)
    assert serials == list(range(2, 10))


def test_blocking_waits_for_a_payment_under_way_and_no_longer(card):
    """A payment holds the card FOR SHARE: the loss is reported when it is over, not before, and not beside it."""
    paying, paid = Event(), Event()

    def pay(_: int) -> Answer:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT state FROM members_card WHERE id = %s FOR SHARE", [card.pk])
            paying.set()
            is_waited_for = somebody_waits_for_us()
            paid.set()
        return {"is_waited_for": is_waited_for}

    def report(_: int) -> Answer:
        paying.wait(10)
        answer = cards.report_lost(card, reason="丢了", origin=own_origin("member"))
        return answer | {"was_paid": paid.is_set()}

    verbs = (pay, report)
    payment, loss = at_once(2, lambda i: verbs[i](i))
    assert payment == {"is_waited_for": True}
    assert (loss["state"], loss["was_paid"]) == ("lost", True)


def test_who_leaves_is_not_left_with_a_replacement(card):
    """Closing has the member's row and then closes his cards: a replacement made beside it would be one too many."""
    leaving = Event()

    def close(_: int) -> Answer:
        with transaction.atomic():
            member = locked(card.member)
            leaving.set()
            is_waited_for = somebody_waits_for_us()
            closing.close(member, reason="", origin=own_origin("member"))
        return {"is_waited_for": is_waited_for}

    def replace(_: int) -> Answer:
        leaving.wait(10)
        return cards.replace(card, reason="补卡", origin=own_origin("desk"))

    verbs = (close, replace)
    answers = at_once(2, lambda i: verbs[i](i))
    assert (answers[0], refusals(answers)) == ({"is_waited_for": True}, [MemberClosed])
    assert list(Card.objects.values_list("state", flat=True)) == ["closed"]


def test_the_clock_passes_by_a_card_that_pays_and_comes_again(card):
    Card.objects.filter(pk=card.pk).update(expires_at=card.activated_at)
    paying, done = Event(), Event()

    def pay(_: int) -> Answer:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT state FROM members_card WHERE id = %s FOR SHARE", [card.pk])
            paying.set()
            assert done.wait(10)
        return {}

    def mark(_: int) -> Answer:
        assert paying.wait(10)
        try:
            return {"expired": cards.expire_due(timezone.now())}
        finally:
            done.set()

    verbs = (pay, mark)
    assert at_once(2, lambda i: verbs[i](i))[1] == {"expired": 0}
    assert cards.expire_due(timezone.now()) == 1


def somebody_waits_for_us() -> bool:
    """Looks until a session waits for a lock of this one; five seconds at most."""
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
                " AND pg_backend_pid() = ANY(pg_blocking_pids(pid))), pg_sleep(0.01)"
            )
            if cursor.fetchone()[0]:
                return True
            cursor.execute("SELECT pg_stat_clear_snapshot()")
    return False
