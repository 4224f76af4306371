"""The life of a service ticket as data: which verb leads from which state to which, and how long there is for it."""

import secrets
from datetime import date, datetime, timedelta

# verb → {state before: state after}; a verb that is not said of a state is refused there.
MOVES: dict[str, dict[str, str]] = {
    # staff
    "take": {"new": "in_progress", "in_progress": "in_progress", "waiting": "in_progress"},
    "reply": {"new": "in_progress", "in_progress": "in_progress", "waiting": "in_progress"},
    "ask": {"new": "waiting", "in_progress": "waiting", "waiting": "waiting"},
    "resolve": {"new": "resolved", "in_progress": "resolved", "waiting": "resolved"},
    "reopen": {"resolved": "in_progress"},
    # the member
    "answer": {"new": "new", "in_progress": "in_progress", "waiting": "in_progress", "resolved": "in_progress"},
    "withdraw": {"new": "closed", "in_progress": "closed", "waiting": "closed", "resolved": "closed"},
    # His word on it is the last one: what is rated is closed, so that nothing rated is ever opened again.
    "rate": {"resolved": "closed", "closed": "closed"},
    # the clock
    "close": {"resolved": "closed"},
}

QUARTERS = {1: 1, 2: 2, 3: 4, 4: 8}  # of the type's hours, by priority: urgent ¼, high ½, normal, low × 2
RANDOM_DIGITS = 6


def after(verb: str, state: str) -> str | None:
    """The state to which the verb leads, or None where it can't be done."""
    return MOVES[verb].get(state)


def may(state: str) -> frozenset[str]:
    """The verbs that can be done in this state."""
    return frozenset(verb for verb, moves in MOVES.items() if state in moves)


def due_at(at: datetime, *, hours: int, priority: int) -> datetime:
    """Until when a ticket of a type with `hours` is to be resolved; round the clock."""
    return at + timedelta(hours=hours) * QUARTERS[priority] / 4


def new_ticket_number(today: date) -> str:
    """T, the day, six random digits: nobody reads from it how many there are, or what his neighbour's is."""
    return f"T{today:%Y%m%d}{secrets.randbelow(10**RANDOM_DIGITS):0{RANDOM_DIGITS}d}"
