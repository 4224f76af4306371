"""Statements for the finance systems of the businesses: each sees its own books, down to the posting."""

from uuid import uuid4

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.errors import NotYours
from members.interfaces import Origin
from members.interfaces.api import checked, make_origin, query
from settlement.api import serializers as shapes
from settlement.models import Period, Posting, Statement, StatementLine
from settlement.services import periods


class PeriodsView(ListAPIView):
    scope = "settlement"
    serializer_class = shapes.PeriodAnswer

    @query(shapes.PeriodAnswer(many=True), operation_id="settlement_periods")
    def get(self, request: Request) -> Response:
        """The group's periods, newest first."""
        return self.list(request)

    def get_queryset(self) -> QuerySet[Period]:
        return Period.objects.visible_to(self.request.user)


class CutView(APIView):
    scope = "settlement"

    @query(shapes.PeriodAnswer, request=None, operation_id="settlement_cut")
    def post(self, request: Request, name: str) -> Response:
        """Write the statements of a period as it stands, by the group. May be repeated, so it needs no key."""
        return Response(shapes.PeriodAnswer(periods.cut(_groups_period(request, name), origin=_origin(request))).data)


class LockView(APIView):
    scope = "settlement"

    @query(shapes.PeriodAnswer, request=None, operation_id="settlement_lock")
    def post(self, request: Request, name: str) -> Response:
        """Close a period for good, by the group: later corrections enter the next one. There is no way back."""
        return Response(shapes.PeriodAnswer(periods.lock(_groups_period(request, name), origin=_origin(request))).data)


class StatementsView(ListAPIView):
    scope = "settlement"
    serializer_class = shapes.StatementAnswer

    @query(shapes.StatementAnswer(many=True), reader=shapes.StatementQuery, operation_id="settlement_statements")
    def get(self, request: Request) -> Response:
        """Statements of the channel's own books, newest first."""
        return self.list(request)

    def get_queryset(self) -> QuerySet[Statement]:
        wanted = checked(shapes.StatementQuery, self.request.query_params)
        statements = _statements(self.request)
        return statements.filter(period__name=wanted["period"]) if wanted else statements


class StatementView(APIView):
    scope = "settlement"

    @query(shapes.StatementDetail, operation_id="settlement_statement")
    def get(self, request: Request, pk: int) -> Response:
        """A statement with the balance of each counterparty and the points' roll-forward."""
        statements = _statements(request).prefetch_related("balances__counterparty__org_unit", "points")
        return Response(shapes.StatementDetail(get_object_or_404(statements, pk=pk)).data)


class LinesView(ListAPIView):
    scope = "settlement"
    oldest_first = True
    serializer_class = shapes.LineAnswer

    @query(shapes.LineAnswer(many=True), operation_id="settlement_lines")
    def get(self, request: Request, pk: int) -> Response:
        """A statement's lines: what each kind of event moved with each counterparty."""
        return self.list(request)

    def get_queryset(self) -> QuerySet[StatementLine]:
        statement = get_object_or_404(_statements(self.request), pk=self.kwargs["pk"])
        return statement.lines.select_related("counterparty__org_unit")


class EntriesView(ListAPIView):
    scope = "settlement"
    oldest_first = True
    serializer_class = shapes.PostingAnswer

    @query(shapes.PostingAnswer(many=True), operation_id="settlement_entries")
    def get(self, request: Request, pk: int) -> Response:
        """What a line is made of: every posting, with the event, lot, price and agreement behind it."""
        return self.list(request)

    def get_queryset(self) -> QuerySet[Posting]:
        lines = StatementLine.objects.visible_to(self.request.user).select_related("statement")
        line = get_object_or_404(lines, pk=self.kwargs["pk"])
        postings = Posting.objects.visible_to(self.request.user).inter_company()
        return postings.filter(
            book=line.statement.book_id,
            counterparty=line.counterparty_id,
            journal__period=line.statement.period_id,
            journal__event=line.event,
            journal__is_prior_period=line.is_prior_period,
        ).select_related("journal__store", "journal__entry__lot")


def _groups_period(request: Request, name: str) -> Period:
    """A period to be closed or not by those who see all books. Raises NotYours for a business's channel."""
    period = get_object_or_404(Period.objects.visible_to(request.user), name=name)
    if not request.user.reach.is_group:
        raise NotYours()
    return period


def _origin(request: Request) -> Origin:
    return make_origin(request.user, {}, reference=uuid4().hex, input_hash="")


def _statements(request: Request) -> QuerySet[Statement]:
    return Statement.objects.visible_to(request.user).select_related("period", "book__org_unit")
