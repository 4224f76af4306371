from members.api.views.attributes import AttributesView
from members.api.views.closures import ClosuresView
from members.api.views.consents import ConsentsView, WithdrawalsView
from members.api.views.events import EventsView
from members.api.views.identities import IdentitiesView, IdentityView
from members.api.views.members import MembersView, MemberView
from members.api.views.merges import MergesView, MergeUndoView
from members.api.views.tickets import (
    TicketClosuresView,
    TicketNotesView,
    TicketRatingsView,
    TicketsView,
    TicketTypesView,
    TicketView,
)

__all__ = [
    "AttributesView",
    "ClosuresView",
    "ConsentsView",
    "EventsView",
    "IdentitiesView",
    "IdentityView",
    "MemberView",
    "MembersView",
    "MergeUndoView",
    "MergesView",
    "TicketClosuresView",
    "TicketNotesView",
    "TicketRatingsView",
    "TicketTypesView",
    "TicketView",
    "TicketsView",
    "WithdrawalsView",
]
