"""Real connections at once: a card is blocked while tills spend with it; two tills spend its day's limit."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from benefits.interfaces import Checkout
from benefits.services import checkout
from loyalty.errors import CardLimitExceeded, CardNotUsable
from loyalty.interfaces import DraftLine, PurchaseDraft
from loyalty.models import Account, CardAllowance, Hold, Purchase, Transaction
from loyalty.services import cards as spending
from loyalty.services import points
from loyalty.services.verify import violations
from members.errors import Refused
from members.interfaces import Answer, Origin
from members.models import Card
from members.services import cards
from members.services.organisation import own_origin
from tests.cast import Cast, build_cast
from tests.factories import CardTypeFactory, MemberFactory
from tests.points import give_points

pytestmark = pytest.mark.django_db(transaction=True)

TILLS = 6


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return build_cast()


@pytest.fixture
def card(cast: Cast) -> Card:
    """A child's card on the account of a mother with 100,000 points."""
    card_type = CardTypeFactory(org_unit=cast.group, kind="supplementary")
    CardAllowance.objects.create(card_type=card_type, asset="points")
    mother, child = (MemberFactory(businesses=[cast.mall]) for _ in range(2))
    give_points(mother, 100_000, cast.mall)
    answer = cards.issue_to(child, card_type, org_unit=cast.mall, principal=mother, origin=own_origin("desk"))
    return cards.find(answer["number"], actor=cast.sees_all)


def origin(cast: Cast) -> Origin:
    return own_origin("desk", store=cast.mall_1)


def burn(cast: Cast, card: Card) -> Answer:
    return points.burn(card.principal, 10, card=card, origin=origin(cast))


def hold_and_capture(cast: Cast, card: Card) -> Answer:
    until = timezone.now() + timedelta(hours=1)
    held = points.hold(card.principal, 10, until=until, card=card, origin=origin(cast))
    return points.capture(Hold.objects.get(pk=held["id"]), origin=origin(cast))["transaction"]


def buy(cast: Cast, card: Card) -> Answer:
    """A purchase that spends nothing of the account: the card identifies, and earns."""
    now = timezone.now()
    draft = PurchaseDraft(card.principal, cast.mall_1, now, (DraftLine(1_000),), origin(cast).reference, card=card)
    return checkout.commit(Checkout(draft), origin=origin(cast))


WAYS: tuple[Callable[[Cast, Card], Answer], ...] = (burn, hold_and_capture, buy)


@pytest.mark.parametrize("block", [cards.report_lost, cards.freeze, cards.close])
def test_nothing_is_spent_with_a_card_after_it_was_blocked(cast: Cast, card: Card, block) -> None:
    """Six tills spend in every way without a pause; each says what had been known before it began.

    `blocked` is set once the block has committed: whatever begins after that is refused, in every way of spending, and
    the last thing that the database has written with the card is older than the block.
    """
    blocked, started = threading.Event(), threading.Barrier(TILLS + 1)

    def till(number: int) -> list[tuple[bool, Answer | Refused]]:
        done = []
        try:
            started.wait(10)
            while len([after for after, _ in done if after]) < 3:  # three tries each after the block
                was_blocked = blocked.is_set()
                try:
                    done.append((was_blocked, WAYS[number % len(WAYS)](cast, card)))
                except Refused as refusal:
                    done.append((was_blocked, refusal))
            return done
        finally:
            connections.close_all()

    with ThreadPoolExecutor(TILLS) as pool:
        tills = [pool.submit(till, number) for number in range(TILLS)]
        started.wait(10)
        _until(lambda: Transaction.objects.filter(card=card).count() > TILLS)  # let them get going
        block(card, reason="被盗", origin=origin(cast))
        spent_until_then = _last_written(card)
        blocked.set()
        results = [result for future in tills for result in future.result(timeout=60)]

    assert [answer for after, answer in results if after and not isinstance(answer, CardNotUsable)] == []
    assert {type(answer) for _, answer in results if isinstance(answer, Refused)} == {CardNotUsable}
    assert _last_written(card) == spent_until_then
    _adds_up(card, [answer for _, answer in results if isinstance(answer, dict)])


def test_who_waits_for_the_block_is_refused(cast: Cast, card: Card) -> None:
    """Made by hand: the block stands uncommitted, a payment begins and waits; the block commits."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            cards.report_lost(card, reason="被盗", origin=origin(cast))
            payment = pool.submit(_closing, burn, cast, card)
            _until(_somebody_waits_for_a_lock)
            assert not payment.done()
        with pytest.raises(CardNotUsable):
            payment.result(timeout=30)
    assert not Transaction.objects.filter(card=card).exists()


def test_the_block_waits_for_a_payment_under_way(cast: Cast, card: Card) -> None:
    """The other way about: the payment has the card, the block waits, and both are done."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            burn(cast, card)
            block = pool.submit(_closing, lambda *_: cards.freeze(card, reason="可疑", origin=origin(cast)))
            _until(_somebody_waits_for_a_lock)
            assert not block.done()
            assert Card.objects.get(pk=card.pk).is_active
        block.result(timeout=30)
    assert Card.objects.get(pk=card.pk).state == "frozen"
    assert Account.objects.get(member=card.principal).balance == 99_990


def test_many_tills_never_exceed_the_limit_of_the_day(cast: Cast, card: Card) -> None:
    spending.limit(card, "points", per_use=0, per_day=100, origin=origin(cast))

    def till(number: int) -> Answer | Refused:
        try:
            return (burn, hold_and_capture)[number % 2](cast, card)
        except Refused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(TILLS) as pool:
        answers = list(pool.map(till, range(24)))
    done = [answer for answer in answers if isinstance(answer, dict)]
    assert {type(answer) for answer in answers if isinstance(answer, Refused)} == {CardLimitExceeded}
    assert (len(done), Account.objects.get(member=card.principal).balance) == (10, 99_900)
    assert spending.room(card, "points", at=timezone.now()).left == 0
    _adds_up(card, done)


def test_a_lower_limit_holds_for_whoever_comes_after_it(cast: Cast, card: Card) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            spending.limit(card, "points", per_use=5, per_day=0, origin=origin(cast))
            payment = pool.submit(_closing, burn, cast, card)
            _until(_somebody_waits_for_a_lock)
        with pytest.raises(CardLimitExceeded):
            payment.result(timeout=30)
    assert not Transaction.objects.filter(card=card).exists()


def test_blocking_and_paying_never_lock_each_other_out(cast: Cast, card: Card) -> None:
    """Batches that pay with two cards in opposite orders, while both are lost and found again, over and over."""
    card_type = card.card_type
    second = cards.issue_to(
        MemberFactory(), card_type, org_unit=cast.mall, principal=card.principal, origin=own_origin("desk")
    )
    pair = [card, cards.find(second["number"], actor=cast.sees_all)]

    def batch(number: int) -> int:
        chosen = pair if number % 2 else pair[::-1]
        items = []
        for one in chosen:
            place = origin(cast)
            draft = PurchaseDraft(one.principal, cast.mall_1, place.at, (DraftLine(100),), place.reference, card=one)
            items.append((Checkout(draft), place))
        results = checkout.record_batch(items)
        assert {result["error"]["code"] for result in results if "error" in result} <= {"card_not_usable"}
        return sum("answer" in result for result in results)

    def lose_and_find(number: int) -> int:
        one = pair[number % 2]
        try:
            cards.report_lost(one, reason="不见了", origin=origin(cast))
            cards.recover(one, reason="找到了", origin=origin(cast))
        except Refused:  # the other one was quicker
            return 0
        return 0

    def act(number: int) -> int:
        return _closing(lose_and_find if number % 3 == 0 else batch, number)

    with ThreadPoolExecutor(TILLS) as pool:
        bought = sum(pool.map(act, range(30)))
    assert Purchase.objects.filter(card__in=pair).count() == bought > 0


def _closing(verb: Callable, *args):
    """On a thread of its own: its connection ends with it."""
    try:
        return verb(*args)
    finally:
        connections.close_all()


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(4_000):
        if condition():
            return
        time.sleep(0.005)
    pytest.fail("that never happened")


def _somebody_waits_for_a_lock() -> bool:
    """As the server tells, which within a transaction would else remember its first answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


def _last_written(card: Card) -> tuple[int, int, int]:
    """How much the database has of what was done with the card: transactions, holds, purchases."""
    return (
        Transaction.objects.filter(card=card).count(),
        Hold.objects.filter(card=card).count(),
        Purchase.objects.filter(card=card).count(),
    )


def _adds_up(card: Card, answers: list[Answer]) -> None:
    """What was accepted is what was written, and the ledger is in order."""
    spent = [answer for answer in answers if answer.get("kind") in ("burn", "capture")]
    written = Transaction.objects.filter(card=card, kind__in=("burn", "capture"))
    assert sorted(written.values_list("pk", flat=True)) == sorted(answer["id"] for answer in spent)
    earned = Transaction.objects.filter(account__member=card.principal, account__asset="points", quantity__gt=0)
    given = sum(earned.values_list("quantity", flat=True))
    account = Account.objects.get(member=card.principal, asset="points")
    assert account.balance + account.held == given - 10 * len(spent)
    assert [violation for _, violation in violations() if violation] == []
