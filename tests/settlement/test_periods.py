"""Months: what falls where, statements that chain, locks that hold, and who may see what."""

from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from openpyxl import load_workbook

from loyalty.services import points
from members.interfaces import Origin
from members.services.organisation import own_channel
from settlement.errors import EarlierPeriodOpen, PeriodNotOpen, PeriodNotOver
from settlement.models import (
    CounterpartyBalance,
    Journal,
    NettingPayment,
    Period,
    Posting,
    Statement,
    StatementLine,
)
from settlement.services.collect import collect
from settlement.services.counterparties import counterparties
from settlement.services.export import workbook
from settlement.services.periods import cut, lock
from tests.factories import MemberFactory
from tests.settlement.world import assert_sound, fund, nets, price_points

SHANGHAI = ZoneInfo("Asia/Shanghai")
JANUARY, FEBRUARY = datetime(2026, 1, 10, tzinfo=SHANGHAI), datetime(2026, 2, 10, tzinfo=SHANGHAI)
MARCH = datetime(2026, 3, 5, tzinfo=SHANGHAI)


@pytest.fixture
def member(cast):
    price_points(cast.group, "0.5")
    return MemberFactory(businesses=[cast.mall, cast.hotel, cast.cvs])


def origin(at: datetime, business=None) -> Origin:
    return Origin(channel=own_channel("desk"), reference=uuid4().hex, business=business, at=at, posted_at=at)


def earn(member, quantity, issuer, at) -> None:
    points.earn(member, quantity, issuer=issuer, origin=origin(at, issuer))


def burn(member, quantity, business, amount, at) -> None:
    points.burn(member, quantity, amount=amount, origin=origin(at, business))


def period(name: str) -> Period:
    return Period.objects.get(name=name)


def test_the_month_is_that_of_the_groups_zone_half_open(cast, member):
    earn(member, 1, cast.mall, datetime(2026, 1, 31, 23, 59, 59, tzinfo=SHANGHAI))
    earn(member, 1, cast.mall, datetime(2026, 2, 1, tzinfo=SHANGHAI))
    collect()
    assert list(Journal.objects.order_by("pk").values_list("period__name", flat=True)) == ["2026-01", "2026-02"]


def test_half_fen_do_not_drift_from_month_to_month(cast, member):
    """3 points at 0.5: 1.5 fen in January is 2; 3.0 in all by February is 3, so February adds 1."""
    earn(member, 3, cast.mall, JANUARY)
    earn(member, 3, cast.mall, FEBRUARY)
    collect()
    cut(period("2026-02"), origin=origin(MARCH))
    assert nets(period("2026-01")) == {"MALL": -2, "FUND": 2}
    assert nets(period("2026-02")) == {"MALL": -3, "FUND": 3}
    february = Statement.objects.get(period=period("2026-02"), book=fund())
    assert (february.opening, february.net, february.points_opening, february.points_closing) == (2, 1, 3, 6)
    assert_sound()


def test_a_late_event_enters_the_first_open_period_as_prior_period(cast, member):
    earn(member, 100, cast.mall, JANUARY)
    collect()
    lock(period("2026-01"), origin=origin(FEBRUARY))
    late = Origin(channel=own_channel("desk"), reference="late", business=cast.mall, at=JANUARY, posted_at=FEBRUARY)
    points.earn(member, 10, issuer=cast.mall, origin=late)
    collect()
    cut(period("2026-02"), origin=origin(MARCH))
    line = StatementLine.objects.get(statement__period=period("2026-02"), statement__book=fund())
    assert (line.is_prior_period, line.amount) == (True, 5)
    assert_sound()


def test_a_locked_period_refuses_everything(cast, member):
    earn(member, 100, cast.mall, JANUARY)
    collect()
    locked = lock(period("2026-01"), origin=origin(FEBRUARY))
    assert locked.state == Period.State.LOCKED
    with pytest.raises(PeriodNotOpen):
        cut(locked, origin=origin(FEBRUARY))
    journal = Journal.objects.get()
    copy = {"entry_id": journal.entry_id, "event": "issue", "model": "A", "at": JANUARY, "posted_at": JANUARY}
    changes = (
        lambda: Journal.objects.create(period=locked, **copy),
        lambda: Posting.objects.bulk_create(
            [
                Posting(journal=journal, book=fund(), account="margin", amount=1),
                Posting(journal=journal, book=fund(), account="breakage", amount=-1),
            ]
        ),
        lambda: Period.objects.filter(pk=locked.pk).update(state="open", locked_at=None),
        lambda: Statement.objects.update(closing=0),
        lambda: StatementLine.objects.all().delete(),
        lambda: NettingPayment.objects.all().delete(),
    )
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert_sound()


def test_periods_are_locked_in_order_and_when_they_are_over(cast, member):
    earn(member, 1, cast.mall, JANUARY)
    earn(member, 1, cast.mall, FEBRUARY)
    collect()
    with pytest.raises(EarlierPeriodOpen):
        lock(period("2026-02"), origin=origin(MARCH))
    lock(period("2026-01"), origin=origin(MARCH))
    with pytest.raises(PeriodNotOver):
        lock(period("2026-02"), origin=origin(FEBRUARY))
    assert period("2026-02").state == Period.State.OPEN
    with pytest.raises(PeriodNotOpen):
        lock(period("2026-01"), origin=origin(MARCH))


def test_cutting_twice_writes_the_same(cast, member):
    earn(member, 100, cast.mall, JANUARY)
    burn(member, 40, cast.cvs, 20, JANUARY)
    collect()

    def written() -> list[tuple]:
        cut(period("2026-01"), origin=origin(FEBRUARY))
        columns = ("statement__book", "counterparty", "opening", "closing", "exact")
        return sorted(CounterpartyBalance.objects.values_list(*columns))

    assert written() == written()


def test_counterparties_say_who_used_whose_points(cast, member):
    earn(member, 100, cast.mall, JANUARY)
    burn(member, 40, cast.cvs, 20, JANUARY)
    collect()
    cut(period("2026-01"), origin=origin(FEBRUARY))
    seen = {
        (str(statement.book), str(other.book)): (other.used_here, other.used_there, other.receivable, other.payable)
        for statement in Statement.objects.all()
        for other in counterparties(statement)
    }
    assert seen == {
        ("梧桐广场", "梧桐便利"): (0, 20, 0, 0),
        ("梧桐便利", "梧桐广场"): (20, 0, 0, 0),
        ("梧桐广场", "梧桐集团·积分基金"): (0, 0, 0, 50),
        ("梧桐便利", "梧桐集团·积分基金"): (0, 0, 20, 0),
        ("梧桐集团·积分基金", "梧桐广场"): (0, 0, 50, 0),
        ("梧桐集团·积分基金", "梧桐便利"): (0, 0, 0, 20),
    }


@pytest.mark.parametrize(
    ("who", "books", "journals", "payments"),
    [("sees_all", 3, 2, 2), ("sees_mall", 1, 1, 2), ("sees_nothing", 0, 0, 0)],
)
def test_an_operator_sees_his_own_books(cast, member, who, books, journals, payments):
    earn(member, 100, cast.mall, JANUARY)
    burn(member, 40, cast.cvs, 20, JANUARY)
    collect()
    cut(period("2026-01"), origin=origin(FEBRUARY))
    operator = getattr(cast, who)
    assert Statement.objects.visible_to(operator).count() == books
    assert Posting.objects.visible_to(operator).values("book").distinct().count() == books
    assert Journal.objects.visible_to(operator).count() == journals
    assert NettingPayment.objects.visible_to(operator).count() == payments


def test_the_workbook_has_a_sheet_for_every_level_and_runs_no_formula(cast, member):
    cast.mall.name = "=1+1"
    cast.mall.save()
    earn(member, 100, cast.mall, JANUARY)
    collect()
    cut(period("2026-01"), origin=origin(FEBRUARY))
    book = load_workbook(workbook(period("2026-01"), cast.sees_all))
    assert book.sheetnames == ["总览", "轧差付款", "结算单", "往来", "积分变动", "明细"]
    overview = list(book["总览"].iter_rows(min_row=2, values_only=True))
    assert ("'=1+1", 0, -0.5, -0.5, 0, 100, 0.5, 0) in overview
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert book["明细"].max_row == 1 + 4


def test_verify_settlement_is_content_and_says_what_is_not_collected(cast, member, capsys):
    earn(member, 100, cast.mall, JANUARY)
    collect()
    cut(period("2026-01"), origin=origin(FEBRUARY))
    earn(member, 7, cast.mall, FEBRUARY)
    call_command("verify_settlement", "--rebuild")
    assert "not collected yet: 1 entries, 0 charges" in capsys.readouterr().out


def test_verify_settlement_finds_a_statement_that_does_not_foot(cast, member, capsys):
    earn(member, 100, cast.mall, JANUARY)
    collect()
    cut(period("2026-01"), origin=origin(FEBRUARY))
    StatementLine.objects.filter(statement__book=fund()).update(amount=1)
    with pytest.raises(SystemExit):
        call_command("verify_settlement")
    assert "BROKEN  A statement foots" in capsys.readouterr().out
