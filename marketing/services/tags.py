"""Tags set and taken by hand, and tags computed from their rule."""

from collections.abc import Iterable
from datetime import date, datetime
from time import monotonic

from django.db import DatabaseError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value

from marketing.errors import (
    NotARuleTag,
    OutOfTheTagsScope,
    TagEndsBeforeItBegins,
    TagIsBeingRecomputed,
    TagsAskForEachOther,
)
from marketing.models import MemberTag, Tag, TagRun
from marketing.rules import cycle_in, in_dependency_order
from marketing.statements import insert_select, time_limit
from members import criteria
from members.events import record
from members.interfaces import Origin
from members.models import Member

LONGEST_SECONDS = 600


@transaction.atomic
def save(tag: Tag, *, origin: Origin) -> Tag:
    """Make or change a tag; another rule is another version. Raises TagsAskForEachOther."""
    refuse_cycle(tag)
    before = Tag.objects.select_for_update().filter(pk=tag.pk).first()
    if before and before.rule != tag.rule:
        tag.version = before.version + 1
    tag.save()
    record("tag.saved", origin=origin, data={"tag": tag.code, "version": tag.version})
    return tag


def refuse_cycle(tag: Tag) -> None:
    """Rules read other tags as they stand, in order of dependency: a circle of rules has no such order."""
    rules = dict(Tag.objects.by_rule().exclude(pk=tag.pk).values_list("code", "rule"))
    cycle = cycle_in({**rules, tag.code: tag.rule})
    if cycle:
        raise TagsAskForEachOther(" → ".join(cycle), field="rule")


@transaction.atomic
def tag_member(
    member: Member, tag: Tag, *, why: str, origin: Origin, value: str = "", until: datetime | None = None
) -> MemberTag:
    """Set a tag by hand: it beats the tag's rule, until its end. Raises OutOfTheTagsScope, TagEndsBeforeItBegins."""
    if until is not None and until <= origin.at:
        raise TagEndsBeforeItBegins(field="until")
    refuse_out_of_scope(member, tag)
    row = _set_by_hand(member, tag, why=why, origin=origin, value=value, until=until, is_held_off=False)
    record("tag.set", origin=origin, member=member, data={"tag": tag.code, "value": value})
    return row


def refuse_out_of_scope(member: Member, tag: Tag) -> None:
    if not Member.objects.visible_to(tag).filter(pk=member.pk).exists():
        raise OutOfTheTagsScope(field="member")


@transaction.atomic
def untag_member(member: Member, tag: Tag, *, why: str, origin: Origin) -> None:
    """Take a tag off by hand. Off a rule tag that is kept, or the next computation would set it again."""
    if tag.kind == Tag.Kind.RULE:
        _set_by_hand(member, tag, why=why, origin=origin, value="", until=None, is_held_off=True)
    else:
        MemberTag.objects.filter(member=member, tag=tag).delete()
    record("tag.removed", origin=origin, member=member, data={"tag": tag.code})


def _set_by_hand(member: Member, tag: Tag, *, origin: Origin, **said) -> MemberTag:
    by_hand = {"source": MemberTag.Source.MANUAL, "set_by": origin.actor, "since": origin.at, **said}
    return MemberTag.objects.update_or_create(member=member, tag=tag, defaults=by_hand)[0]


def recompute(tag: Tag, *, as_of: date, origin: Origin) -> TagRun:
    """Bring the rule's members up to date by difference: one DELETE, one INSERT; rows set by hand stay.

    Always leaves a run; a statement that failed or took too long is in its `error`, and has changed nothing.
    Raises NotARuleTag, TagIsBeingRecomputed.
    """
    started = monotonic()
    run = TagRun(tag=tag, version=tag.version, as_of=as_of, at=origin.at)
    try:
        with time_limit(LONGEST_SECONDS):
            _apply_rule(run, origin)
    except DatabaseError as error:
        run.added = run.removed = 0
        run.error = str(error).strip()
    run.milliseconds = int((monotonic() - started) * 1000)
    run.save()
    return run


def _apply_rule(run: TagRun, origin: Origin) -> None:
    tag = _lease(run.tag)
    run.version = tag.version
    members = matching(tag, as_of=run.as_of)
    rows = MemberTag.objects.filter(tag=tag)
    run.removed = rows.filter(_has_left(members) | _was_set_by_hand_until(origin.at)).delete()[0]
    run.added = insert_select(
        MemberTag,
        members.filter(~Exists(rows.filter(member=OuterRef("pk")))),
        member=F("pk"),
        tag=Value(tag.pk),
        source=Value(MemberTag.Source.RULE.value),
        value=Value(""),
        why=Value(""),
        is_held_off=Value(False),
        since=Value(origin.at),
    )
    run.rows = rows.in_force(origin.at).count()
    if run.added or run.removed:
        record(
            "tag.recomputed",
            origin=origin,
            data={"tag": tag.code, "added": run.added, "removed": run.removed},
        )


def _lease(tag: Tag) -> Tag:
    """Nobody else computes it until the end of this transaction, which can't last for ever."""
    locked = Tag.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=tag.pk).first()
    if locked is None:
        raise TagIsBeingRecomputed
    if locked.kind != Tag.Kind.RULE:
        raise NotARuleTag
    return locked


def _has_left(members: QuerySet[Member]) -> Q:
    return Q(~Exists(members.filter(pk=OuterRef("member_id"))), source=MemberTag.Source.RULE)


def _was_set_by_hand_until(at: datetime) -> Q:
    return Q(source=MemberTag.Source.MANUAL, until__lte=at)


def matching(tag: Tag, *, as_of: date) -> QuerySet[Member]:
    """The active members within the tag's scope who answer to its rule."""
    return Member.objects.visible_to(tag).active().filter(criteria.compile(tag.rule, as_of=as_of))


def rule_tags_in_order() -> Iterable[Tag]:
    """Active rule tags, each after those that its rule asks for."""
    tags = {tag.code: tag for tag in Tag.objects.by_rule()}
    order = in_dependency_order({code: tag.rule for code, tag in tags.items()})
    return [tags[code] for code in order if code in tags]
