"""Members' own pages: signing in, joining, home, the member code, me. Floors above add panels and pages."""

from members.views.attributes import about_me
from members.views.cards import card, card_step, cards, cards_panel
from members.views.home import code, home
from members.views.important_dates import dates, remove_date
from members.views.me import me
from members.views.signing_in import enrol, resend_code, sign_in, sign_in_code, sign_out, terms
from members.views.tickets import answer_ticket, my_tickets, open_ticket, rate_ticket, ticket

__all__ = [
    "about_me",
    "answer_ticket",
    "card",
    "card_step",
    "cards",
    "cards_panel",
    "code",
    "dates",
    "enrol",
    "home",
    "me",
    "my_tickets",
    "open_ticket",
    "rate_ticket",
    "remove_date",
    "resend_code",
    "sign_in",
    "sign_in_code",
    "sign_out",
    "terms",
    "ticket",
]
