"""Any stream of events under any agreements: books balance, statements foot and chain, and pieces make the whole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.models import Asset, AssetPolicy, Lot, PointsPrice, Transaction
from loyalty.services import clock, points, terms
from members.errors import Refused
from members.interfaces import Origin
from members.models import Member, OrgUnit
from members.services.organisation import own_channel, own_origin
from settlement.models import Book, IssueAgreement, Journal, Period, RedemptionAgreement, SettlementModel
from settlement.services.collect import collect
from settlement.services.periods import lock
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.settlement.world import assert_sound, cut_all, nets

START = datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
Kind = Transaction.Kind

prices = st.decimals("0.000001", 12, places=6)
moments = st.integers(0, 90).map(lambda days: START + timedelta(days=days))
models = st.sampled_from(SettlementModel.values)
agreements = st.fixed_dictionaries(
    {
        "default": models,
        "mall": st.tuples(models, moments),
        "ratios": st.tuples(st.decimals(0, 100, places=4), st.decimals(0, 100, places=4)),
        "prices": st.tuples(prices, prices, prices),
        "new_price": st.tuples(prices, moments),
        "restore_days": st.sampled_from((0, 20)),
    }
)
VERBS = ("earn", "earn", "burn", "burn", "capture", "expire", "claw_back", "restore", "adjust", "roll")
steps = st.lists(
    st.tuples(st.sampled_from(VERBS), st.integers(0, 2), st.integers(0, 1), st.integers(1, 300), st.integers(0, 9)),
    min_size=5,
    max_size=30,
)
exhaustive = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Stream:
    """Two members, three businesses, one clock: plays steps through loyalty's verbs; what is refused is passed over."""

    def __init__(self, cast: Cast) -> None:
        self.businesses = [cast.mall, cast.hotel, cast.cvs]
        self.members = [MemberFactory(businesses=self.businesses) for _ in range(2)]
        self.at = START

    def play(self, step: tuple[str, int, int, int, int]) -> None:
        verb, business, member, quantity, days = step
        self.at += timedelta(days=days, minutes=1)
        try:
            with transaction.atomic():
                getattr(self, verb)(self.members[member], self.businesses[business], quantity)
        except Refused:
            pass

    def earn(self, member: Member, business: OrgUnit, quantity: int) -> None:
        available_at = self.at + timedelta(days=quantity % 7) if quantity % 3 == 0 else None
        points.earn(member, quantity, issuer=business, available_at=available_at, origin=self.origin(business))

    def burn(self, member: Member, business: OrgUnit, quantity: int) -> None:
        points.burn(member, quantity, amount=quantity * 7 // 3, origin=self.origin(business))

    def capture(self, member: Member, business: OrgUnit, quantity: int) -> None:
        until = self.at + timedelta(days=3)
        held = points.hold(member, quantity, until=until, amount=quantity * 5, origin=self.origin(business))
        hold = member.accounts.get(asset=Asset.POINTS).holds.get(pk=held["id"])
        points.capture(hold, 1 + quantity // 2, origin=self.origin(business))

    def expire(self, member: Member, business: OrgUnit, quantity: int) -> None:
        lot = Lot.objects.filter(account__member=member, issuer=business, remaining__gt=0).first()
        if lot:
            points.expire(lot, min(quantity, lot.remaining), reason="测试", origin=self.origin(business))

    def claw_back(self, member: Member, business: OrgUnit, quantity: int) -> None:
        self.reverse(member, business, quantity, Kind.EARN, Kind.ADJUST)

    def restore(self, member: Member, business: OrgUnit, quantity: int) -> None:
        self.reverse(member, business, quantity, Kind.BURN, Kind.CAPTURE)

    def reverse(self, member: Member, business: OrgUnit, quantity: int, *kinds: Kind) -> None:
        done = Transaction.objects.filter(account__member=member, kind__in=kinds).order_by("pk")
        if done:
            points.reverse(done[quantity % len(done)], reason="测试", origin=self.origin(business))

    def adjust(self, member: Member, business: OrgUnit, quantity: int) -> None:
        signed = quantity if quantity % 2 else -quantity
        points.adjust(member, signed, reason="测试", issuer=business, origin=self.origin(business))

    def roll(self, member: Member, business: OrgUnit, quantity: int) -> None:
        clock.activate_due(self.at)
        clock.expire_due(self.at)

    def origin(self, business: OrgUnit) -> Origin:
        return Origin(
            channel=own_channel("desk"), reference=uuid4().hex, business=business, at=self.at, posted_at=self.at
        )


@contextmanager
def fresh(cast: Cast, agreed: dict) -> Iterator[Stream]:
    """A stream under these agreements; all that it did is taken back, for the next example."""
    with transaction.atomic():
        save = transaction.savepoint()
        arrange(cast, agreed)
        terms.forget()
        yield Stream(cast)
        transaction.savepoint_rollback(save)


def arrange(cast: Cast, agreed: dict) -> None:
    before = START - timedelta(days=1)
    for issuer, price in zip((cast.mall, cast.hotel, cast.group), agreed["prices"], strict=True):
        PointsPrice.objects.create(issuer=issuer, price=price, starts_at=before)
    price, starts_at = agreed["new_price"]
    PointsPrice.objects.create(issuer=cast.mall, price=price, starts_at=starts_at)
    AssetPolicy.objects.create(
        name="政策",
        org_unit=cast.group,
        starts_at=before,
        lasts=25,
        unit="days",
        align="day",
        restore_days=agreed["restore_days"],
    )
    model, starts_at = agreed["mall"]
    IssueAgreement.objects.create(model=agreed["default"], starts_at=before)
    IssueAgreement.objects.create(issuer=cast.mall, model=model, starts_at=starts_at)
    general, of_mall = agreed["ratios"]
    RedemptionAgreement.objects.create(redeemer=cast.cvs, reimbursement=general, starts_at=before)
    RedemptionAgreement.objects.create(issuer=cast.mall, redeemer=cast.cvs, reimbursement=of_mall, starts_at=before)


def journalled() -> dict[int, tuple]:
    """What each entry's journal says, its period left out."""
    name = {book.pk: (book.org_unit_id, book.role) for book in Book.objects.all()} | {None: None}
    journals = Journal.objects.select_related("undoes").prefetch_related("postings")
    return {
        journal.entry_id: (
            journal.event,
            journal.model,
            journal.undoes and journal.undoes.entry_id,
            {(name[p.book_id], p.account, name[p.counterparty_id], p.amount) for p in journal.postings.all()},
        )
        for journal in journals
    }


@exhaustive
@given(agreed=agreements, events=steps)
def test_every_book_balances_and_statements_foot_and_chain(cast, agreed, events):
    with fresh(cast, agreed) as stream:
        for place, event in enumerate(events):
            stream.play(event)
            if place % 7 == 6:
                collect(batch=3)
                lock_what_is_over(stream.at)
        collect()
        if Period.objects.exists():
            assert sum(nets(cut_all()).values()) == 0
        assert_sound()


@exhaustive
@given(agreed=agreements, events=steps, batch=st.integers(1, 5))
def test_collecting_in_pieces_is_collecting_at_once(cast, agreed, events, batch):
    with fresh(cast, agreed) as stream:
        for event in events:
            stream.play(event)
        in_pieces = rolled_back(lambda: collect(batch=batch))
        assert rolled_back(collect) == in_pieces


def rolled_back(collecting: Callable[[], object]) -> dict[int, tuple]:
    save = transaction.savepoint()
    collecting()
    written = journalled()
    transaction.savepoint_rollback(save)
    return written


def lock_what_is_over(now: datetime) -> None:
    for period in Period.objects.open().filter(ends_at__lte=now).order_by("starts_at"):
        lock(period, origin=own_origin("clock"))


pytestmark = pytest.mark.django_db
