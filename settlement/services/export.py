"""A period as a workbook: overview, statements, counterparties, points, and the postings behind every number."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter
from django.db import transaction
from django.utils.translation import gettext as _

from members.events import record
from members.interfaces import Origin
from members.services.organisation import group
from members.services.spreadsheets import WORKBOOK_OPTIONS, harmless
from settlement.models import NettingPayment, Period, Posting, Statement
from settlement.services.counterparties import counterparties

MOST_ROWS = 1_048_575  # that a sheet holds below its header


@dataclass(frozen=True)
class Yuan:
    """Money in a cell: kept in fen, shown in yuan."""

    fen: int | Decimal

    @property
    def yuan(self) -> Decimal:
        return Decimal(self.fen) / 100


@dataclass(frozen=True)
class Sheet:
    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[Any]]


@transaction.atomic
def export(period: Period, *, origin: Origin) -> io.BytesIO:
    """The workbook of what the operator may see; that it was taken is an event."""
    record("settlement.exported", origin=origin, data={"period": period.name})
    return workbook(period, origin.actor)


def workbook(period: Period, actor) -> io.BytesIO:
    """All that the actor may see of the period, one sheet a level, in constant memory; returned at its start."""
    statements = list(
        Statement.objects.visible_to(actor)
        .filter(period=period)
        .select_related("period", "book__org_unit")
        .prefetch_related("balances", "lines__counterparty__org_unit", "points")
        .order_by("book__org_unit__path", "book__role")
    )
    return _written(
        _overview(statements),
        _payments(period, actor),
        _lines(statements),
        _counterparties(statements),
        _points(statements),
        _details(period, actor),
    )


def _overview(statements: Iterable[Statement]) -> Sheet:
    header = (
        _("账簿"),
        _("期初"),
        _("期末"),
        _("结算额（正收负付）"),
        _("期初积分"),
        _("期末积分"),
        _("期末积分价值"),
        _("积分负债"),
    )
    rows = (
        (
            str(statement.book),
            Yuan(statement.opening),
            Yuan(statement.closing),
            Yuan(statement.net),
            statement.points_opening,
            statement.points_closing,
            Yuan(statement.points_value),
            Yuan(statement.liability),
        )
        for statement in statements
    )
    return Sheet(_("总览"), header, rows)


def _payments(period: Period, actor) -> Sheet:
    payments = NettingPayment.objects.visible_to(actor).filter(period=period).select_related("payer", "payee")
    rows = ((payment.payer.name, payment.payee.name, Yuan(payment.amount)) for payment in payments)
    return Sheet(_("轧差付款"), (_("付款方"), _("收款方"), _("金额")), rows)


def _lines(statements: Iterable[Statement]) -> Sheet:
    header = (_("账簿"), _("往来方"), _("事件"), _("跨期"), _("金额（正收负付）"))
    rows = (
        (
            str(statement.book),
            str(line.counterparty),
            line.get_event_display(),
            _("是") if line.is_prior_period else "",
            Yuan(line.amount),
        )
        for statement in statements
        for line in statement.lines.all()
    )
    return Sheet(_("结算单"), header, rows)


def _counterparties(statements: Iterable[Statement]) -> Sheet:
    header = (_("账簿"), _("往来方"), _("本店使用他店"), _("他店使用本店"), _("应收"), _("应付"), _("结算额"))
    rows = (
        (
            str(statement.book),
            str(other.book),
            Yuan(other.used_here),
            Yuan(other.used_there),
            Yuan(other.receivable),
            Yuan(other.payable),
            Yuan(other.net),
        )
        for statement in statements
        for other in counterparties(statement)
    )
    return Sheet(_("往来"), header, rows)


def _points(statements: Iterable[Statement]) -> Sheet:
    header = (_("账簿"), _("事件"), _("被他店追回"), _("积分"), _("价值"))
    rows = (
        (
            str(statement.book),
            movement.get_event_display(),
            _("是") if movement.is_taken else "",
            movement.quantity,
            Yuan(movement.value),
        )
        for statement in statements
        for movement in statement.points.all()
    )
    return Sheet(_("积分变动"), header, rows)


def _details(period: Period, actor) -> Sheet:
    """Every posting, with the event, order, lot and price behind it."""
    header = (
        _("凭证"),
        _("业务时间"),
        _("入账时间"),
        _("事件"),
        _("跨期"),
        _("门店"),
        _("单号"),
        _("批次"),
        _("单价（分）"),
        _("积分"),
        _("模式"),
        _("账簿"),
        _("科目"),
        _("往来方"),
        _("金额（借正贷负）"),
    )
    postings = (
        Posting.objects.visible_to(actor)
        .filter(journal__period=period)
        .select_related(
            "journal__store",
            "journal__entry__lot",
            "journal__entry__transaction__purchase",
            "journal__entry__transaction__refund__purchase",
            "journal__charge__purchase",
            "book__org_unit",
            "counterparty__org_unit",
        )
        .order_by("journal", "pk")[:MOST_ROWS]
    )
    return Sheet(_("明细"), header, map(_detail, postings.iterator(chunk_size=2_000)))


def _detail(posting: Posting) -> Sequence[Any]:
    journal, entry = posting.journal, posting.journal.entry
    return (
        str(journal.pk),
        journal.at,
        journal.posted_at,
        journal.get_event_display(),
        _("是") if journal.is_prior_period else "",
        journal.store.name if journal.store else "",
        journal.purchase.external_number if journal.purchase else "",
        str(entry.lot_id) if entry else "",
        entry.lot.unit_price if entry else None,
        entry.quantity if entry else None,
        journal.model,
        str(posting.book),
        posting.get_account_display(),
        str(posting.counterparty or ""),
        Yuan(posting.amount),
    )


def _written(*sheets: Sheet) -> io.BytesIO:
    output = io.BytesIO()
    zone = group().zone
    with xlsxwriter.Workbook(output, WORKBOOK_OPTIONS) as book:
        formats = {name: book.add_format(properties) for name, properties in FORMATS.items()}
        for content in sheets:
            sheet = book.add_worksheet(content.title)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(content.header) - 1, 18)
            sheet.write_row(0, 0, content.header, formats["header"])
            for number, row in enumerate(content.rows, start=1):
                for place, cell in enumerate(row):
                    _write_cell(sheet, number, place, cell, formats, zone)
    output.seek(0)
    return output


FORMATS = {
    "header": {"bold": True, "bg_color": "#E8F3EC", "text_wrap": True, "valign": "top"},
    "yuan": {"num_format": "#,##0.00;[Red]-#,##0.00"},
    "exact": {"num_format": "#,##0.00######;[Red]-#,##0.00######"},
    "number": {"num_format": "#,##0;[Red]-#,##0"},
    "price": {"num_format": "0.0#####"},
    "time": {"num_format": "yyyy-mm-dd hh:mm:ss"},
}


def _write_cell(sheet, row: int, column: int, cell: Any, formats: dict[str, Any], zone: ZoneInfo) -> None:
    """Numbers as numbers with their format, times in the group's zone, and text that runs nowhere as a formula."""
    match cell:
        case Yuan(fen=int()):
            sheet.write_number(row, column, cell.yuan, formats["yuan"])
        case Yuan():
            sheet.write_number(row, column, cell.yuan, formats["exact"])
        case Decimal():
            sheet.write_number(row, column, cell, formats["price"])
        case int():
            sheet.write_number(row, column, cell, formats["number"])
        case datetime():
            sheet.write_datetime(row, column, cell.astimezone(zone).replace(tzinfo=None), formats["time"])
        case str():
            sheet.write_string(row, column, harmless(cell))
