"""All verbs in any order: after every step every invariant of the ledger holds, and nothing appears from nowhere."""

from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from loyalty.errors import HoldTimedOut, NotEnoughPoints, NotReversible
from loyalty.models import Account, AssetPolicy, Hold, Lot, PointsPrice, Transaction
from loyalty.services import clock, points, terms
from loyalty.services.verify import violations
from members.interfaces import Origin
from members.services.organisation import own_channel
from tests.cast import Cast
from tests.factories import MemberFactory

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 1, 5, 9, tzinfo=SHANGHAI)

quantities = st.integers(1, 120)


class LedgerMachine(RuleBasedStateMachine):
    """One member, two issuers, a clock that only goes forward, and what he should have as one plain sum."""

    def __init__(self, cast: Cast, shortfall: str, restore_days: int) -> None:
        super().__init__()
        self.start = transaction.savepoint()  # examples must not see each other's rows
        self.cast = cast
        self.member = MemberFactory(businesses=[cast.mall])
        self.at = START
        self.total = 0  # balance + held + pending
        AssetPolicy.objects.all().delete()
        AssetPolicy.objects.create(
            name="政策",
            org_unit=cast.group,
            starts_at=START - timedelta(days=1),
            lasts=5,
            unit="days",
            align="day",
            shortfall=shortfall,
            restore_days=restore_days,
        )
        terms.forget()

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.start)

    def origin(self) -> Origin:
        return Origin(
            channel=own_channel("desk"),
            reference=uuid4().hex,
            business=self.cast.mall,
            at=self.at,
            posted_at=self.at,
        )

    @property
    def account(self) -> Account:
        return Account.objects.get_or_create(member=self.member, asset="points")[0]

    def spendable(self) -> int:
        lots = Lot.objects.filter(account=self.account, activated_at__isnull=False)
        return sum(lot.unheld for lot in lots if lot.remaining > 0 and not lot.has_expired(self.at))

    def read_total(self) -> int:
        account = self.account
        return account.balance + account.held + account.pending

    @rule(quantity=quantities, of_hotel=st.booleans(), days=st.integers(0, 4))
    def earn(self, quantity: int, of_hotel: bool, days: int) -> None:
        issuer = self.cast.hotel if of_hotel else self.cast.mall
        available_at = self.at + timedelta(days=days) if days else None
        points.earn(self.member, quantity, issuer=issuer, available_at=available_at, origin=self.origin())
        self.total += quantity

    @rule(quantity=quantities)
    def burn(self, quantity: int) -> None:
        spendable = self.spendable()
        try:
            points.burn(self.member, quantity, origin=self.origin())
        except NotEnoughPoints:
            assert quantity > spendable
        else:
            assert quantity <= spendable
            self.total -= quantity

    @rule(quantity=quantities, minutes=st.integers(1, 5000))
    def hold(self, quantity: int, minutes: int) -> None:
        spendable = self.spendable()
        try:
            points.hold(self.member, quantity, until=self.at + timedelta(minutes=minutes), origin=self.origin())
        except NotEnoughPoints:
            assert quantity > spendable
        else:
            assert quantity <= spendable

    @precondition(lambda self: Hold.objects.open().filter(account=self.account).exists())
    @rule(share=st.integers(1, 100))
    def capture(self, share: int) -> None:
        held = Hold.objects.open().filter(account=self.account).first()
        quantity = max(1, held.quantity * share // 100)
        lapsing = self.lapsing_with(held)
        try:
            points.capture(held, quantity, origin=self.origin())
        except HoldTimedOut:
            assert held.until <= self.at
        else:
            self.total = self.read_total() if lapsing else self.total - quantity

    @precondition(lambda self: Hold.objects.open().filter(account=self.account).exists())
    @rule()
    def release(self) -> None:
        held = Hold.objects.open().filter(account=self.account).first()
        lapsing = self.lapsing_with(held)
        points.release(held, origin=self.origin())
        self.total -= lapsing

    def lapsing_with(self, held: Hold) -> int:
        """What release lets lapse: whatever is left unheld of the expired lots that the hold took from."""
        lots = [part.lot for part in held.parts.select_related("lot") if part.lot.has_expired(self.at)]
        return sum(lot.unheld + held.parts.get(lot=lot).quantity for lot in lots)

    @rule(days=st.integers(1, 3))
    def days_pass(self, days: int) -> None:
        self.at += timedelta(days=days)
        clock.activate_due(self.at)
        clock.release_overdue_holds(self.at)
        self.total = self.read_total()
        due = clock.due_expiry(self.at)
        expired = clock.expire_due(self.at)
        assert expired.quantity == due.quantity
        self.total -= expired.quantity

    @precondition(lambda self: self.reversible().exists())
    @rule(which=st.integers(0, 20))
    def reverse(self, which: int) -> None:
        transactions = self.reversible()
        undone = transactions[which % len(transactions)]
        before = self.read_total()
        try:
            answer = points.reverse(undone, reason="撤销", origin=self.origin())
        except NotReversible:
            assert self.read_total() == before
            return
        if undone.quantity > 0:
            assert 0 < answer["shortfall"] - answer["quantity"] <= undone.quantity
        else:
            assert 0 < answer["quantity"] <= -undone.quantity
        self.total = self.read_total()

    def reversible(self):
        return Transaction.objects.filter(account=self.account, kind__in=("earn", "burn", "capture", "adjust"))

    @rule(quantity=st.integers(-60, 60).filter(bool))
    def adjust(self, quantity: int) -> None:
        try:
            points.adjust(self.member, quantity, reason="更正", issuer=self.cast.group, origin=self.origin())
        except NotEnoughPoints:
            assert -quantity > self.spendable()
        else:
            self.total += quantity

    @invariant()
    def the_ledger_is_whole(self) -> None:
        assert [violation for _, violation in violations() if violation] == []

    @invariant()
    def nothing_comes_from_nowhere(self) -> None:
        assert self.read_total() == self.total


@pytest.mark.parametrize(("shortfall", "restore_days"), [("debt", 2), ("within_balance", 0), ("only_pending", 3)])
def test_any_order_of_verbs_keeps_the_ledger_whole(cast: Cast, shortfall: str, restore_days: int):
    PointsPrice.objects.create(issuer=cast.group, price=5, starts_at=START - timedelta(days=1))
    run_state_machine_as_test(
        lambda: LedgerMachine(cast, shortfall, restore_days),
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
