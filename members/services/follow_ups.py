"""Contacts with members: planned, assigned, done with an outcome, and followed by the next one."""

from datetime import date

from members import events
from members.errors import FollowUpInThePast, FollowUpNotOpen, OutcomeMissing, TextMissing
from members.interfaces import Answer, Origin
from members.models import FollowUp, Member, Operator, OrgUnit
from members.services.locking import locked
from members.services.organisation import today_at
from members.services.places import check_reach, placed
from members.services.requests import idempotent


@idempotent("follow_ups.plan")
def plan(
    member: Member,
    *,
    text: str,
    due_on: date,
    medium: str = FollowUp.Medium.PHONE,
    business: OrgUnit | None,
    store: OrgUnit | None = None,
    assigned_to: Operator | None = None,
    origin: Origin,
) -> Answer:
    """Plan a contact; `business=None` is the group's own. Answers {"id"}.

    Raises MemberClosed, TextMissing, FollowUpInThePast, OperatorOutOfReach.
    """
    member = locked(member)
    if not text.strip():
        raise TextMissing(field="plan")
    business = store.business if store else business
    _check_day(due_on, business, origin)
    check_reach(assigned_to, business=business, store=store)
    follow_up = FollowUp.objects.create(
        member=member,
        business=business,
        store=store,
        plan=text.strip(),
        medium=medium,
        due_on=due_on,
        assigned_to=assigned_to,
        created_by=origin.actor,
        created_at=origin.at,
    )
    _record("follow_up.planned", follow_up, origin, due_on=str(due_on), assigned_to=_name(assigned_to))
    return {"id": follow_up.pk}


@idempotent("follow_ups.assign")
def assign(follow_up: FollowUp, operator: Operator | None, *, origin: Origin) -> Answer:
    """Hand it to somebody who sees it, or back to all (None). Raises FollowUpNotOpen, OperatorOutOfReach."""
    follow_up = _open(follow_up)
    check_reach(operator, business=follow_up.business, store=follow_up.store)
    follow_up.assigned_to = operator
    follow_up.save(update_fields=["assigned_to"])
    _record("follow_up.assigned", follow_up, origin, assigned_to=_name(operator))
    return {"id": follow_up.pk}


@idempotent("follow_ups.done")
def done(
    follow_up: FollowUp,
    *,
    outcome: str,
    note: str = "",
    next_on: date | None = None,
    next_plan: str = "",
    origin: Origin,
) -> Answer:
    """Write what came of it; with `next_on`, plan the next one for the same person. Answers {"id", "next"}.

    Raises FollowUpNotOpen, OutcomeMissing, FollowUpInThePast; MemberClosed for a next one.
    """
    if next_on:  # so that nobody leaves between this one's end and the next one's beginning
        locked(follow_up.member)
    follow_up = _open(follow_up)
    if outcome not in FollowUp.Outcome:
        raise OutcomeMissing(field="outcome")
    if next_on:
        _check_day(next_on, follow_up.business, origin)
    follow_up.state = FollowUp.State.DONE
    follow_up.outcome, follow_up.note = outcome, note.strip()
    follow_up.done_at, follow_up.done_by = origin.at, origin.actor
    follow_up.save(update_fields=["state", "outcome", "note", "done_at", "done_by"])
    following = _following(follow_up, next_on, next_plan, origin) if next_on else None
    _record("follow_up.done", follow_up, origin, outcome=outcome, next=following and following.pk)
    return {"id": follow_up.pk, "next": following.pk if following else None}


@idempotent("follow_ups.cancel")
def cancel(follow_up: FollowUp, *, reason: str, origin: Origin) -> Answer:
    """Raises FollowUpNotOpen, TextMissing."""
    follow_up = _open(follow_up)
    if not reason.strip():
        raise TextMissing(field="reason")
    follow_up.state, follow_up.note = FollowUp.State.CANCELLED, reason.strip()
    follow_up.save(update_fields=["state", "note"])
    _record("follow_up.cancelled", follow_up, origin)
    return {"id": follow_up.pk}


def _following(follow_up: FollowUp, due_on: date, text: str, origin: Origin) -> FollowUp:
    return FollowUp.objects.create(
        member=follow_up.member,
        business=follow_up.business,
        store=follow_up.store,
        plan=text.strip() or follow_up.plan,
        medium=follow_up.medium,
        due_on=due_on,
        assigned_to=follow_up.assigned_to,
        after=follow_up,
        created_by=origin.actor,
        created_at=origin.at,
    )


def _open(follow_up: FollowUp) -> FollowUp:
    rows = FollowUp.objects.select_for_update(of=("self",)).select_related("member", "business", "store")
    follow_up = rows.get(pk=follow_up.pk)
    if follow_up.state != FollowUp.State.OPEN:
        raise FollowUpNotOpen
    return follow_up


def _check_day(day: date, business: OrgUnit | None, origin: Origin) -> None:
    if day < today_at(business, origin.at):
        raise FollowUpInThePast(field="due_on")


def _name(operator: Operator | None) -> str | None:
    return operator.username if operator else None


def _record(event: str, follow_up: FollowUp, origin: Origin, **data) -> None:
    """Without what was said: that is about a person, and events go out to channels."""
    where = placed(origin, business=follow_up.business, store=follow_up.store)
    events.record(event, origin=where, member=follow_up.member, data={"follow_up": follow_up.pk, **data})
