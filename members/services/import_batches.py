"""The set-based SQL of importing members: what each staged row will do, and doing it for a range of rows."""

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from members import events
from members.interfaces import Origin
from members.models import OrgUnit
from members.services.people import free_member_nos

TRIES = 3  # a row whose person enrols elsewhere at this very moment is found on the second
LAST_ROW = 2**31 - 1

# The rows of a batch that can still be imported.
BATCH = """
    line.job_id = %(job)s AND line.number BETWEEN %(first)s AND %(last)s AND line.problem = '' AND NOT line.is_done
"""

REPEATED_IN_FILE = f"""
    UPDATE members_importrow AS line
    SET verdict = 'failed', problem = format(%(repeated)s, repeated.first)
    FROM (
        SELECT number, min(first) AS first
        FROM (
            SELECT number, min(number) OVER (PARTITION BY kind, value_index) AS first
            FROM members_importidentity WHERE job_id = %(job)s
        ) AS staged
        WHERE first < number GROUP BY number
    ) AS repeated
    WHERE {BATCH} AND line.number = repeated.number
"""

# Who is meant, as of now, and what importing the row will do. Two people, or one who has left, can't be imported.
# When the import begins this has been written by the check already: only what is different by then is written again.
JUDGE = f"""
    UPDATE members_importrow AS line
    SET member_id = judged.member_id, verdict = judged.verdict, problem = judged.problem
    FROM (
        SELECT owner.number, owner.member_id,
            CASE WHEN owner.people > 1 THEN %(two_people)s WHEN owner.is_closed THEN %(closed)s ELSE '' END AS problem,
            CASE
                WHEN owner.people > 1 OR owner.is_closed THEN 'failed'
                WHEN owner.people = 0 THEN 'new_member'
                WHEN held.id IS NULL THEN 'new_membership'
                ELSE 'unchanged'
            END AS verdict
        FROM (
            SELECT line.number, min(member.id) AS member_id, count(DISTINCT member.id) AS people,
                   coalesce(bool_or(member.status = 'closed'), false) AS is_closed
            FROM members_importrow AS line
            JOIN members_importidentity AS staged ON staged.job_id = line.job_id AND staged.number = line.number
            LEFT JOIN members_identity AS known ON known.kind = staged.kind AND known.value_index = staged.value_index
            LEFT JOIN members_member AS member ON member.id = known.member_id
            WHERE {BATCH}
            GROUP BY line.number
        ) AS owner
        LEFT JOIN members_membership AS held
            ON held.member_id = owner.member_id AND held.business_id = %(business)s
    ) AS judged
    WHERE {BATCH} AND line.number = judged.number
      AND (line.member_id, line.verdict) IS DISTINCT FROM (judged.member_id, judged.verdict)
"""

SAME_PERSON_IN_FILE = f"""
    UPDATE members_importrow AS line
    SET verdict = 'failed', problem = format(%(same_person)s, known.first)
    FROM (
        SELECT line.number, min(line.number) OVER (PARTITION BY line.member_id) AS first
        FROM members_importrow AS line WHERE {BATCH} AND line.member_id IS NOT NULL
    ) AS known
    WHERE {BATCH} AND line.number = known.number AND known.first < line.number
"""

COUNT = f"SELECT count(*) FROM members_importrow AS line WHERE {BATCH}"

NEW_MEMBERS = f"""
    SELECT line.number FROM members_importrow AS line WHERE {BATCH} AND line.verdict = 'new_member' ORDER BY line.number
"""

INSERT_MEMBERS = f"""
    INSERT INTO members_member
        (member_no, name, name_index, gender, birthday, status, registered_at, registered_channel_id,
         registered_business_id, registered_store_id, source)
    SELECT numbered.member_no, line.name, line.name_index, line.gender, line.birthday, 'active',
           coalesce(line.joined_at, %(at)s), %(channel)s, %(business)s, line.store_id, line.source
    FROM members_importrow AS line
    JOIN unnest(%(numbers)s::int[], %(member_nos)s::text[]) AS numbered (number, member_no) USING (number)
    WHERE {BATCH}
"""

LINK_NEW_MEMBERS = f"""
    UPDATE members_importrow AS line SET member_id = member.id
    FROM unnest(%(numbers)s::int[], %(member_nos)s::text[]) AS numbered (number, member_no)
    JOIN members_member AS member USING (member_no)
    WHERE {BATCH} AND line.number = numbered.number
    RETURNING line.member_id
"""

# Written in one order by everybody, so that writers of the same identities can't deadlock. Of phone and e-mail a
# known person keeps the one we have (people.ONE_OF_A_KIND).
INSERT_IDENTITIES = f"""
    INSERT INTO members_identity (member_id, kind, value, value_index, last_four, channel_id, created_at)
    SELECT line.member_id, staged.kind, staged.value, staged.value_index, staged.last_four, %(channel)s, %(at)s
    FROM members_importrow AS line
    JOIN members_importidentity AS staged ON staged.job_id = line.job_id AND staged.number = line.number
    WHERE {BATCH} AND NOT EXISTS (
        SELECT FROM members_identity AS held
        WHERE held.member_id = line.member_id AND held.kind = staged.kind
          AND (held.value_index = staged.value_index OR held.kind IN ('phone', 'email'))
    )
    ORDER BY staged.kind, staged.value_index
    RETURNING member_id
"""

INSERT_MEMBERSHIPS = f"""
    INSERT INTO members_membership (member_id, business_id, store_id, channel_id, operator_id, joined_at)
    SELECT line.member_id, %(business)s, line.store_id, %(channel)s, %(operator)s, coalesce(line.joined_at, %(at)s)
    FROM members_importrow AS line
    WHERE {BATCH}
    ORDER BY line.member_id
    ON CONFLICT ON CONSTRAINT membership_is_one_per_business_and_member DO NOTHING
    RETURNING member_id
"""

MARK_DONE = f"UPDATE members_importrow AS line SET is_done = true WHERE {BATCH}"


@dataclass(frozen=True)
class Imported:
    """What became of a batch: rows dealt with, and how many of them failed after all."""

    done: int
    failed: int


def judge(job_id: int, *, business: OrgUnit) -> None:
    """Give every staged row of a file its verdict, or the reason why it can't be imported."""
    words = {
        "repeated": _("与第 %s 行重复：手机号、邮箱或业态会员号相同"),
        "same_person": _("与第 %s 行是同一位会员"),
    }
    values = _values(job_id, 0, LAST_ROW, business) | words
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members_importrow, members_importidentity")
        for statement in (REPEATED_IN_FILE, JUDGE, SAME_PERSON_IN_FILE):
            cursor.execute(statement, values)


def import_batch(job_id: int, first: int, last: int, *, business: OrgUnit, origin: Origin) -> Imported:
    """Import the rows `first` to `last` in one transaction; what the database has by now is looked up once more."""
    for _attempt in range(TRIES - 1):
        try:
            return _import_once(job_id, first, last, business, origin)
        except IntegrityError:  # a parallel enrolment took an identity or a member number between look and insert
            continue
    return _import_once(job_id, first, last, business, origin)


@transaction.atomic
def _import_once(job_id: int, first: int, last: int, business: OrgUnit, origin: Origin) -> Imported:
    values = _values(job_id, first, last, business) | {
        "channel": origin.channel.pk,
        "operator": origin.actor.pk if origin.actor else None,
        "at": origin.at,
    }
    with connection.cursor() as cursor:
        rows = _count(cursor, values)
        cursor.execute(JUDGE, values)
        enrolled = _insert_members(cursor, values)
        identified = _written(cursor, INSERT_IDENTITIES, values) - enrolled
        joined = _written(cursor, INSERT_MEMBERSHIPS, values)
        cursor.execute(MARK_DONE, values)
        imported = cursor.rowcount
    _record("member.enrolled", enrolled, origin)
    _record("member.identified", identified, origin)
    _record("member.joined", joined, origin, business=business.code)
    return Imported(done=rows, failed=rows - imported)


def _count(cursor, values: dict[str, Any]) -> int:
    cursor.execute(COUNT, values)
    return cursor.fetchone()[0]


def _insert_members(cursor, values: dict[str, Any]) -> set[int]:
    cursor.execute(NEW_MEMBERS, values)
    numbers = [number for (number,) in cursor.fetchall()]
    if not numbers:
        return set()
    numbered = values | {"numbers": numbers, "member_nos": free_member_nos(len(numbers))}
    cursor.execute(INSERT_MEMBERS, numbered)
    return _written(cursor, LINK_NEW_MEMBERS, numbered)


def _written(cursor, statement: str, values: dict[str, Any]) -> set[int]:
    """Run a statement that returns the members it wrote for."""
    cursor.execute(statement, values)
    return {member_id for (member_id,) in cursor.fetchall()}


def _record(event_type: str, member_ids: set[int], origin: Origin, **data: str) -> None:
    if member_ids:
        events.record_many(event_type, origin=origin, member_ids=sorted(member_ids), data=data)


def _values(job_id: int, first: int, last: int, business: OrgUnit) -> dict[str, Any]:
    return {
        "job": job_id,
        "first": first,
        "last": last,
        "business": business.pk,
        "two_people": _("手机号、邮箱、业态会员号分属两位会员；如确为同一人，请走合并流程"),
        "closed": _("该会员已注销"),
    }
