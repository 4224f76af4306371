"""Maker–checker: a change is asked for, and done when a second person agrees; the asker stays the one who did it.

The verb runs in the transaction of the decision, under the approval's lock: of two who approve at once one does it.
What the verb refuses leaves the approval pending, so that it can be mended, tried again, or rejected.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pghistory
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import translation

from members.errors import ApprovalDecided, ApprovalOverdue, AskerGone, NotYours, OnlyTheAsker, SecondPersonNeeded
from members.events import record
from members.interfaces import Answer, Origin
from members.interfaces.approvals import ApprovalVerb, approval_verbs
from members.models import Approval, ApprovalPolicy, Operator, OrgUnit
from members.scoping import lineage
from members.services.organisation import own_origin
from members.services.requests import claim

State = Approval.State

HOURS = 72  # to decide in, where no policy says otherwise
REASON_LENGTH = Approval._meta.get_field("reason").max_length
TITLE_LENGTH = Approval._meta.get_field("title").max_length
EXPIRED_AT_ONCE = 500


def needed(verb: str, org_unit: OrgUnit, quantity: int = 0) -> ApprovalPolicy | None:
    """The policy that wants a second person for this much (either sign) at a node; None where one person will do."""
    policy = policy_for(verb, org_unit)
    return policy if policy and abs(quantity) >= policy.threshold else None


def policy_for(verb: str, org_unit: OrgUnit) -> ApprovalPolicy | None:
    """The active policy of the nearest node, from `org_unit` upwards."""
    policies = ApprovalPolicy.objects.filter(verb=verb, is_active=True, org_unit__path__in=lineage(org_unit))
    return policies.select_related("org_unit").order_by("-org_unit__depth").first()


@transaction.atomic
def ask(
    verb: str,
    *,
    org_unit: OrgUnit,
    quantity: int = 0,
    arguments: dict[str, Any],
    before: Mapping[Any, Any],
    after: Mapping[Any, Any],
    title: Any,
    reason: str = "",
    origin: Origin,
) -> Approval:
    """Ask for a verb of the table, in the name of `origin.actor`; the same reference asks once.

    `before`, `after` (label → text) and `title` may be lazy: they are kept in the language of the source, in which
    the pages translate labels again for whoever reads them. Raises NotYours where the actor doesn't reach the node,
    KeyError for a verb that is not in the table.
    """
    asker = _decider(origin)
    _require_reach(asker, org_unit)
    name = approval_verbs[verb].name
    request, is_new = claim(origin, "approvals.ask")
    if not is_new:
        return Approval.objects.get(pk=request.answer["approval"])
    policy = policy_for(verb, org_unit)
    approval = Approval.objects.create(
        verb=name,
        title=_kept(title)[:TITLE_LENGTH],
        org_unit=org_unit,
        quantity=quantity,
        arguments=_native(arguments),
        before={_kept(label): _kept(text) for label, text in before.items()},
        after={_kept(label): _kept(text) for label, text in after.items()},
        reason=reason[:REASON_LENGTH],
        asked_by=asker,
        asked_at=origin.posted_at,
        expires_at=origin.posted_at + timedelta(hours=policy.hours if policy else HOURS),
    )
    request.answer = {"approval": approval.pk}
    request.save(update_fields=["answer"])
    record("approval.asked", origin=origin, data=_facts(approval))
    return approval


@transaction.atomic
def approve(approval: Approval, *, note: str = "", origin: Origin) -> Approval:
    """Agree, and do it: the asker is the verb's actor, and its reference leads back here.

    Raises what `require_second_person` raises, ApprovalDecided, ApprovalOverdue, AskerGone, and what the verb refuses.
    """
    approval = _lock_open(approval, origin)
    verb = require_second_person(approval, _decider(origin))
    with _attributed_to_asker(approval):
        approval.answer = _native(verb.run(approval.arguments, _asker_s_origin(approval, origin)))
    return _decide(approval, State.APPROVED, note, origin)


@transaction.atomic
def reject(approval: Approval, *, note: str = "", origin: Origin) -> Approval:
    """Refuse what was asked for. Raises what `require_second_person` raises, ApprovalDecided, ApprovalOverdue."""
    approval = _lock_open(approval, origin)
    require_second_person(approval, _decider(origin))
    return _decide(approval, State.REJECTED, note, origin)


@transaction.atomic
def withdraw(approval: Approval, *, note: str = "", origin: Origin) -> Approval:
    """Take back what one asked for oneself. Raises OnlyTheAsker, ApprovalDecided, ApprovalOverdue."""
    approval = _lock_open(approval, origin)
    if approval.asked_by != origin.actor:
        raise OnlyTheAsker
    return _decide(approval, State.WITHDRAWN, note, origin)


def expire_due(now: datetime) -> int:
    """Close what nobody decided in time; safe beside a decision under way, which it passes over. Returns how many."""
    count = 0
    while expired := _expire_some(now):
        count += expired
    return count


@transaction.atomic
def _expire_some(now: datetime) -> int:
    due = Approval.objects.pending().filter(expires_at__lte=now).select_related("org_unit__business").order_by("pk")
    approvals = list(due.select_for_update(of=("self",), skip_locked=True)[:EXPIRED_AT_ONCE])
    for approval in approvals:
        Approval.objects.filter(pk=approval.pk).update(state=State.EXPIRED)
        clock = own_origin("clock", business=approval.org_unit.business, at=now)
        record("approval.expired", origin=clock, data=_facts(approval))
    return len(approvals)


def require_second_person(approval: Approval, actor: Operator) -> ApprovalVerb:
    """The verb, where this operator may decide upon it. Raises SecondPersonNeeded, NotYours.

    He is another one than who asked, stands on the node or above it, may decide at all, and may do such a thing.
    """
    if approval.asked_by_id == actor.pk:
        raise SecondPersonNeeded
    _require_reach(actor, approval.org_unit)
    if approval.verb not in approval_verbs:  # asked for before an upgrade that no longer knows it
        raise NotYours(verb=approval.verb)
    verb = approval_verbs[approval.verb]
    permissions = ["members.decide_approval", *filter(None, [verb.permission])]
    if not actor.is_active or not actor.has_perms(permissions):
        raise NotYours(permissions=permissions)
    return verb


def _lock_open(approval: Approval, origin: Origin) -> Approval:
    rows = Approval.objects.select_related("org_unit", "asked_by__org_unit__business")
    approval = rows.select_for_update(of=("self",)).get(pk=approval.pk)
    if approval.state != State.PENDING:
        raise ApprovalDecided(state=approval.state)
    if approval.expires_at <= origin.posted_at:
        raise ApprovalOverdue
    return approval


def _asker_s_origin(approval: Approval, origin: Origin) -> Origin:
    """He may have left, or been moved, since he asked. Raises AskerGone."""
    asker = approval.asked_by
    reach = asker.reach
    if not asker.is_active or reach is None or not approval.org_unit.path.startswith(reach.path):
        raise AskerGone
    return replace(
        origin,
        reference=f"approval:{approval.pk}",
        actor=asker,
        business=reach.business,
        store=None,
        terminal=None,
        input_hash="",
        request=None,
    )


@contextmanager
def _attributed_to_asker(approval: Approval) -> Iterator[None]:
    """In the audit trail, too, he is who did it; who agreed stands in the approval that the entries name.

    Inside a request its context is shared, not nested: what stood there is put back.
    """
    with pghistory.context() as context:
        request = dict(context.metadata)
        context.metadata.update(operator=approval.asked_by_id, page=f"approval #{approval.pk}")
        try:
            yield
        finally:
            context.metadata.clear()
            context.metadata.update(request)


def _decide(approval: Approval, state: Approval.State, note: str, origin: Origin) -> Approval:
    approval.state, approval.note = state, note[:REASON_LENGTH]
    approval.decided_by, approval.decided_at = origin.actor, origin.posted_at
    approval.save(update_fields=["state", "note", "decided_by", "decided_at", "answer"])
    record(f"approval.{state}", origin=origin, data=_facts(approval))
    return approval


def _decider(origin: Origin) -> Operator:
    if origin.actor is None:
        raise NotYours
    return origin.actor


def _require_reach(actor: Operator, org_unit: OrgUnit) -> None:
    reach = actor.reach
    if reach is None or not org_unit.path.startswith(reach.path):
        raise NotYours(org_unit=org_unit.code)


def _facts(approval: Approval) -> Answer:
    return {
        "approval": approval.pk,
        "verb": approval.verb,
        "org_unit": approval.org_unit.code,
        "quantity": approval.quantity,
        "asked_by": approval.asked_by_id,
    }


def _kept(text: Any) -> str:
    with translation.override(settings.LANGUAGE_CODE):
        return str(text)


def _native(value: Any) -> Any:
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))
