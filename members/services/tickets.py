"""Service tickets: opened by staff, channels or members, talked about, resolved, rated, and closed by the clock.

What may follow what is the table in rules/tickets.py. Every step is a note: public ones are the conversation with
the member, internal ones stay in the house.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from members import events
from members.errors import (
    InvalidScore,
    TextMissing,
    TicketAlreadyRated,
    TicketNotMovable,
    TicketTypeNotFound,
    TooManyTickets,
)
from members.interfaces import Answer, Origin
from members.models import Channel, Member, Operator, OrgUnit, Ticket, TicketNote, TicketType
from members.rules import tickets as rules
from members.scoping import lineage
from members.services.locking import locked
from members.services.organisation import group, own_origin, today_at
from members.services.places import check_reach, placed
from members.services.requests import idempotent

MOST_OPEN = 10  # of one member, opened without staff: enough for a person, too few for a flood
SCORES = range(1, 6)
BATCH = 200
MOVED = ("state", "assigned_to", "resolved_at", "closed_at", "due_at", "satisfaction", "satisfaction_note")

Priority = Ticket.Priority


# --- Opening ----------------------------------------------------------------------------------------------------


def types_at(business: OrgUnit | None):
    """The types in use at a business: its own, and the group's."""
    return TicketType.objects.active().filter(org_unit__path__in=lineage(business or group())).order_by("pk")


@idempotent("tickets.open")
def open_ticket(
    member: Member,
    *,
    type: TicketType,
    title: str,
    description: str,
    priority: int = Priority.NORMAL,
    business: OrgUnit | None,
    store: OrgUnit | None = None,
    assigned_to: Operator | None = None,
    origin: Origin,
) -> Answer:
    """Answers number, state and due time.

    Raises MemberClosed, TicketTypeNotFound, TextMissing, OperatorOutOfReach, TooManyTickets.
    """
    member = locked(member)  # so that he neither leaves meanwhile nor opens more than he may
    business = store.business if store else business
    _check_opening(member, type, title, description, business, origin)
    check_reach(assigned_to, business=business, store=store)
    ticket = Ticket.objects.create(
        number=_free_number(business, origin.at),
        member=member,
        business=business,
        store=store,
        type=type,
        priority=priority,
        title=title.strip(),
        description=description.strip(),
        assigned_to=assigned_to,
        channel=origin.channel,
        created_by=origin.actor,
        created_at=origin.at,
        due_at=rules.due_at(origin.at, hours=type.hours, priority=priority),
    )
    _record("ticket.opened", ticket, origin, type=type.code, priority=int(priority))
    return {"number": ticket.number, "state": ticket.state, "due_at": ticket.due_at.isoformat()}


def _check_opening(
    member: Member, type: TicketType, title: str, description: str, business: OrgUnit | None, origin: Origin
) -> None:
    if not type.is_active or type.org_unit.path not in lineage(business or group()):
        raise TicketTypeNotFound(field="type")
    for field, text in (("title", title), ("description", description)):
        if not text.strip():
            raise TextMissing(field=field)
    if origin.actor is None and member.tickets.open().count() >= MOST_OPEN:
        raise TooManyTickets


def _free_number(business: OrgUnit | None, at: datetime) -> str:
    """A twin drawn at this very moment is refused by the unique constraint."""
    day = today_at(business, at)
    while True:
        number = rules.new_ticket_number(day)
        if not Ticket.objects.filter(number=number).exists():
            return number


# --- Staff ------------------------------------------------------------------------------------------------------


@idempotent("tickets.take")
def take(ticket: Ticket, *, origin: Origin) -> Answer:
    """Make it one's own and begin. Raises TicketNotMovable, OperatorOutOfReach."""
    ticket = _locked(ticket)
    check_reach(origin.actor, business=ticket.business, store=ticket.store)
    ticket.assigned_to = origin.actor
    return _move(ticket, "take", "ticket.taken", "", origin, is_internal=True)


@idempotent("tickets.assign")
def assign(ticket: Ticket, operator: Operator | None, *, note: str = "", origin: Origin) -> Answer:
    """Hand it to somebody who sees it, or back to all (None). Raises TicketNotMovable, OperatorOutOfReach."""
    ticket = _locked(ticket)
    if ticket.state == Ticket.State.CLOSED:
        raise TicketNotMovable
    check_reach(operator, business=ticket.business, store=ticket.store)
    ticket.assigned_to = operator
    ticket.save(update_fields=["assigned_to"])
    told = f"→ {operator.get_full_name() or operator}" if operator else "→ —"
    _note(ticket, f"{told} {note}".strip(), origin, is_internal=True)
    _record("ticket.assigned", ticket, origin, assigned_to=operator.username if operator else None)
    return _answer(ticket)


@idempotent("tickets.reply")
def reply(ticket: Ticket, text: str, *, origin: Origin) -> Answer:
    """Tell the member something; the ticket is being worked on. Raises TextMissing, TicketNotMovable."""
    return _move(_locked(ticket), "reply", "ticket.replied", _said(text), origin, is_internal=False)


@idempotent("tickets.ask")
def ask(ticket: Ticket, text: str, *, origin: Origin) -> Answer:
    """Ask the member something, and wait for him. Raises TextMissing, TicketNotMovable."""
    return _move(_locked(ticket), "ask", "ticket.replied", _said(text), origin, is_internal=False)


@idempotent("tickets.note")
def note(ticket: Ticket, text: str, *, origin: Origin) -> Answer:
    """Write something that the member never sees, at any time. Raises TextMissing."""
    ticket = _locked(ticket)
    _note(ticket, _said(text), origin, is_internal=True)
    _record("ticket.noted", ticket, origin)
    return _answer(ticket)


@idempotent("tickets.resolve")
def resolve(ticket: Ticket, text: str, *, origin: Origin) -> Answer:
    """Tell the member how it was settled. Raises TextMissing, TicketNotMovable."""
    return _move(_locked(ticket), "resolve", "ticket.resolved", _said(text), origin, is_internal=False)


@idempotent("tickets.reopen")
def reopen(ticket: Ticket, text: str, *, origin: Origin) -> Answer:
    """Take up again what was resolved too soon, with a new due time. Raises TextMissing, TicketNotMovable."""
    return _move(_locked(ticket), "reopen", "ticket.reopened", _said(text), origin, is_internal=True)


# --- The member -------------------------------------------------------------------------------------------------


@idempotent("tickets.answer")
def answer(ticket: Ticket, text: str, *, origin: Origin) -> Answer:
    """What the member says; after the resolution, that opens it again. Raises TextMissing, TicketNotMovable."""
    ticket = _locked(ticket)
    event = "ticket.reopened" if ticket.state == Ticket.State.RESOLVED else "ticket.answered"
    return _move(ticket, "answer", event, _said(text), origin, is_internal=False, is_by_member=True)


@idempotent("tickets.withdraw")
def withdraw(ticket: Ticket, text: str = "", *, origin: Origin) -> Answer:
    """The member needs nothing more. Raises TicketNotMovable."""
    said = {"is_internal": False, "is_by_member": True}
    return _move(_locked(ticket), "withdraw", "ticket.closed", text.strip(), origin, **said)


@idempotent("tickets.rate")
def rate(ticket: Ticket, score: int, note: str = "", *, origin: Origin) -> Answer:
    """How it went, 1 to 5, once, when it is over; that closes it. Raises InvalidScore, TicketAlreadyRated,
    TicketNotMovable."""
    if score not in SCORES:
        raise InvalidScore(field="score")
    ticket = _locked(ticket)
    if ticket.satisfaction is not None:
        raise TicketAlreadyRated
    ticket.satisfaction, ticket.satisfaction_note = score, note.strip()
    said = {"is_internal": False, "is_by_member": True}
    return _move(ticket, "rate", "ticket.rated", "", origin, **said, satisfaction=score)


# --- The clock --------------------------------------------------------------------------------------------------


def close_resolved(now: datetime) -> int:
    """Close what was resolved long enough ago. Returns how many; safe to run twice and side by side."""
    resolved_by = now - timedelta(days=settings.MEMBERS_TICKET_CLOSE_DAYS)
    due = Ticket.objects.filter(state=Ticket.State.RESOLVED, resolved_at__lte=resolved_by).order_by("pk")
    closed = 0
    while batch := _close_some(due, now):
        closed += batch
    return closed


@transaction.atomic
def _close_some(due, now: datetime) -> int:
    rows = due.select_for_update(of=("self",), skip_locked=True).select_related("member", "business", "store")
    batch = list(rows[:BATCH])
    origin = own_origin(Channel.Kind.CLOCK, at=now)
    for ticket in batch:
        _move(ticket, "close", "ticket.closed", "", origin, is_internal=False)
    return len(batch)


# --- Any step ---------------------------------------------------------------------------------------------------


def _locked(ticket: Ticket) -> Ticket:
    rows = Ticket.objects.select_for_update(of=("self",))
    return rows.select_related("member", "business", "store", "type").get(pk=ticket.pk)


def _said(text: str) -> str:
    if not text.strip():
        raise TextMissing(field="text")
    return text.strip()


def _move(
    ticket: Ticket,
    verb: str,
    event: str,
    text: str,
    origin: Origin,
    *,
    is_internal: bool,
    is_by_member: bool = False,
    **data,
) -> Answer:
    before, after = ticket.state, rules.after(verb, ticket.state)
    if after is None:
        raise TicketNotMovable(state=before)
    ticket.state = after
    if before != after:
        _date(ticket, before, origin.at)
    ticket.save(update_fields=MOVED)
    if text or before != after:
        _note(ticket, text, origin, is_internal=is_internal, is_by_member=is_by_member, before=before)
    _record(event, ticket, origin, state=after, **data)
    return _answer(ticket)


def _date(ticket: Ticket, before: str, at: datetime) -> None:
    if ticket.state == Ticket.State.RESOLVED:
        ticket.resolved_at = at
    if ticket.state == Ticket.State.CLOSED:
        ticket.closed_at = at
    if before == Ticket.State.RESOLVED and ticket.state == Ticket.State.IN_PROGRESS:  # again, with as long as at first
        ticket.resolved_at = None
        ticket.due_at = rules.due_at(at, hours=ticket.type.hours, priority=ticket.priority)


def _note(
    ticket: Ticket, text: str, origin: Origin, *, is_internal: bool, is_by_member: bool = False, before: str = ""
) -> None:
    moved = bool(before) and before != ticket.state
    TicketNote.objects.create(
        ticket=ticket,
        text=text,
        is_internal=is_internal,
        is_by_member=is_by_member,
        operator=origin.actor,
        from_state=before if moved else "",
        to_state=ticket.state if moved else "",
        at=origin.at,
    )


def _answer(ticket: Ticket) -> Answer:
    return {"number": ticket.number, "state": ticket.state, "due_at": ticket.due_at.isoformat()}


def _record(event: str, ticket: Ticket, origin: Origin, **data) -> None:
    """Without what was said: events go out to channels."""
    where = placed(origin, business=ticket.business, store=ticket.store)
    events.record(event, origin=where, member=ticket.member, data={"ticket": ticket.number, **data})
