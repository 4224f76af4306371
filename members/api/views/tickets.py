"""Service tickets, for channels: opened, read and talked about. What staff note among themselves stays inside."""

from django.db.models import Prefetch, QuerySet
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api.serializers import tickets as shapes
from members.errors import TicketNotFound, TicketTypeNotFound
from members.interfaces.api import (
    business_of,
    checked,
    created,
    member_of,
    origin_of,
    query,
    verb,
)
from members.models import Ticket, TicketNote, TicketType
from members.services import tickets

RELATED = ("member", "business", "store", "type")


class TicketsView(ListAPIView):
    scope = "tickets"
    serializer_class = shapes.TicketRow

    @query(shapes.TicketRow(many=True), reader=shapes.TicketQuery, operation_id="tickets_list")
    def get(self, request: Request) -> Response:
        """Tickets within the channel's reach, newest first."""
        return self.list(request)

    def get_queryset(self) -> QuerySet[Ticket]:
        wanted = checked(shapes.TicketQuery, self.request.query_params)
        found = Ticket.objects.visible_to(self.request.user).select_related(*RELATED)
        if "member" in wanted:
            found = found.filter(member=member_of(self.request.user, wanted["member"]))
        return found.filter(state=wanted["state"]) if "state" in wanted else found

    @verb(shapes.TicketInput, shapes.TicketStanding, operation_id="tickets_open")
    def post(self, request: Request) -> Response:
        """Open a ticket for a member."""
        data = checked(shapes.TicketInput, request.data)
        origin = origin_of(request, data)
        member = member_of(request.user, data["member"])
        business = origin.store.business if origin.store else business_of(request.user, data.get("business"))
        answer = tickets.open_ticket(
            member,
            type=_type(request, data["type"]),
            title=data["title"],
            description=data["description"],
            priority=shapes.PRIORITIES[data.get("priority", "normal")],
            business=business,
            store=origin.store,
            origin=origin,
        )
        return created(answer)


class TicketTypesView(APIView):
    scope = "tickets"

    @query(shapes.TicketTypes, operation_id="ticket_types_list")
    def get(self, request: Request) -> Response:
        """What a ticket of the channel's business may be about."""
        return Response(shapes.TicketTypes({"results": tickets.types_at(request.user.org_unit)}).data)


class TicketView(APIView):
    scope = "tickets"

    @query(shapes.TicketAnswer, operation_id="tickets_read")
    def get(self, request: Request, number: str) -> Response:
        """One ticket with all that was said to the member and by him."""
        public = TicketNote.objects.filter(is_internal=False)
        rows = Ticket.objects.select_related(*RELATED).prefetch_related(Prefetch("notes", public, "public_notes"))
        return Response(shapes.TicketAnswer(_ticket(request, number, rows)).data)


class TicketNotesView(APIView):
    scope = "tickets"

    @verb(shapes.NoteInput, shapes.TicketStanding, operation_id="tickets_note")
    def post(self, request: Request, number: str) -> Response:
        """Say something to the member, or for him."""
        ticket = _ticket(request, number)
        data = checked(shapes.NoteInput, request.data)
        say = tickets.answer if data["is_by_member"] else tickets.reply
        return created(say(ticket, data["text"], origin=origin_of(request, {})))


class TicketRatingsView(APIView):
    scope = "tickets"

    @verb(shapes.RatingInput, shapes.TicketStanding, operation_id="tickets_rate")
    def post(self, request: Request, number: str) -> Response:
        """How it went, once, after the resolution; that closes it."""
        ticket = _ticket(request, number)
        data = checked(shapes.RatingInput, request.data)
        return created(tickets.rate(ticket, data["score"], data.get("note", ""), origin=origin_of(request, {})))


class TicketClosuresView(APIView):
    scope = "tickets"

    @verb(shapes.TicketClosureInput, shapes.TicketStanding, operation_id="tickets_close")
    def post(self, request: Request, number: str) -> Response:
        """The member needs nothing more."""
        ticket = _ticket(request, number)
        data = checked(shapes.TicketClosureInput, request.data)
        return created(tickets.withdraw(ticket, data.get("note", ""), origin=origin_of(request, {})))


def _ticket(request: Request, number: str, rows: QuerySet[Ticket] | None = None) -> Ticket:
    found = (Ticket.objects.all() if rows is None else rows).visible_to(request.user).filter(number=number).first()
    if found is None:
        raise TicketNotFound
    return found


def _type(request: Request, code: str) -> TicketType:
    found = TicketType.objects.visible_to(request.user).filter(code=code).first()
    if found is None:
        raise TicketTypeNotFound(field="type")
    return found
