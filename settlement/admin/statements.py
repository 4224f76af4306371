"""A statement as finance reads it: opening, by event and counterparty, closing; a number opens what it is made of."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from members.interfaces.admin import ReadOnlyAdmin, in_yuan
from members.interfaces.money import yuan
from settlement.admin import drill_down
from settlement.admin.drill_down import InSightFilter, before, inter_company, until_end_of, within
from settlement.admin.periods import STATES
from settlement.models import (
    AccountCode,
    Book,
    CounterpartyBalance,
    EventType,
    NettingPayment,
    PointsMovement,
    Statement,
    StatementLine,
)
from settlement.services.counterparties import Counterparty, counterparties


@dataclass(frozen=True)
class Number:
    """Fen, and where they come from; without an address to those who may not look there."""

    fen: int
    url: str = ""


@dataclass(frozen=True)
class Column:
    """One kind of event of the period; what belongs to a closed month stands apart."""

    event: str
    is_prior_period: bool

    @property
    def title(self) -> str:
        label = str(EventType(self.event).label)
        return gettext("%s（跨期）") % label if self.is_prior_period else label

    @property
    def lookups(self) -> dict[str, Any]:
        return {"journal__event__exact": self.event, "journal__is_prior_period__exact": int(self.is_prior_period)}


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    list_display = (
        "shown_book",
        "period",
        "shown_opening",
        "shown_closing",
        "receivable",
        "payable",
        "shown_state",
    )
    list_filter = (("period", InSightFilter), ("book", InSightFilter))
    list_select_related = ("period", "book__org_unit")
    ordering = ("-period__starts_at", "book__org_unit__path", "book__role")
    shown_opening = in_yuan("opening", _("期初"))
    shown_closing = in_yuan("closing", _("期末"))

    @display(description=_("账簿"), ordering="book")
    def shown_book(self, statement: Statement) -> str:
        return str(statement.book)

    @display(description=_("本期应收"))
    def receivable(self, statement: Statement) -> str:
        return yuan(statement.net) if statement.net > 0 else "—"

    @display(description=_("本期应付"))
    def payable(self, statement: Statement) -> str:
        return yuan(-statement.net) if statement.net < 0 else "—"

    @display(description=_("状态"), ordering="period__state", label=STATES)
    def shown_state(self, statement: Statement) -> tuple[str, str]:
        return statement.period.state, statement.period.get_state_display()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related("period", "book__org_unit")
        statement = get_object_or_404(rows, pk=object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": str(statement),
            "opts": self.opts,
            "statement": statement,
            "earlier": _neighbour(rows, statement, period__ends_at__lte=statement.period.starts_at),
            "later": _neighbour(rows, statement, period__starts_at__gte=statement.period.ends_at),
            **_summary(statement),
            **_by_event(statement),
            "counterparties": [
                (str(other.book), _of_counterparty(statement, other, request.user))
                for other in counterparties(statement)
            ],
            "points": [
                (movement, _of_points(statement, movement, request.user)) for movement in statement.points.all()
            ],
            "liability_url": drill_down.postings(
                book__id__exact=statement.book_id,
                account__exact=AccountCode.POINTS_LIABILITY.value,
                **until_end_of(statement.period),
            ),
            "payments": _payments(statement, request.user),
        }
        return TemplateResponse(request, "admin/settlement/statement.html", context)


def _neighbour(rows, statement: Statement, **when: Any) -> Statement | None:
    """The same book's statement before or after."""
    others = rows.filter(book=statement.book_id, **when)
    nearest = "-period__starts_at" if "period__ends_at__lte" in when else "period__starts_at"
    return others.order_by(nearest).first()


def _summary(statement: Statement) -> dict[str, Number]:
    period = statement.period
    return {
        "opening": Number(statement.opening, inter_company(statement, **before(period))),
        "net": Number(statement.net, inter_company(statement, **within(period))),
        "closing": Number(statement.closing, inter_company(statement, **until_end_of(period))),
    }


def _by_event(statement: Statement) -> dict[str, Any]:
    """Opening + events = closing: a row for each counterparty, and their sum."""
    lines = list(statement.lines.all())
    columns = sorted({_column(line) for line in lines}, key=lambda one: (_order(one.event), one.is_prior_period))
    amounts: dict[tuple[int, Column], int] = defaultdict(int)
    for line in lines:
        amounts[line.counterparty_id, _column(line)] += line.amount
    balances = list(statement.balances.select_related("counterparty__org_unit").order_by("counterparty"))
    return {
        "columns": columns,
        "rows": [(str(one.counterparty), _of_balance(statement, one, columns, amounts)) for one in balances],
        "sums": _sums(statement, balances, columns, amounts),
    }


def _column(line: StatementLine) -> Column:
    return Column(line.event, line.is_prior_period)


def _order(event: str) -> int:
    return EventType.values.index(event)


def _of_balance(
    statement: Statement, balance: CounterpartyBalance, columns: Iterable[Column], amounts: dict
) -> list[Number]:
    period, other = statement.period, {"counterparty__id__exact": balance.counterparty_id}
    events = [
        Number(
            amounts[balance.counterparty_id, column],
            inter_company(statement, **within(period), **other, **column.lookups),
        )
        for column in columns
    ]
    return [
        Number(balance.opening, inter_company(statement, **before(period), **other)),
        *events,
        Number(balance.closing, inter_company(statement, **until_end_of(period), **other)),
    ]


def _sums(
    statement: Statement, balances: Iterable[CounterpartyBalance], columns: Iterable[Column], amounts: dict
) -> list[Number]:
    period = statement.period
    events = [
        Number(
            sum(amounts[balance.counterparty_id, column] for balance in balances),
            inter_company(statement, **within(period), **column.lookups),
        )
        for column in columns
    ]
    summary = _summary(statement)
    return [summary["opening"], *events, summary["closing"]]


def _of_counterparty(statement: Statement, other: Counterparty, actor) -> list[Number]:
    """本店使用他店 / 他店使用本店 / 应收 / 应付 / 结算额."""
    pair = inter_company(statement, **within(statement.period), counterparty__id__exact=other.book.pk)
    return [
        Number(other.used_here, _used(statement, issuer=other.book, redeemer=statement.book)),
        # What was used there is in the other's books: whoever may not look into them sees the sum.
        Number(
            other.used_there, _used(statement, issuer=statement.book, redeemer=other.book) if _sees_all(actor) else ""
        ),
        Number(other.receivable, pair),
        Number(other.payable, pair),
        Number(other.net, pair),
    ]


def _used(statement: Statement, *, issuer: Book, redeemer: Book) -> str:
    return drill_down.postings(
        book__id__exact=redeemer.pk,
        account__exact=AccountCode.POINTS_TENDER.value,
        **within(statement.period),
        **drill_down.issued_by(issuer.org_unit),
    )


def _of_points(statement: Statement, movement: PointsMovement, actor) -> str:
    """What moved the liability for these points, in the books of whoever holds it."""
    if not _sees_all(actor):
        return ""
    is_fund = statement.book.role == Book.Role.FUND
    whose = {"book__id__exact": statement.book_id} if is_fund else drill_down.issued_by(statement.book.org_unit)
    return drill_down.postings(
        account__exact=AccountCode.POINTS_LIABILITY.value,
        journal__event__exact=movement.event,
        **within(statement.period),
        **whose,
    )


def _sees_all(actor) -> bool:
    return actor.reach.is_group


def _payments(statement: Statement, actor) -> Iterable[NettingPayment]:
    """A business pays and is paid once, whatever books it keeps."""
    own = Q(payer=statement.book.org_unit_id) | Q(payee=statement.book.org_unit_id)
    payments = NettingPayment.objects.visible_to(actor).filter(own, period=statement.period)
    return payments.select_related("payer", "payee")
