"""Members' own pages: signing in, joining, home, the member code, me. Floors above add panels and pages."""

from members.views.attributes import about_me
from members.views.cards import card, card_step, cards, cards_panel
from members.views.home import code, home
from members.views.important_dates import dates, remove_date
from members.views.me import (
    change_contact,
    contacts,
    me,
    profile,
    prove_contact,
    remove_contact,
    verify_contact,
)
from members.views.my_data import download_my_data, leave, leave_code, my_consents, my_data
from members.views.signing_in import enrol, resend_code, sign_in, sign_in_code, sign_out, terms
from members.views.tickets import answer_ticket, my_tickets, open_ticket, rate_ticket, ticket

__all__ = [
    "about_me",
    "answer_ticket",
    "card",
    "card_step",
    "cards",
    "cards_panel",
    "change_contact",
    "code",
    "contacts",
    "dates",
    "download_my_data",
    "enrol",
    "home",
    "leave",
    "leave_code",
    "me",
    "my_consents",
    "my_data",
    "my_tickets",
    "open_ticket",
    "profile",
    "prove_contact",
    "rate_ticket",
    "remove_contact",
    "remove_date",
    "resend_code",
    "sign_in",
    "sign_in_code",
    "sign_out",
    "terms",
    "ticket",
    "verify_contact",
]
