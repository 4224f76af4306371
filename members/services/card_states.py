"""The state machine of cards: the table of steps, and taking a locked card one step along it.

Every step is written to the card's history and tells an event, in the transaction of its verb. Blocking a card takes
its row FOR UPDATE, a payment with it FOR SHARE: so from the commit on nothing is spent, and what was being paid before
is finished first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from members import events
from members.errors import CardExpired, CardStateForbids
from members.interfaces import Origin
from members.models import Card, CardChange

State = Card.State
Verb = CardChange.Verb


@dataclass(frozen=True)
class Step:
    """From which states a verb leads, to which, and the event that tells it.

    `to` None: to where the card stood before it was blocked, or where it stands; nothing launders a freeze.
    """

    froms: frozenset[State]
    to: State | None
    event: str


def _step(*froms: State, to: State | None, event: str) -> Step:
    return Step(frozenset(froms), to, event)


IN_USE = (State.ACTIVE, State.FROZEN, State.LOST)
STEPS: Mapping[Verb, Step] = {
    Verb.ACTIVATE: _step(State.ISSUED, to=State.ACTIVE, event="card.activated"),
    Verb.REPORT_LOST: _step(State.ACTIVE, State.FROZEN, to=State.LOST, event="card.lost"),
    Verb.RECOVER: _step(State.LOST, to=None, event="card.recovered"),
    Verb.FREEZE: _step(State.ACTIVE, to=State.FROZEN, event="card.frozen"),
    Verb.UNFREEZE: _step(State.FROZEN, to=State.ACTIVE, event="card.unfrozen"),
    Verb.REPLACE: _step(*IN_USE, to=State.REPLACED, event="card.replaced"),
    Verb.RENEW: _step(*IN_USE, State.EXPIRED, to=None, event="card.renewed"),
    Verb.EXPIRE: _step(*IN_USE, to=State.EXPIRED, event="card.expired"),
    Verb.CLOSE: _step(State.ISSUED, *IN_USE, State.EXPIRED, to=State.CLOSED, event="card.closed"),
}
OVER = (State.REPLACED, State.CLOSED)
# What a card past its day can't do any more, though the clock has not marked it yet.
NEEDS_VALIDITY = frozenset({Verb.RECOVER, Verb.UNFREEZE, Verb.REPLACE})
# The step that brought a card to where it can be brought back from.
UNDOES = {Verb.RECOVER: Verb.REPORT_LOST, Verb.RENEW: Verb.EXPIRE}


def possible(state: str) -> tuple[Verb, ...]:
    """What can be done with a card in this state, by people."""
    return tuple(verb for verb, step in STEPS.items() if state in step.froms and verb != Verb.EXPIRE)


def lock(card: Card) -> Card:
    """The card as it is now; payments with it wait, and it waits for those under way."""
    people = Card.objects.select_related("card_type", "member", "principal", "org_unit")
    return people.select_for_update(of=("self",)).get(pk=card.pk)


def check(card: Card, verb: Verb, *, at: datetime) -> None:
    """Raises CardStateForbids where the verb doesn't lead on from here, CardExpired past the card's validity."""
    if card.state not in STEPS[verb].froms:
        raise CardStateForbids(_refusal(card, verb), state=card.state, verb=verb.value)
    if verb in NEEDS_VALIDITY and card.expires_at and card.expires_at <= at:
        raise CardExpired


def take(card: Card, verb: Verb, *, reason: str = "", origin: Origin, **changed: Any) -> Card:
    """Take a locked card one step, with what else changes about it. Raises what `check` raises."""
    check(card, verb, at=origin.posted_at)
    before, card.state = card.state, target(card, verb)
    for field, value in changed.items():
        setattr(card, field, value)
    card.save(update_fields=["state", *changed])
    write(card, verb, before=before, reason=reason, origin=origin)
    return card


def target(card: Card, verb: Verb) -> State:
    """Where the verb leads from here."""
    return STEPS[verb].to or standing(card, UNDOES[verb])


def standing(card: Card, blocked_by: Verb = Verb.REPORT_LOST) -> State:
    """Where the card stands apart from being lost (or expired): active, or frozen, or again lost."""
    if card.state != STEPS[blocked_by].to:
        return State(card.state)
    before = card.changes.filter(verb=blocked_by).order_by("-pk").values_list("from_state", flat=True).first()
    return State(before or State.ACTIVE)


def write(card: Card, verb: Verb, *, before: str, reason: str = "", origin: Origin, **facts: Any) -> None:
    """The history and the event of a step that was taken."""
    note(card, verb, before=before, reason=reason, origin=origin)
    event = STEPS[verb].event if verb in STEPS else "card.issued"
    data = {
        "card": card.number,
        "card_type": card.card_type.code,
        "from": before,
        "to": card.state,
        "reason": reason,
        "principal": card.principal.member_no if card.principal else None,
    }
    events.record(event, origin=origin, member=card.member, data=data | facts)


def note(card: Card, verb: Verb, *, before: str, reason: str = "", origin: Origin) -> CardChange:
    """A line of the card's history."""
    return CardChange.objects.create(
        card=card,
        verb=verb,
        from_state=before,
        to_state=card.state,
        reason=reason[:200],
        at=origin.at,
        business=origin.business,
        store=origin.store,
        channel=origin.channel,
        operator=origin.actor,
    )


def _refusal(card: Card, verb: Verb) -> str:
    """Where the card is, and what can be done there."""
    told = {"state": card.get_state_display(), "verb": verb.label}
    ways = "、".join(str(way.label) for way in possible(card.state))
    if not ways:
        return _("这张卡%(state)s，不能再%(verb)s；如需用卡请另办新卡。") % told
    return _("这张卡%(state)s，不能%(verb)s；现在可以：%(ways)s。") % (told | {"ways": ways})
