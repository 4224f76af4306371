"""Real connections at once: one merge wins, and what the loser buys or spends meanwhile is done before or after it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from benefits.services import checkout
from loyalty.models import Account, Purchase
from loyalty.services import merging as assets
from loyalty.services import points
from loyalty.services.verify import violations
from members.errors import MemberClosed, MergeUndone, NotMergeable, Refused
from members.models import Member, Merge
from members.services import merging
from members.services.organisation import own_origin
from settlement.services.collect import collect
from tests.benefits.shop import Shop
from tests.cast import Cast, build_cast
from tests.settlement.world import assert_sound

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return build_cast()


@pytest.fixture
def shop(cast: Cast) -> Shop:
    shop = Shop(cast)
    shop.at = timezone.now()
    shop.loser, shop.winner = shop.member, shop.new_member()
    points.earn(shop.loser, 1_000, issuer=cast.hotel, origin=shop.origin())
    return shop


def at_once(*verbs: Callable[[], Any]) -> list[Any]:
    def run(verb: Callable[[], Any]) -> Any:
        try:
            return verb()
        except Refused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def merge(shop: Shop, winner: Member | None = None):
    origin = own_origin("admin", actor=shop.cast.sees_all)
    return merging.merge(shop.loser, winner or shop.winner, reason="同一人", origin=origin)


def balances(shop: Shop) -> dict[int, int]:
    return dict(Account.objects.filter(asset="points").values_list("member", "balance"))


def assert_whole() -> None:
    assert [violation for _, violation in violations() if violation] == []
    collect()
    assert_sound()


def test_of_two_merges_of_one_member_one_wins(shop: Shop):
    third = shop.new_member()
    answers = at_once(*[lambda to=to: merge(shop, to) for to in (shop.winner, third) * 3])
    done = [answer for answer in answers if isinstance(answer, dict)]
    assert len(done) == 1
    assert {type(answer) for answer in answers if answer not in done} == {NotMergeable}
    winner = Merge.objects.get().winner
    assert balances(shop) == {shop.loser.pk: 0, winner.pk: 1_000}
    assert_whole()


def test_of_two_undoings_one_is_done(shop: Shop):
    done = Merge.objects.get(pk=merge(shop)["id"])
    undo = lambda: merging.undo(done, origin=own_origin("admin", actor=shop.cast.sees_all))  # noqa: E731
    answers = at_once(undo, undo, undo)
    assert sorted(type(answer).__name__ for answer in answers) == sorted(["dict", *[MergeUndone.__name__] * 2])
    assert balances(shop) == {shop.loser.pk: 1_000, shop.winner.pk: 0}
    assert_whole()


def test_crossed_merges_do_not_deadlock(shop: Shop):
    back = lambda: merging.merge(  # noqa: E731
        shop.winner, shop.loser, reason="同一人", origin=own_origin("admin", actor=shop.cast.sees_all)
    )
    answers = at_once(lambda: merge(shop), back, lambda: merge(shop), back)
    assert len([answer for answer in answers if isinstance(answer, dict)]) == 1
    assert sum(balances(shop).values()) == 1_000
    assert_whole()


def waiting_behind(monkeypatch, merged: Callable[[], Any], verb: Callable[[], Any]) -> tuple[Any, Any]:
    """Run `verb` so that it asks for the loser's accounts while the merge holds them."""
    holds, may_end = Signal(), Signal()
    move = assets.merge

    def slowly(loser, winner, origin):
        answer = move(loser, winner, origin)
        holds.set()
        assert may_end.wait(20)
        return answer

    step = merging.merge_steps["loyalty"]
    rows = [type(step)(row.name, row.title, row.preview, slowly, row.undo) if row is step else row
            for row in merging.merge_steps]  # fmt: skip
    monkeypatch.setattr(merging.merge_steps, "_rows", {row.name: row for row in rows})

    def second() -> Any:
        assert holds.wait(20)
        return verb()

    with ThreadPoolExecutor(2) as pool:
        try:
            first, other = pool.submit(closing(merged)), pool.submit(closing(second))
            assert holds.wait(20)
            wait_until_blocked()
        finally:
            may_end.set()
        return first.result(), other.result()


def closing(verb: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        try:
            return verb()
        except Refused as refusal:
            return refusal
        finally:
            connections.close_all()

    return run


def wait_until_blocked() -> None:
    """Until one of our connections waits for another's lock."""
    for _ in range(2_000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.005)")
    raise AssertionError("nobody waits")


def test_a_purchase_that_waits_for_the_merge_is_the_winner_s(monkeypatch, shop: Shop):
    basket = shop.basket(10_000, points=500, number="behind")
    _, bought = waiting_behind(monkeypatch, lambda: merge(shop), lambda: checkout.commit(basket, origin=shop.origin()))
    purchase = Purchase.objects.get(external_number="behind")
    assert (bought["id"], purchase.member, purchase.points_used) == (purchase.pk, shop.winner, 500)
    assert balances(shop) == {shop.loser.pk: 0, shop.winner.pk: 1_000 - 500 + bought["points_earned"]}
    assert_whole()


def test_a_burn_that_waits_for_the_merge_is_the_winner_s(monkeypatch, shop: Shop):
    _, burned = waiting_behind(
        monkeypatch, lambda: merge(shop), lambda: points.burn(shop.loser, 300, origin=shop.origin())
    )
    assert (burned["member_no"], burned["balance"]) == (shop.winner.member_no, 700)
    assert balances(shop) == {shop.loser.pk: 0, shop.winner.pk: 700}
    assert_whole()


def test_a_refund_that_waits_for_the_merge_is_made_at_the_winner(monkeypatch, shop: Shop):
    bought = shop.buy(10_000, points=500)
    purchase = Purchase.objects.get(pk=bought["id"])
    _, refunded = waiting_behind(
        monkeypatch, lambda: merge(shop), lambda: checkout.refund(purchase, whole=True, origin=shop.origin())
    )
    assert refunded["points_restored"] == 500
    assert balances(shop) == {shop.loser.pk: 0, shop.winner.pk: 1_000}
    assert_whole()


def test_a_storm_of_purchases_and_burns_loses_nothing(shop: Shop):
    baskets = [shop.basket(1_000, number=f"n{i}") for i in range(6)]
    verbs = [lambda basket=basket: checkout.commit(basket, origin=shop.origin()) for basket in baskets]
    verbs[3:3] = [lambda: merge(shop)]
    verbs += [lambda: points.burn(shop.loser, 10, origin=shop.origin()) for _ in range(4)]
    answers = at_once(*verbs)
    # Who had read the loser before the merge and had no lock to wait for is told so, and asks again by his number.
    assert {type(answer) for answer in answers} <= {dict, MemberClosed}
    bought = Purchase.objects.count()
    burned = len([answer for answer in answers[7:] if isinstance(answer, dict)])
    assert bought == len([a for i, a in enumerate(answers[:7]) if i != 3 and isinstance(a, dict)])
    assert set(Purchase.objects.values_list("member", flat=True)) <= {shop.winner.pk}
    assert balances(shop) == {shop.loser.pk: 0, shop.winner.pk: 1_000 + 10 * bought - 10 * burned}
    assert_whole()


def test_the_members_rows_do_not_block_who_only_points_to_them(shop: Shop):
    """A merge holds members FOR NO KEY UPDATE: an event or a purchase of theirs doesn't wait with its accounts held."""
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=shop.loser.pk)
        [answer] = at_once(lambda: points.burn(shop.loser, 1, origin=shop.origin()))
    assert answer["balance"] == 999
