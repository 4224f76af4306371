"""Lots of two members become lots of one, keep what they are, and come back as far as they are still there."""

from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefits.services import checkout
from loyalty.errors import HoldsOpen, NotEnoughPoints, NotReversible
from loyalty.models import Account, Asset, AssetPolicy, Lot, Purchase, Transaction
from loyalty.services import clock, merging, points, terms
from loyalty.services.verify import violations
from members.interfaces import Answer, Origin
from members.models import Member
from members.services.memory import Memory
from members.services.requests import idempotent
from settlement.models import Journal
from settlement.services.collect import collect
from tests.benefits.shop import LONG_AGO, Shop
from tests.cast import Cast
from tests.settlement.world import assert_sound


@idempotent("test.merge")
def merge_assets(loser: Member, winner: Member, *, origin: Origin) -> Answer:
    return merging.merge(loser, winner, origin)


@idempotent("test.undo")
def undo_assets(loser: Member, winner: Member, moved: Answer, *, origin: Origin) -> Answer:
    merging.undo(loser, winner, moved, origin)
    return {}


@pytest.fixture
def shop(cast: Cast) -> Shop:
    shop = Shop(cast)
    shop.loser = shop.member
    shop.winner = shop.new_member()
    return shop


@pytest.fixture
def cast_in_savepoint(cast: Cast):
    @contextmanager
    def examples_do_not_see_each_other():
        start = transaction.savepoint()
        try:
            yield cast
        finally:
            transaction.savepoint_rollback(start)
            Memory.forget_all()

    return examples_do_not_see_each_other


def merge(shop: Shop) -> Answer:
    moved = merge_assets(shop.loser, shop.winner, origin=shop.origin())
    Member.objects.filter(pk=shop.loser.pk).update(status="merged", merged_into=shop.winner)
    return moved


def undo(shop: Shop, moved: Answer) -> None:
    undo_assets(shop.loser, shop.winner, moved, origin=shop.origin())
    Member.objects.filter(pk=shop.loser.pk).update(status="active", merged_into=None)


def of(member: Member, asset: str = "points") -> tuple[int, int, int]:
    """balance, pending, held"""
    account = Account.objects.filter(member=member, asset=asset).first() or Account()
    return account.balance, account.pending, account.held


def lots(member: Member) -> list[tuple]:
    left = Lot.objects.filter(account__member=member).exclude(remaining=0).order_by("pk")
    return list(left.values_list("issuer__code", "remaining", "unit_price", "earned_at", "expires_at", "activated_at"))


def policy(shop: Shop, **facts) -> None:
    AssetPolicy.objects.create(name="政策", org_unit=shop.cast.group, starts_at=LONG_AGO, **facts)
    terms.forget()


def assert_whole() -> None:
    assert [violation for _, violation in violations() if violation] == []


def earn(shop: Shop, member: Member, quantity: int, issuer, **more) -> Answer:
    return points.earn(member, quantity, issuer=issuer, origin=shop.origin(), **more)


def test_lots_move_with_issuer_price_and_dates(shop: Shop):
    policy(shop, lasts=12, unit="months", align="month")
    later = shop.at + timedelta(days=7)
    earn(shop, shop.loser, 100, shop.cast.hotel)
    earn(shop, shop.loser, 40, shop.cast.mall, available_at=later)
    earn(shop, shop.loser, 7, shop.cast.mall, asset=Asset.GROWTH)
    earn(shop, shop.winner, 5, shop.cast.cvs)
    had, kept = lots(shop.loser), lots(shop.winner)
    merge(shop)
    assert lots(shop.loser) == []
    assert lots(shop.winner) == kept + had
    assert of(shop.winner) == (105, 40, 0)
    assert of(shop.winner, "growth") == (7, 0, 0)
    assert of(shop.loser) == (0, 0, 0)
    kinds = Transaction.objects.filter(kind="merge").order_by("pk").values_list("account__member", "quantity")
    assert list(kinds) == [
        (shop.loser.pk, -140), (shop.winner.pk, 140), (shop.loser.pk, -7), (shop.winner.pk, 7),
    ]  # fmt: skip
    clock.activate_due(later)
    assert of(shop.winner) == (145, 0, 0)
    assert_whole()


def test_an_open_hold_refuses_and_nothing_moves(shop: Shop):
    earn(shop, shop.loser, 100, shop.cast.mall)
    held = points.hold(shop.loser, 30, until=shop.at + timedelta(hours=1), origin=shop.origin())
    with pytest.raises(HoldsOpen) as refusal:
        merge(shop)
    assert refusal.value.details == {"holds": [held["id"]]}
    assert f"#{held['id']}" in str(refusal.value.message)
    assert of(shop.loser) == (70, 0, 30)
    assert not Transaction.objects.filter(kind="merge").exists()


@pytest.mark.parametrize("debtor", ["loser", "winner"])
def test_debt_moves_as_debt_and_is_met(shop: Shop, debtor: str):
    owing, other = getattr(shop, debtor), shop.winner if debtor == "loser" else shop.loser
    given = earn(shop, owing, 100, shop.cast.hotel)
    points.burn(owing, 70, origin=shop.origin())
    points.reverse(Transaction.objects.get(pk=given["id"]), reason="错发", origin=shop.origin())
    assert of(owing) == (-70, 0, 0)
    earn(shop, other, 50, shop.cast.mall)
    merge(shop)
    assert of(shop.winner) == (-20, 0, 0)
    assert_whole()
    collect()
    assert_sound()


def test_what_has_lapsed_and_is_not_swept_lapses_before_it_could_stand_beside_debt(shop: Shop):
    policy(shop, lasts=5, unit="days", align="day", shortfall="debt")
    earn(shop, shop.winner, 30, shop.cast.mall)
    shop.at += timedelta(days=20)
    given = earn(shop, shop.loser, 10, shop.cast.mall)
    points.burn(shop.loser, 10, origin=shop.origin())
    points.reverse(Transaction.objects.get(pk=given["id"]), reason="错发", origin=shop.origin())
    merge(shop)
    assert of(shop.winner) == (-10, 0, 0)
    assert_whole()


def test_refund_after_the_merge_restores_and_claws_back_to_the_point(shop: Shop):
    earn(shop, shop.loser, 500, shop.cast.hotel)
    bought = shop.buy(20_000, points=300)  # 200.00, of which 300 points pay 3.00: earns 197
    assert bought["points_earned"] == 197
    assert of(shop.loser) == (397, 0, 0)
    merge(shop)
    assert Purchase.objects.get().member == shop.winner
    answer = shop.refund(bought, amount=10_000)
    assert (answer["points_restored"], answer["points_clawed_back"]) == (150, 99)
    assert of(shop.winner) == (397 + 150 - 99, 0, 0)
    answer = shop.refund(bought, whole=True)
    assert (answer["points_restored"], answer["points_clawed_back"]) == (150, 98)
    assert of(shop.winner) == (500, 0, 0)
    assert [(issuer, left) for issuer, left, *_ in lots(shop.winner)] == [
        ("HOTEL", 200), ("HOTEL", 150), ("HOTEL", 150),
    ]  # fmt: skip
    assert of(shop.loser) == (0, 0, 0)
    assert_whole()
    collect()
    assert_sound()


def test_refund_after_the_undo_is_as_if_nothing_had_been(shop: Shop):
    earn(shop, shop.loser, 500, shop.cast.hotel)
    bought = shop.buy(20_000, points=300)
    earn(shop, shop.winner, 1, shop.cast.mall)
    moved = merge(shop)
    shop.refund(bought, amount=10_000)  # half of it while merged: restored and clawed back there, and given back too
    undo(shop, moved)
    assert of(shop.loser) == (448, 0, 0)
    assert of(shop.winner) == (1, 0, 0)
    shop.refund(bought, whole=True)
    assert of(shop.loser) == (500, 0, 0)
    assert of(shop.winner) == (1, 0, 0)
    assert_whole()
    collect()
    assert_sound()


def test_pending_points_are_clawed_back_wherever_they_have_got_to(shop: Shop):
    shop.rule.pending_days = 7
    shop.rule.save()
    terms.forget()
    first, second, third = shop.buy(10_000), shop.buy(20_000), shop.buy(30_000)
    moved = merge(shop)
    assert of(shop.winner) == (0, 600, 0)
    shop.refund(first, whole=True)  # pending with the winner
    assert of(shop.winner) == (0, 500, 0)
    shop.at += timedelta(days=10)
    clock.activate_due(shop.at)
    shop.refund(second, amount=5_000)  # active with the winner
    assert of(shop.winner) == (450, 0, 0)
    undo(shop, moved)
    shop.refund(second, whole=True)  # active with the loser again
    shop.refund(third, whole=True)
    assert of(shop.loser) == (0, 0, 0)
    assert of(shop.winner) == (0, 0, 0)
    assert_whole()
    collect()
    assert_sound()


def test_undo_gives_back_what_is_left_and_what_is_spent_or_held_stays(shop: Shop):
    earn(shop, shop.loser, 100, shop.cast.hotel)
    shop.at += timedelta(hours=1)
    earn(shop, shop.winner, 50, shop.cast.mall)
    moved = merge(shop)
    points.burn(shop.winner, 60, origin=shop.origin())  # of the older lot, which came from the loser
    held = points.hold(shop.winner, 10, until=shop.at + timedelta(hours=1), origin=shop.origin())
    undo(shop, moved)
    assert of(shop.loser) == (30, 0, 0)
    assert of(shop.winner) == (50, 0, 10)
    points.release(shop.winner.accounts.get(asset="points").holds.get(pk=held["id"]), origin=shop.origin())
    assert of(shop.winner) == (60, 0, 0)
    assert_whole()


def test_chains_merge_and_come_apart_again(shop: Shop):
    a, b, c = shop.loser, shop.winner, shop.new_member()
    earn(shop, a, 10, shop.cast.hotel)
    shop.at += timedelta(hours=1)
    earn(shop, b, 200, shop.cast.mall)
    first = merge(shop)
    shop.loser, shop.winner = b, c
    second = merge(shop)
    assert of(c) == (210, 0, 0)
    points.burn(a, 5, origin=shop.origin())  # a stale reference to the first loser spends where he is now
    assert of(c) == (205, 0, 0)
    undo(shop, second)
    assert (of(b), of(c)) == ((205, 0, 0), (0, 0, 0))
    shop.loser, shop.winner = a, b
    undo(shop, first)
    assert (of(a), of(b)) == ((5, 0, 0), (200, 0, 0))
    assert_whole()


def test_a_grant_of_the_loser_is_reversed_at_the_winner(shop: Shop):
    given = earn(shop, shop.loser, 100, shop.cast.hotel)
    burned = points.burn(shop.loser, 40, origin=shop.origin())
    merge(shop)
    points.reverse(Transaction.objects.get(pk=burned["id"]), reason="退回", origin=shop.origin())
    assert of(shop.winner) == (100, 0, 0)
    points.reverse(Transaction.objects.get(pk=given["id"]), reason="错发", origin=shop.origin())
    assert of(shop.winner) == (0, 0, 0)
    with pytest.raises(NotEnoughPoints):
        points.burn(shop.loser, 1, origin=shop.origin())
    assert_whole()


def test_settlement_journals_nothing_for_a_merge(shop: Shop):
    earn(shop, shop.loser, 100, shop.cast.hotel)
    collect()
    before = list(Journal.objects.values_list("pk", "event"))
    moved = merge(shop)
    assert collect().entries == 0
    points.burn(shop.winner, 30, amount=30, origin=shop.origin())
    collect()
    assert list(Journal.objects.exclude(pk__in=[pk for pk, _ in before]).values_list("event", flat=True)) == ["burn"]
    undo(shop, moved)
    assert collect().entries == 0
    points.burn(shop.loser, 70, amount=70, origin=shop.origin())
    collect()
    assert_sound()


def test_the_batch_takes_a_merged_member_s_purchase_to_the_winner(shop: Shop):
    basket = shop.basket(5_000)
    merge(shop)
    [answer] = checkout.record_batch([(basket, shop.origin())])
    assert Purchase.objects.get(pk=answer["answer"]["id"]).member == shop.winner
    assert of(shop.winner) == (50, 0, 0)


steps = st.lists(
    st.tuples(
        st.sampled_from(["earn", "pending", "burn", "hold", "release", "reverse", "days", "merge", "undo"]),
        st.booleans(),  # whose
        st.integers(1, 90),
    ),
    min_size=5,
    max_size=16,
)


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(steps=steps, shortfall=st.sampled_from(["debt", "within_balance", "only_pending"]))
def test_any_order_of_merges_and_undoings_keeps_the_ledger_and_the_books_whole(cast_in_savepoint, steps, shortfall):
    with cast_in_savepoint() as cast:
        shop = Shop(cast)
        shop.at, shop.loser, shop.winner = timezone.now(), shop.member, shop.new_member()
        policy(shop, lasts=6, unit="days", align="day", shortfall=shortfall, restore_days=2)
        moved = None
        for verb, of_loser, quantity in steps:
            moved = _step(shop, verb, shop.loser if of_loser else shop.winner, quantity, moved)
            assert_whole()
        collect()
        assert_sound()


def _step(shop: Shop, verb: str, member: Member, quantity: int, moved: Answer | None) -> Answer | None:
    before = _everything()
    if verb in ("earn", "pending"):
        at = shop.at + timedelta(days=2) if verb == "pending" else None
        earn(shop, member, quantity, shop.cast.hotel if quantity % 2 else shop.cast.mall, available_at=at)
    elif verb == "burn":
        try:
            points.burn(member, quantity, amount=quantity, origin=shop.origin())
        except NotEnoughPoints:
            assert _everything() == before
    elif verb == "hold":
        with suppress(NotEnoughPoints):
            until = shop.at + timedelta(days=3)
            points.hold(member, min(quantity, 20), until=until, origin=shop.origin())
    elif verb == "release":
        clock.release_overdue_holds(shop.at + timedelta(days=quantity % 5))
    elif verb == "reverse":
        _reverse(shop, quantity)
    elif verb == "days":
        shop.at += timedelta(days=1 + quantity % 3)
        clock.activate_due(shop.at)
        if quantity % 2:  # now and then the clock is late with it
            clock.expire_due(shop.at)
    elif verb == "merge" and moved is None and of(shop.loser)[2]:
        with pytest.raises(HoldsOpen):
            merge(shop)
    elif verb == "merge" and moved is None:
        moved = merge(shop)
        assert of(shop.loser) == (0, 0, 0)
        assert _everything() <= before
    elif verb == "undo" and moved is not None:
        undo(shop, moved)
        moved = None
        assert _everything() <= before
    return moved


def _reverse(shop: Shop, which: int) -> None:
    done = list(Transaction.objects.filter(kind__in=("earn", "burn")).order_by("pk"))
    if not done:
        return
    with suppress(NotReversible):
        points.reverse(done[which % len(done)], reason="撤销", origin=shop.origin())


def _everything() -> int:
    return sum(account.balance + account.pending + account.held for account in Account.objects.all())
