"""The verbs of the ledger, one by one, with exact values."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db import transaction as db_transaction
from django.utils import timezone

from loyalty.errors import (
    HoldNotOpen,
    HoldTimedOut,
    LotHasLess,
    NotEnoughPoints,
    NotReversible,
    ReasonMissing,
)
from loyalty.models import Account, AssetPolicy, Entry, Hold, Lot, PointsPrice, Transaction
from loyalty.services import clock, points, terms
from members.errors import ReferenceReused
from members.interfaces import Origin
from members.services.organisation import own_channel
from tests.cast import Cast
from tests.factories import MemberFactory

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 10, 12, tzinfo=SHANGHAI)


class Ledger:
    """One member's points, moved through the verbs; `at` is both business time and posting time."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.member = MemberFactory(businesses=[cast.mall, cast.hotel])
        self.at = NOW

    def origin(self, reference: str = "", **facts) -> Origin:
        facts = {"business": self.cast.mall, "store": self.cast.mall_1, "at": self.at, "posted_at": self.at} | facts
        return Origin(channel=own_channel("desk"), reference=reference or uuid4().hex, **facts)

    def earn(self, quantity: int, **options) -> dict:
        options = {"issuer": self.cast.mall, "origin": self.origin()} | options
        return points.earn(self.member, quantity, **options)

    def burn(self, quantity: int, **options) -> dict:
        return points.burn(self.member, quantity, **({"origin": self.origin()} | options))

    @property
    def account(self) -> Account:
        return Account.objects.get(member=self.member, asset="points")

    @property
    def state(self) -> tuple[int, int, int]:
        """Balance, pending, held."""
        account = self.account
        return account.balance, account.pending, account.held

    def lots(self) -> list[int]:
        return list(Lot.objects.filter(account=self.account).order_by("pk").values_list("remaining", flat=True))


@pytest.fixture
def ledger(cast: Cast) -> Ledger:
    PointsPrice.objects.create(issuer=cast.group, price=5, starts_at=datetime(2020, 1, 1, tzinfo=SHANGHAI))
    return Ledger(cast)


@pytest.fixture(autouse=True)
def _proven(db: None):
    """Whatever a test did, the ledger must be whole afterwards."""
    yield
    call_command("verify_ledger", stdout=open("/dev/null", "w"))  # noqa: SIM115


def policy(cast: Cast, **facts) -> AssetPolicy:
    made = AssetPolicy.objects.create(
        **{
            "name": "积分政策",
            "org_unit": cast.group,
            "starts_at": datetime(2020, 1, 1, tzinfo=SHANGHAI),
            "lasts": 12,
            "unit": "months",
            "align": "month",
        }
        | facts
    )
    terms.forget()
    return made


def test_an_earn_makes_one_lot_with_issuer_price_and_expiry(ledger: Ledger):
    policy(ledger.cast)
    answer = ledger.earn(100)
    lot = Lot.objects.get()
    assert (lot.issuer, lot.unit_price, lot.quantity, lot.remaining) == (ledger.cast.mall, Decimal(5), 100, 100)
    assert lot.expires_at == datetime(2027, 4, 1, tzinfo=SHANGHAI)
    assert (answer["quantity"], answer["balance"], answer["lots"][0]["issuer"]) == (100, 100, "MALL")


def test_a_burn_takes_what_expires_soonest_then_the_oldest(ledger: Ledger):
    soon, late = (
        policy(ledger.cast, org_unit=unit, lasts=lasts)
        for unit, lasts in ((ledger.cast.hotel, 1), (ledger.cast.mall, 6))
    )
    assert soon.lasts < late.lasts
    ledger.earn(100)
    ledger.earn(100, issuer=ledger.cast.hotel)
    ledger.earn(100)
    ledger.burn(250)
    assert ledger.lots() == [0, 0, 50]
    taken = Entry.objects.filter(transaction__kind="burn").order_by("pk")
    assert [(entry.lot.issuer.code, entry.quantity) for entry in taken] == [
        ("HOTEL", -100),
        ("MALL", -100),
        ("MALL", -50),
    ]


def test_too_large_a_burn_is_refused_and_changes_nothing(ledger: Ledger):
    ledger.earn(100)
    with pytest.raises(NotEnoughPoints):
        ledger.burn(101)
    assert ledger.state == (100, 0, 0)
    assert Transaction.objects.filter(kind="burn").count() == 0


def test_expired_points_can_not_be_spent_before_the_sweep(ledger: Ledger):
    policy(ledger.cast, lasts=1, unit="days", align="day")
    ledger.earn(100)
    ledger.at += timedelta(days=2)
    with pytest.raises(NotEnoughPoints):
        ledger.burn(1)


def test_the_same_reference_answers_the_same_and_other_content_is_refused(ledger: Ledger):
    first = ledger.earn(100, origin=ledger.origin("r1", input_hash="a"))
    assert ledger.earn(100, origin=ledger.origin("r1", input_hash="a")) == first
    with pytest.raises(ReferenceReused):
        ledger.earn(200, origin=ledger.origin("r1", input_hash="b"))
    assert ledger.state == (100, 0, 0)


def test_pending_points_wait_for_their_day(ledger: Ledger):
    ledger.earn(100, available_at=NOW + timedelta(days=7))
    assert ledger.state == (0, 100, 0)
    with pytest.raises(NotEnoughPoints):
        ledger.burn(1)
    assert clock.activate_due(NOW + timedelta(days=6)).quantity == 0
    assert clock.activate_due(NOW + timedelta(days=7)).quantity == 100
    assert ledger.state == (100, 0, 0)
    assert clock.activate_due(NOW + timedelta(days=8)).quantity == 0


def test_a_hold_is_captured_in_part_and_the_rest_released(ledger: Ledger):
    ledger.earn(100)
    held = Hold.objects.get(
        pk=points.hold(ledger.member, 60, until=NOW + timedelta(hours=1), origin=ledger.origin())["id"]
    )
    assert ledger.state == (40, 0, 60)
    points.capture(held, 25, origin=ledger.origin())
    assert ledger.state == (75, 0, 0)
    with pytest.raises(HoldNotOpen):
        points.release(held, origin=ledger.origin())


def test_a_hold_is_released_by_the_clock_and_not_captured_after(ledger: Ledger):
    ledger.earn(100)
    held = Hold.objects.get(
        pk=points.hold(ledger.member, 60, until=NOW + timedelta(hours=1), origin=ledger.origin())["id"]
    )
    ledger.at += timedelta(hours=1)
    with pytest.raises(HoldTimedOut):
        points.capture(held, origin=ledger.origin())
    assert clock.release_overdue_holds(ledger.at) == 1
    assert ledger.state == (100, 0, 0)
    held.refresh_from_db()
    assert held.state == Hold.State.TIMED_OUT


def test_held_points_outlive_expiry_and_lapse_on_release(ledger: Ledger):
    policy(ledger.cast, lasts=1, unit="days", align="day")
    ledger.earn(100)
    held = Hold.objects.get(
        pk=points.hold(ledger.member, 60, until=NOW + timedelta(days=9), origin=ledger.origin())["id"]
    )
    ledger.at += timedelta(days=3)
    assert clock.expire_due(ledger.at).quantity == 40
    points.capture(held, 20, origin=ledger.origin())
    assert ledger.state == (0, 0, 0)
    assert Transaction.objects.filter(kind="expire").count() == 2


def test_expiry_says_beforehand_what_it_would_take(ledger: Ledger):
    policy(ledger.cast, lasts=1, unit="days", align="day")
    ledger.earn(100)
    assert clock.due_expiry(NOW) == clock.Total(0, 0)
    later = NOW + timedelta(days=2)
    assert clock.due_expiry(later) == clock.Total(accounts=1, quantity=100)
    assert clock.expire_due(later) == clock.Total(accounts=1, quantity=100)
    assert clock.expire_due(later) == clock.Total(0, 0)


def test_an_operator_expires_part_of_a_lot_with_a_reason(ledger: Ledger):
    ledger.earn(100)
    lot = Lot.objects.get()
    with pytest.raises(ReasonMissing):
        points.expire(lot, 10, reason=" ", origin=ledger.origin())
    with pytest.raises(LotHasLess):
        points.expire(lot, 101, reason="更正", origin=ledger.origin())
    points.expire(lot, 30, reason="更正", origin=ledger.origin())
    assert ledger.state == (70, 0, 0)


def test_an_adjustment_needs_a_reason_and_moves_both_ways(ledger: Ledger):
    with pytest.raises(ReasonMissing):
        points.adjust(ledger.member, 10, reason="", issuer=ledger.cast.group, origin=ledger.origin())
    points.adjust(ledger.member, 50, reason="补偿", issuer=ledger.cast.group, origin=ledger.origin())
    points.adjust(ledger.member, -20, reason="更正", issuer=ledger.cast.group, origin=ledger.origin())
    assert ledger.state == (30, 0, 0)


def test_reversing_an_earn_that_was_spent_leaves_debt_that_the_next_earn_cures(ledger: Ledger):
    earned = ledger.earn(100)
    ledger.burn(80)
    transaction = Transaction.objects.get(pk=earned["id"])
    points.reverse(transaction, reason="误发", origin=ledger.origin())
    assert ledger.state == (-80, 0, 0)
    assert ledger.lots() == [0, -80]
    ledger.earn(30)
    assert (ledger.state, ledger.lots()) == ((-50, 0, 0), [0, -50, 0])
    ledger.earn(100)
    assert (ledger.state, ledger.lots()) == ((50, 0, 0), [0, 0, 0, 50])
    with pytest.raises(NotReversible):
        points.reverse(transaction, reason="再来", origin=ledger.origin())


@pytest.mark.parametrize(("shortfall", "balance", "leaked"), [("within_balance", 0, 80), ("only_pending", 20, 100)])
def test_what_a_policy_does_not_claw_back_is_recorded(ledger: Ledger, shortfall: str, balance: int, leaked: int):
    policy(ledger.cast, shortfall=shortfall)
    earned = ledger.earn(100)
    ledger.burn(80)
    transaction = Transaction.objects.get(pk=earned["id"])
    answer = points.reverse(transaction, reason="误发", origin=ledger.origin())
    assert (answer["shortfall"], answer["balance"]) == (leaked, balance)
    with pytest.raises(NotReversible):
        points.reverse(transaction, reason="再来", origin=ledger.origin())


def test_a_pending_earn_is_clawed_back_from_itself(ledger: Ledger):
    earned = ledger.earn(100, available_at=NOW + timedelta(days=7))
    points.reverse(Transaction.objects.get(pk=earned["id"]), reason="误发", origin=ledger.origin())
    assert (ledger.state, ledger.lots()) == ((0, 0, 0), [0])


def test_reversing_a_burn_goes_back_to_the_lots_it_took(ledger: Ledger):
    ledger.earn(100)
    ledger.earn(100, issuer=ledger.cast.hotel)
    burned = ledger.burn(150)
    points.reverse(Transaction.objects.get(pk=burned["id"]), reason="撤销", origin=ledger.origin())
    assert (ledger.state, ledger.lots()) == ((200, 0, 0), [100, 100])


@pytest.mark.parametrize(("restore_days", "balance"), [(30, 60), (0, 0)])
def test_restoring_into_an_expired_lot_makes_a_child_that_lasts_a_little(
    ledger: Ledger, restore_days: int, balance: int
):
    policy(ledger.cast, lasts=1, unit="days", align="day", restore_days=restore_days)
    ledger.earn(100)
    burned = ledger.burn(60)
    ledger.at += timedelta(days=3)
    points.reverse(Transaction.objects.get(pk=burned["id"]), reason="撤销", origin=ledger.origin())
    parent, child = Lot.objects.order_by("pk")
    assert (child.parent, child.issuer, child.unit_price, child.earned_at) == (
        parent,
        parent.issuer,
        parent.unit_price,
        NOW,
    )
    assert ledger.state == (balance + 40, 0, 0)  # 40 of the first lot have expired and wait for the sweep
    if restore_days:
        assert child.expires_at == datetime(2026, 4, 13, tzinfo=SHANGHAI)  # 30 days after 13 March, the last one whole


def test_growth_has_no_price_and_claws_back_to_zero_only(ledger: Ledger):
    policy(ledger.cast, asset="growth", unit="never", shortfall="debt")
    earned = ledger.earn(10, asset="growth")
    lot = Lot.objects.get(account__asset="growth")
    assert lot.unit_price == 0
    points.expire(lot, 4, reason="回收", origin=ledger.origin())
    answer = points.reverse(Transaction.objects.get(pk=earned["id"]), reason="误发", origin=ledger.origin())
    assert (answer["quantity"], answer["shortfall"], answer["balance"]) == (-6, 4, 0)


@pytest.mark.parametrize("table", ["loyalty_entry", "loyalty_transaction"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET quantity = 1", "DELETE FROM {}"])
def test_what_was_written_stays_written(ledger: Ledger, table: str, statement: str):
    ledger.earn(100)
    with pytest.raises(DatabaseError, match="insert-only"), db_transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_the_price_is_the_issuers_own_from_its_date(ledger: Ledger):
    PointsPrice.objects.create(issuer=ledger.cast.hotel, price=Decimal("4.5"), starts_at=NOW)
    PointsPrice.objects.create(issuer=ledger.cast.hotel, price=Decimal("4.8"), starts_at=NOW + timedelta(days=1))
    prices = [terms.price_of(ledger.cast.hotel, "points", at) for at in (NOW - timedelta(days=1), NOW, timezone.now())]
    assert prices == [Decimal(5), Decimal("4.5"), Decimal("4.8")]
