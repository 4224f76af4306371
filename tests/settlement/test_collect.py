"""Collection: every fact once, whatever comes late or twice; journals stay as written."""

from datetime import timedelta
from decimal import Decimal
from threading import Thread
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from benefits.models import Charge, Coupon, CouponTemplate
from loyalty.models import Asset
from loyalty.services import clock, points
from members.models import Request
from members.services.organisation import own_channel, own_origin
from settlement.models import (
    AccountCode,
    EventType,
    IssueAgreement,
    Journal,
    Posting,
    RedemptionAgreement,
    SettlementModel,
)
from settlement.services.collect import Collected, collect
from tests.factories import MemberFactory
from tests.settlement.world import LONG_AGO, agree, assert_sound, balance, book_of, fund, price_points

NOTHING = Collected(entries=0, charges=0)


@pytest.fixture
def member(cast):
    price_points(cast.group, 5)
    return MemberFactory(businesses=[cast.mall, cast.hotel, cast.cvs])


def earn(member, quantity, issuer, **terms) -> None:
    points.earn(member, quantity, issuer=issuer, **terms, origin=own_origin("desk", business=issuer))


def burn(member, quantity, business, amount) -> dict:
    return points.burn(member, quantity, amount=amount, origin=own_origin("desk", business=business))


def test_a_second_run_finds_nothing(cast, member):
    earn(member, 100, cast.mall)
    assert collect() == Collected(entries=1, charges=0)
    assert collect() == NOTHING
    assert Journal.objects.count() == 1


def test_growth_is_not_settled(cast, member):
    earn(member, 100, cast.mall, asset=Asset.GROWTH)
    assert collect() == NOTHING


def test_pending_points_post_nothing_until_they_are_activated(cast, member):
    tomorrow = timezone.now() + timedelta(days=1)
    earn(member, 100, cast.mall, available_at=tomorrow)
    assert collect() == NOTHING
    clock.activate_due(tomorrow)
    assert collect() == Collected(entries=1, charges=0)
    assert balance(AccountCode.POINTS_LIABILITY, fund()) == -500
    assert_sound()


def test_what_was_pending_and_clawed_back_never_reaches_the_books(cast, member):
    earn(member, 100, cast.mall, available_at=timezone.now() + timedelta(days=1))
    earned = member.accounts.get(asset=Asset.POINTS).transactions.get()
    points.reverse(earned, reason="退货", origin=own_origin("desk", business=cast.mall))
    assert collect() == NOTHING


def test_a_burn_from_two_lots_shares_its_amount_to_the_last_fraction(cast, member):
    """¥1.00 for 3 points: 1 of MALL's, 2 of HOTEL's: 33.333333 and 66.666667 fen."""
    earn(member, 1, cast.mall)
    earn(member, 2, cast.hotel)
    burn(member, 3, cast.cvs, amount=100)
    collect()
    faces = Posting.objects.filter(account=AccountCode.POINTS_TENDER).order_by("pk").values_list("amount", flat=True)
    assert list(faces) == [Decimal("-33.333333"), Decimal("-66.666667")]
    assert_sound()


def test_the_most_specific_agreement_reimburses(cast, member):
    RedemptionAgreement.objects.create(redeemer=cast.cvs, reimbursement=80, starts_at=LONG_AGO)
    RedemptionAgreement.objects.create(issuer=cast.hotel, redeemer=cast.cvs, reimbursement=0, starts_at=LONG_AGO)
    earn(member, 100, cast.mall)
    burn(member, 100, cast.cvs, amount=500)
    earn(member, 100, cast.hotel)
    burn(member, 100, cast.cvs, amount=500)
    collect()
    assert balance(AccountCode.INTER_COMPANY, book_of(cast.cvs)) == 400
    assert balance(AccountCode.PROMOTION_COST, book_of(cast.cvs)) == 100 + 500
    assert balance(AccountCode.MARGIN, fund()) == -100 - 500
    assert_sound()


def test_a_lot_keeps_its_model_when_the_agreement_changes(cast, member):
    """Issued under A yesterday, used under B today: the fund still pays."""
    now = timezone.now()
    IssueAgreement.objects.create(model="A", starts_at=LONG_AGO, ends_at=now - timedelta(hours=1))
    agree(SettlementModel.PAY_AT_BURN, starts_at=now - timedelta(hours=1))
    yesterday = own_origin("desk", business=cast.mall, at=now - timedelta(days=1))
    points.earn(member, 100, issuer=cast.mall, origin=yesterday)
    earn(member, 100, cast.mall)
    burn(member, 100, cast.cvs, amount=500)
    collect()
    assert balance(AccountCode.POINTS_LIABILITY, fund()) == 0
    assert balance(AccountCode.POINTS_LIABILITY, book_of(cast.mall)) == -500
    assert Journal.objects.get(event=EventType.BURN).model == "A"
    assert_sound()


def test_a_debt_is_a_receivable_until_the_next_points_cure_it(cast, member):
    earn(member, 100, cast.mall)
    earned = member.accounts.get(asset=Asset.POINTS).transactions.get()
    burn(member, 100, cast.cvs, amount=500)
    points.reverse(earned, reason="退货", origin=own_origin("desk", business=cast.mall))
    collect()
    assert balance(AccountCode.MEMBER_RECEIVABLE, fund()) == 500
    price_points(cast.hotel, 6)
    earn(member, 150, cast.hotel)
    collect()
    assert balance(AccountCode.MEMBER_RECEIVABLE) == 0
    assert balance(AccountCode.POINTS_LIABILITY, fund()) == -50 * 6
    assert balance(AccountCode.MARGIN, fund()) == 100 * (5 - 6)
    assert_sound()


def test_under_b_the_issuer_that_is_relieved_by_anothers_debt_pays_for_it(cast, member):
    agree(SettlementModel.PAY_AT_BURN)
    earn(member, 100, cast.mall)
    earned = member.accounts.get(asset=Asset.POINTS).transactions.get()
    burn(member, 100, cast.mall, amount=500)
    points.reverse(earned, reason="退货", origin=own_origin("desk", business=cast.mall))
    price_points(cast.hotel, 6)
    earn(member, 150, cast.hotel)
    collect()
    assert balance(AccountCode.INTER_COMPANY, book_of(cast.hotel)) == -600
    assert balance(AccountCode.INTER_COMPANY, book_of(cast.mall)) == 600
    assert balance(AccountCode.MARGIN, book_of(cast.mall)) == -100
    assert_sound()


def test_a_coupon_is_charged_and_uncharged_by_its_shares(cast, member):
    """¥100.00 at the hotel: group 50, mall 30, hotel 20; then half of it is undone."""
    charge = charge_coupon(cast, member, 10000, {cast.group: 5000, cast.mall: 3000, cast.hotel: 2000})
    assert collect() == Collected(entries=0, charges=1)
    assert balance(AccountCode.INTER_COMPANY, book_of(cast.hotel)) == 8000
    undo = charge_coupon(cast, member, -5000, {cast.group: -2500, cast.mall: -1500, cast.hotel: -1000}, undoes=charge)
    assert collect() == Collected(entries=0, charges=1)
    assert undo.journal.undoes == charge.journal
    assert undo.journal.event == EventType.COUPON_RETURN
    assert balance(AccountCode.INTER_COMPANY, book_of(cast.group)) == -2500
    assert balance(AccountCode.PROMOTION_COST, book_of(cast.hotel)) == 1000
    assert_sound()


def charge_coupon(cast, member, amount, shares, *, undoes=None) -> Charge:
    request = Request.objects.create(channel=own_channel("desk"), reference=uuid4().hex, verb="test")
    now = timezone.now()
    return Charge.objects.create(
        kind=Charge.Kind.COUPON,
        at=now,
        posted_at=now,
        request=request,
        channel=request.channel,
        business=cast.hotel,
        store=cast.hotel_1,
        member=member,
        coupon=undoes.coupon if undoes else coupon_of(cast, member, request),
        amount=amount,
        shares=[{"payer": payer.pk, "amount": share} for payer, share in shares.items()],
        undoes=undoes,
    )


def coupon_of(cast, member, request) -> Coupon:
    template = CouponTemplate.objects.create(code="c", name="券", owner=cast.group, amount=10000)
    now = timezone.now()
    return Coupon.objects.create(
        template=template,
        member=member,
        issuer=cast.group,
        request=request,
        code="C1",
        terms={},
        issued_at=now,
        valid_from=now,
        valid_until=now + timedelta(days=1),
    )


@pytest.mark.parametrize("change", ["update", "delete"])
@pytest.mark.parametrize("table", [Journal, Posting])
def test_journals_and_postings_stay_as_written(cast, member, table, change):
    earn(member, 100, cast.mall)
    collect()
    rows = table.objects.filter(pk=table.objects.first().pk)
    with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic():
        rows.update(id=-1) if change == "update" else rows._raw_delete("default")


def test_the_database_refuses_postings_that_do_not_balance(cast, member):
    earn(member, 100, cast.mall)
    collect()
    journal = Journal.objects.get()
    with pytest.raises(IntegrityError, match="sum to zero in every book"), transaction.atomic():
        Posting.objects.create(journal=journal, book=fund(), account=AccountCode.MARGIN, amount=1)


def test_agreements_of_one_issuer_do_not_overlap(cast):
    agree(SettlementModel.CENTRAL_FUND, cast.mall)
    agree(SettlementModel.PAY_AT_BURN)  # the group's default is another's
    with pytest.raises(IntegrityError, match="issue_agreement_is_one_per_issuer_at_a_time"), transaction.atomic():
        agree(SettlementModel.PAY_AT_BURN, cast.mall, starts_at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_two_collectors_at_once_journal_everything_once(transactional_db, cast, member):
    for _ in range(20):
        earn(member, 10, cast.mall)
    found: list[Collected] = []

    def run() -> None:
        found.append(collect(batch=3))
        connection.close()

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(collected.entries for collected in found) == 20
    assert Journal.objects.count() == 20
    assert_sound()
