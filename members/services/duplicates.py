"""Suspecting that two members are one person: noted by who saw it, found by the clock, decided by an operator.

Identities themselves never show it: each belongs to one member. What may: the same name and birthday, a shared device,
and whatever a refused request claimed (`note`).
"""

from datetime import datetime

from django.db import connection, transaction

from members import events
from members.errors import DuplicateDecided
from members.interfaces import Origin
from members.models import Duplicate, Member

LARGEST_GROUP = 20  # a till's tablet, a family name on New Year's Day: more than so many prove nothing

# One statement for a reason: pairs of living members in small groups of the same key. A pair that was dismissed is
# opened again by a reason that nobody had when it was dismissed; one that is known for it already is left alone.
FIND = """
    WITH alike AS ({alike}),
    pairs AS (
        SELECT DISTINCT one.member_id AS first_id, other.member_id AS second_id
        FROM (SELECT key FROM alike GROUP BY key HAVING count(DISTINCT member_id) BETWEEN 2 AND %(largest)s) small
        JOIN alike one ON one.key = small.key
        JOIN alike other ON other.key = small.key AND one.member_id < other.member_id
    )
    INSERT INTO members_duplicate AS known (first_id, second_id, reasons, state, found_at)
    SELECT first_id, second_id, ARRAY[%(reason)s]::varchar[], 'open', %(now)s FROM pairs
    ON CONFLICT ON CONSTRAINT duplicate_is_suspected_once DO UPDATE
    SET reasons = known.reasons || excluded.reasons, state = 'open', found_at = excluded.found_at,
        decided_at = NULL, decided_by_id = NULL
    WHERE NOT known.reasons @> excluded.reasons
    RETURNING known.id
"""
ALIKE = {
    Duplicate.Reason.NAME_BIRTHDAY: """
        SELECT id AS member_id, name_index || birthday AS key FROM members_member
        WHERE name_index <> '' AND birthday IS NOT NULL AND status IN ('active', 'frozen')
    """,
    Duplicate.Reason.DEVICE: """
        SELECT device.member_id, device.value_index AS key
        FROM members_device device JOIN members_member member ON member.id = device.member_id
        WHERE member.status IN ('active', 'frozen')
    """,
}


@transaction.atomic
def note(first: Member, second: Member, reason: str, at: datetime) -> Duplicate:
    """Suspect two members for a reason. A pair that was dismissed stays so, unless the reason is new."""
    first, second = sorted((first, second), key=lambda member: member.pk)
    defaults = {"reasons": [reason], "found_at": at}
    Duplicate.objects.bulk_create([Duplicate(first=first, second=second, **defaults)], ignore_conflicts=True)
    pair = Duplicate.objects.select_for_update().get(first=first, second=second)
    if reason not in pair.reasons:
        pair.reasons.append(reason)
        pair.state, pair.found_at, pair.decided_at, pair.decided_by = Duplicate.State.OPEN, at, None, None
        pair.save()
    return pair


def find(now: datetime) -> int:
    """The nightly search, one statement a reason. Returns how many pairs are suspected anew."""
    return sum(_find(reason, alike, now) for reason, alike in ALIKE.items())


@transaction.atomic
def dismiss(pair: Duplicate, *, origin: Origin) -> Duplicate:
    """They are two people. Raises DuplicateDecided."""
    pair = Duplicate.objects.select_for_update(of=("self",)).select_related("first", "second").get(pk=pair.pk)
    if pair.state != Duplicate.State.OPEN:
        raise DuplicateDecided
    pair.state, pair.decided_at, pair.decided_by = Duplicate.State.DISMISSED, origin.at, origin.actor
    pair.save(update_fields=["state", "decided_at", "decided_by"])
    data = {"first": pair.first.member_no, "second": pair.second.member_no}
    events.record("member.duplicate_dismissed", origin=origin, member=pair.first, data=data)
    return pair


def _find(reason: str, alike: str, now: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FIND.format(alike=alike), {"largest": LARGEST_GROUP, "reason": str(reason), "now": now})
        return len(cursor.fetchall())
