"""What a period came to: opening + Σ by event = closing for every pair of books, rounded once and mirrored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Case, DecimalField, F, Q, QuerySet, Sum, Value, When

from settlement import rules
from settlement.models import (
    AccountCode,
    Book,
    CounterpartyBalance,
    EventType,
    Journal,
    NettingPayment,
    Period,
    PointsMovement,
    Posting,
    Statement,
    StatementLine,
)
from settlement.services.books import Books

ORDER = {event: index for index, event in enumerate(EventType.values)}
Kind = tuple[str, bool]  # event, is of a prior period


@dataclass
class Standing:
    """How one book stands with another in a period, before it is written on both their statements."""

    opening: int = 0
    exact: Decimal = Decimal(0)
    parts: dict[Kind, Decimal] = field(default_factory=dict)

    def add(self, kind: Kind, amount: Decimal) -> None:
        self.parts[kind] = amount
        self.exact += amount

    @property
    def closing(self) -> int:
        return rules.in_fen(self.exact)

    def lines(self) -> list[tuple[Kind, int]]:
        kinds = sorted(self.parts, key=lambda kind: (ORDER[kind[0]], kind[1]))
        amounts = rules.footed(self.closing - self.opening, [self.parts[kind] for kind in kinds])
        return list(zip(kinds, amounts, strict=True))


def write_statements(period: Period) -> None:
    """Write the period's statements and payments anew, from its journals and the statements before it."""
    period.statements.all().delete()
    period.payments.all().delete()
    before = _statements_before(period)
    statements = {book: Statement(period=period, book_id=book) for book in Book.objects.values_list("pk", flat=True)}
    standings = _standings(period, before)
    _total(statements.values(), standings, before)
    _add_liability(period, statements)
    movements = _points_movements(period, statements)
    Statement.objects.bulk_create(statements.values())
    PointsMovement.objects.bulk_create(movements)
    _write_pairs(statements, standings)
    _write_payments(period)


def _statements_before(period: Period) -> dict[int, Statement]:
    """The last statement of each book before the period."""
    earlier = Statement.objects.filter(period__ends_at__lte=period.starts_at)
    return {last.book_id: last for last in earlier.order_by("book_id", "-period__ends_at").distinct("book_id")}


def _standings(period: Period, before: Mapping[int, Statement]) -> dict[tuple[int, int], Standing]:
    """By pair of books, seen from the one with the lower key."""
    standings: dict[tuple[int, int], Standing] = defaultdict(Standing)
    balances = CounterpartyBalance.objects.filter(
        statement__in=before.values(), counterparty__gt=F("statement__book")
    ).values_list("statement__book", "counterparty", "closing", "exact")
    for book, counterparty, closing, exact in balances:
        standings[book, counterparty] = Standing(opening=closing, exact=exact)
    moved = (
        Posting.objects.inter_company()
        .filter(journal__period=period, counterparty__gt=F("book"))
        .values_list("book", "counterparty", "journal__event", "journal__is_prior_period")
        .annotate(Sum("amount"))
    )
    for book, counterparty, event, is_prior_period, amount in moved:
        standings[book, counterparty].add((event, is_prior_period), amount)
    return standings


def _total(
    statements: Iterable[Statement],
    standings: Mapping[tuple[int, int], Standing],
    before: Mapping[int, Statement],
) -> None:
    opening: dict[int, int] = defaultdict(int)
    closing: dict[int, int] = defaultdict(int)
    for (book, counterparty), standing in standings.items():
        for side, sign in ((book, 1), (counterparty, -1)):
            opening[side] += sign * standing.opening
            closing[side] += sign * standing.closing
    for statement in statements:
        last = before.get(statement.book_id, Statement())
        statement.opening, statement.closing = opening[statement.book_id], closing[statement.book_id]
        statement.points_opening = statement.points_closing = last.points_closing
        statement.points_value, statement.liability = last.points_value, last.liability


def _add_liability(period: Period, statements: Mapping[int, Statement]) -> None:
    liability = Posting.objects.filter(journal__period=period, account=AccountCode.POINTS_LIABILITY)
    for book, amount in liability.values_list("book").annotate(Sum("amount")):
        statements[book].liability -= amount


def _points_movements(period: Period, statements: Mapping[int, Statement]) -> list[PointsMovement]:
    """What happened to points, for their issuer and, where it holds the liability, for the fund. Debt is apart."""
    books = Books()
    totals: dict[tuple[int, str, bool], list] = defaultdict(lambda: [0, Decimal(0)])
    for issuer, model, event, is_taken, quantity, value in _moved_points(period):
        for book in {books.of(issuer), books.holder(model, issuer)}:
            totals[book, event, is_taken][0] += quantity
            totals[book, event, is_taken][1] += value
    for (book, _, _), (quantity, value) in totals.items():
        statements[book].points_closing += quantity
        statements[book].points_value += value
    return [
        PointsMovement(statement=statements[book], event=event, is_taken=is_taken, quantity=quantity, value=value)
        for (book, event, is_taken), (quantity, value) in sorted(totals.items(), key=lambda one: ORDER[one[0][1]])
    ]


def _moved_points(period: Period) -> QuerySet:
    is_taken = Case(
        When(event=EventType.CLAW_BACK, then=~Q(entry__lot__issuer=F("entry__undoes__lot__issuer"))),
        default=Value(False),
    )
    return (
        Journal.objects.filter(period=period, entry__lot__quantity__gt=0)
        .values_list("entry__lot__issuer", "model", "event")
        .annotate(is_taken=is_taken)
        .annotate(
            moved=Sum("entry__quantity"),
            value=Sum(F("entry__quantity") * F("entry__lot__unit_price"), output_field=DecimalField()),
        )
        .order_by()
    )


def _write_pairs(statements: Mapping[int, Statement], standings: Mapping[tuple[int, int], Standing]) -> None:
    balances, lines = [], []
    for (book, counterparty), standing in sorted(standings.items()):
        for side, other, sign in ((book, counterparty, 1), (counterparty, book, -1)):
            balances.append(
                CounterpartyBalance(
                    statement=statements[side],
                    counterparty_id=other,
                    opening=sign * standing.opening,
                    closing=sign * standing.closing,
                    exact=sign * standing.exact,
                )
            )
            lines += [
                StatementLine(
                    statement=statements[side],
                    counterparty_id=other,
                    event=event,
                    is_prior_period=is_prior_period,
                    amount=sign * amount,
                )
                for (event, is_prior_period), amount in standing.lines()
            ]
    CounterpartyBalance.objects.bulk_create(balances)
    StatementLine.objects.bulk_create(lines)


def _write_payments(period: Period) -> None:
    """Net by business, whatever books it keeps."""
    nets: dict[int, int] = defaultdict(int)
    for statement in period.statements.select_related("book"):
        nets[statement.book.org_unit_id] += statement.net
    NettingPayment.objects.bulk_create(
        NettingPayment(period=period, payer_id=payer, payee_id=payee, amount=amount)
        for payer, payee, amount in rules.payments(nets)
    )
