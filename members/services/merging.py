"""Two members become one: the loser stays as a pointer to the winner, and it can be undone for some days.

Each floor contributes a step (`members.interfaces.steps`), run in this transaction. Locks: both members by key, then
what each step takes, in the order of the table.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings

from members import events
from members.errors import (
    MemberNotFound,
    MergeNotUndoable,
    MergeOfOne,
    MergeReasonMissing,
    MergeUndone,
    MergeUndoTooLate,
    NotMergeable,
)
from members.interfaces import Answer, Origin
from members.interfaces.steps import Line, MergeStep, fences, merge_steps
from members.models import Duplicate, Event, Member, Merge
from members.services.organisation import own_origin
from members.services.requests import idempotent

Status = Member.Status
LIVING = (Status.ACTIVE, Status.FROZEN)


def preview(loser: Member, winner: Member, *, actor: Any) -> list[tuple[MergeStep, list[Line]]]:
    """What would move, floor by floor, as far as the actor may see it. Raises MergeOfOne, NotMergeable."""
    _require_two_living(loser, winner)
    return [(step, list(step.preview(loser, winner, actor))) for step in merge_steps]


@idempotent("members.merge")
def merge(loser: Member, winner: Member, *, reason: str, origin: Origin) -> Answer:
    """Make `loser` part of `winner`: all that he has moves, his number leads to the winner from now on.

    A freeze of either holds for the one they become. Raises MergeOfOne, NotMergeable, MergeReasonMissing,
    MemberNotFound (for one whom the asker may not see), and what a step refuses.
    """
    if not reason.strip():
        raise MergeReasonMissing(field="reason")
    loser, winner = _lock(loser, winner)
    _require_visible(origin, loser, winner)
    _require_two_living(loser, winner)
    before: dict[str, Any] = {"loser": loser.status, "winner": winner.status}
    moved = {step.name: step.merge(loser, winner, origin) for step in merge_steps}
    if before["loser"] == Status.FROZEN and winner.status == Status.ACTIVE:
        Member.objects.filter(pk=winner.pk).update(status=Status.FROZEN)
    Member.objects.filter(pk=loser.pk).update(status=Status.MERGED, merged_into=winner)
    done = Merge.objects.create(
        winner=winner,
        loser=loser,
        request=origin.request,
        operator=origin.actor,
        reason=reason.strip()[:200],
        merged_at=origin.posted_at,
        undo_until=origin.posted_at + timedelta(days=settings.MEMBERS_MERGE_UNDO_DAYS),
        moved={"status": before, "steps": moved},
    )
    _decide(loser, winner, Duplicate.State.MERGED, origin)
    events.record("member.merged", origin=origin, member=winner, data=_facts(done))
    return describe(done)


@idempotent("members.undo_merge")
def undo(merge: Merge, *, origin: Origin) -> Answer:
    """Take a merge back, as far as what moved is still there. Raises MergeUndoTooLate, and what `undo_late` raises."""
    if origin.posted_at >= merge.undo_until:
        raise MergeUndoTooLate(undo_until=merge.undo_until.isoformat())
    return _undo(merge, origin)


@idempotent("members.undo_merge")
def undo_late(merge: Merge, *, origin: Origin) -> Answer:
    """The same at any time: with a second person's agreement. Raises MergeUndone, MergeNotUndoable, MemberNotFound."""
    return _undo(merge, origin)


def gather(event: Event) -> None:
    """The reaction to "member.merged": what was on its way to the loser (a coupon, a ticket) follows.

    Who wrote it had read him before the merge, and committed after it. Once: the second time there is nothing new.
    """
    merge = Merge.objects.select_related("loser", "winner", "request").get(pk=event.data["merge"])
    loser, winner = _lock(merge.loser, merge.winner)
    merge = Merge.objects.select_for_update(of=("self",)).select_related("request").get(pk=merge.pk)
    if merge.undone_at or "later" in merge.moved or winner.status not in LIVING:
        return
    for fence in fences:
        fence.lock(winner)
    origin = own_origin("clock").with_request(merge.request)
    merge.moved["later"] = {step.name: step.merge(loser, winner, origin) for step in merge_steps if step.comes_late}
    merge.save(update_fields=["moved"])


def run_undo(arguments: dict[str, Any], origin: Origin) -> Answer:
    """What the approval "members.undo_merge" does. Raises what `undo_late` raises."""
    return undo_late(Merge.objects.select_related("loser", "winner").get(pk=arguments["merge"]), origin=origin)


def _undo(merge: Merge, origin: Origin) -> Answer:
    loser, winner = _lock(merge.loser, merge.winner)
    merge = Merge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    _require_visible(origin, winner)
    if merge.undone_at:
        raise MergeUndone
    if winner.status not in LIVING:
        raise MergeNotUndoable(status=winner.status)
    before, moved = merge.moved["status"], merge.moved["steps"]
    loser.status, loser.merged_into = before["loser"], None
    loser.save(update_fields=["status", "merged_into"])
    if before["winner"] == Status.ACTIVE and before["loser"] == Status.FROZEN == winner.status:
        winner.status = Status.ACTIVE
        winner.save(update_fields=["status"])
    for step in merge_steps:
        for answer in (moved.get(step.name), merge.moved.get("later", {}).get(step.name)):
            if answer is not None:
                step.undo(loser, winner, answer, origin)
    merge.undone_at, merge.undone_by = origin.posted_at, origin.actor
    merge.save(update_fields=["undone_at", "undone_by"])
    _decide(loser, winner, Duplicate.State.DISMISSED, origin)
    facts = _facts(merge)
    events.record("member.merge_undone", origin=origin, member=winner, data=facts)
    events.record("member.merge_undone", origin=origin, member=loser, data=facts)
    return describe(merge)


def describe(merge: Merge) -> Answer:
    return {
        "id": merge.pk,
        "loser": merge.loser.member_no,
        "member_no": merge.winner.member_no,
        "reason": merge.reason,
        "merged_at": merge.merged_at.isoformat(),
        "undo_until": merge.undo_until.isoformat(),
        "undone_at": merge.undone_at.isoformat() if merge.undone_at else None,
    }


def _facts(merge: Merge) -> dict[str, Any]:
    return {"merge": merge.pk, "loser": merge.loser.member_no, "winner": merge.winner.member_no}


def _lock(loser: Member, winner: Member) -> tuple[Member, Member]:
    """Both rows as they stand now, locked by key. Rows that only point to them are written meanwhile."""
    rows = Member.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=(loser.pk, winner.pk))
    found = {row.pk: row for row in rows.order_by("pk")}
    return found[loser.pk], found[winner.pk]


def _require_two_living(loser: Member, winner: Member) -> None:
    if loser.pk == winner.pk:
        raise MergeOfOne(member_no=winner.member_no)
    for member in (loser, winner):
        if member.status not in LIVING:
            raise NotMergeable(member_no=member.member_no, status=member.status)


def _require_visible(origin: Origin, *members: Member) -> None:
    keys = {member.pk for member in members}
    if Member.objects.visible_to(origin.actor or origin.channel).filter(pk__in=keys).count() < len(keys):
        raise MemberNotFound


def _decide(loser: Member, winner: Member, state: Duplicate.State, origin: Origin) -> None:
    """Of this pair it is known now. What is suspected of the loser and others will be of the winner (the clock)."""
    first, second = sorted((loser, winner), key=lambda member: member.pk)
    pair = Duplicate.objects.filter(first=first, second=second)
    pair.update(state=state, decided_at=origin.at, decided_by=origin.actor)
