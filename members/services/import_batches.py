"""The set-based SQL of importing members: what each staged row will do, and doing it for a chunk of rows."""

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from members import events
from members.interfaces import Origin
from members.models import ImportChunk, OrgUnit
from members.services.people import free_member_nos

TRIES = 3  # a row whose person enrols elsewhere at this very moment is found on the second
LAST_ROW = 2**31 - 1
MOST_ROUNDS = 50  # who stands in a file more often than that stands there by mistake

# The rows of a chunk that can still be imported.
CHUNK = """
    line.job_id = %(job)s AND line.number BETWEEN %(first)s AND %(last)s AND line.round = %(round)s
    AND line.verdict = ''
"""

# A phone that stands further up as well. By policy the row is left out, or waits for a later round.
REPEATED_PHONES = """
    CREATE TEMP TABLE repeated ON COMMIT DROP AS
    SELECT number, first, place FROM (
        SELECT line.number, min(line.number) OVER same AS first, row_number() OVER (same ORDER BY line.number) AS place
        FROM members_importrow AS line
        JOIN (
            SELECT phone_index FROM members_importrow WHERE job_id = %(job)s AND problem = '' AND phone_index <> ''
            GROUP BY phone_index HAVING count(*) > 1
        ) AS often USING (phone_index)
        WHERE line.job_id = %(job)s AND line.problem = ''
        WINDOW same AS (PARTITION BY line.phone_index)
    ) AS staged WHERE place > 1
"""
SKIP_REPEATED = """
    UPDATE members_importrow AS line SET verdict = 'skipped'
    FROM repeated WHERE line.job_id = %(job)s AND line.number = repeated.number
"""
FAIL_REPEATED = """
    UPDATE members_importrow AS line SET verdict = 'failed', problem = format(%(repeated)s, repeated.first)
    FROM repeated WHERE line.job_id = %(job)s AND line.number = repeated.number AND repeated.place > %(most)s
"""
PUT_OFF_REPEATED = """
    UPDATE members_importrow AS line SET round = repeated.place - 1
    FROM repeated WHERE line.job_id = %(job)s AND line.number = repeated.number AND line.problem = ''
"""

# An address or number that stands further up beside another phone: two people would claim it.
CLAIMED_TWICE = """
    UPDATE members_importrow AS line SET verdict = 'failed', problem = format(%(repeated)s, claimed.first)
    FROM (
        SELECT number, first FROM (
            SELECT line.number, line.phone_index,
                   first_value(line.number) OVER claim AS first, first_value(line.phone_index) OVER claim AS phone
            FROM members_importrow AS line
            JOIN (
                SELECT {column} FROM members_importrow WHERE job_id = %(job)s AND verdict = '' AND {column} <> ''
                GROUP BY {column} HAVING count(DISTINCT phone_index) > 1
            ) AS often USING ({column})
            WHERE line.job_id = %(job)s AND line.verdict = ''
            WINDOW claim AS (PARTITION BY line.{column} ORDER BY line.number)
        ) AS staged WHERE phone <> phone_index
    ) AS claimed
    WHERE line.job_id = %(job)s AND line.number = claimed.number
"""

# Who is meant, as of now, and what importing the row will do. Only who is a member of the business already is in
# sight of whoever imports: nobody else's data is compared, shown or changed.
JUDGE = f"""
    CREATE TEMP TABLE judged ON COMMIT DROP AS
    WITH line AS MATERIALIZED (
        SELECT number, name_index, gender, birthday, phone_index, email_index, external_index, attributes
        FROM members_importrow AS line WHERE {CHUNK}
    ), found AS (
        SELECT line.number, known.member_id FROM line
        JOIN members_identity AS known ON known.kind = 'phone' AND known.value_index = line.phone_index
        UNION ALL
        SELECT line.number, known.member_id FROM line
        JOIN members_identity AS known ON known.kind = 'email' AND known.value_index = line.email_index
        WHERE line.email_index <> ''
        UNION ALL
        SELECT line.number, known.member_id FROM line
        JOIN members_identity AS known ON known.kind = 'external' AND known.value_index = line.external_index
        WHERE line.external_index <> ''
    ), owner AS (
        SELECT number, min(member_id) AS member_id, count(DISTINCT member_id) AS people FROM found GROUP BY number
    ), compared AS (
        SELECT line.number, owner.member_id, owner.people, member.status, held.id AS membership_id,
            first_value(line.number) OVER (PARTITION BY owner.member_id ORDER BY line.number) AS first,
            %(changes)s AND line.name_index <> ''
                AND (member.name_index = '' OR %(overwrites)s AND member.name_index <> line.name_index) AS name,
            %(changes)s AND line.gender <> ''
                AND (member.gender = '' OR %(overwrites)s AND member.gender <> line.gender) AS gender,
            %(changes)s AND line.birthday IS NOT NULL
                AND (member.birthday IS NULL OR %(overwrites)s AND member.birthday <> line.birthday) AS birthday,
            %(changes)s AND line.email_index <> ''
                AND (mail.id IS NULL OR %(overwrites)s AND mail.value_index <> line.email_index) AS email,
            %(changes)s AND line.attributes IS NOT NULL AND EXISTS (
                SELECT FROM jsonb_each(line.attributes) AS said
                CROSS JOIN jsonb_to_record(said.value)
                    AS typed (text text, number numeric, day date, words text[], flag boolean)
                LEFT JOIN members_attributevalue AS kept
                    ON kept.member_id = owner.member_id AND kept.attribute_id = said.key::bigint
                WHERE kept.id IS NULL OR %(overwrites)s
                    AND (kept.text, kept.number, kept.day, kept.words::text[], kept.flag)
                        IS DISTINCT FROM (typed.text, typed.number, typed.day, typed.words, typed.flag)
            ) AS attributes
        FROM line
        LEFT JOIN owner USING (number)
        LEFT JOIN members_member AS member ON member.id = owner.member_id
        LEFT JOIN members_membership AS held
            ON held.member_id = owner.member_id AND held.business_id = %(business)s
        LEFT JOIN LATERAL (
            SELECT id, value_index FROM members_identity
            WHERE member_id = owner.member_id AND kind = 'email' ORDER BY id LIMIT 1
        ) AS mail ON %(changes)s
    )
    SELECT number,
        CASE WHEN member_id IS NULL AND %(assigns)s THEN nextval(pg_get_serial_sequence('members_member', 'id'))
             ELSE member_id END AS member_id,
        CASE WHEN member_id IS NULL THEN 'new_member'
             WHEN people > 1 OR status IN ('closed', 'merged') OR first < number THEN 'failed'
             WHEN membership_id IS NULL THEN 'new_membership'
             WHEN %(refuses)s THEN 'failed'
             WHEN name OR gender OR birthday OR email OR attributes THEN 'changed'
             ELSE 'unchanged' END AS verdict,
        CASE WHEN member_id IS NULL THEN ''
             WHEN people > 1 THEN %(two_people)s
             WHEN status IN ('closed', 'merged') THEN %(closed)s
             WHEN first < number THEN format(%(same_person)s, first)
             WHEN membership_id IS NOT NULL AND %(refuses)s THEN %(known)s
             ELSE '' END AS problem,
        membership_id IS NOT NULL AND name AS name,
        membership_id IS NOT NULL AND gender AS gender,
        membership_id IS NOT NULL AND birthday AS birthday,
        membership_id IS NOT NULL AND email AS email,
        membership_id IS NOT NULL AND attributes AS attributes
    FROM compared
"""

FAIL_JUDGED = """
    UPDATE members_importrow AS line SET verdict = 'failed', problem = judged.problem
    FROM judged WHERE line.job_id = %(job)s AND line.number = judged.number AND judged.verdict = 'failed'
"""
COUNT_JUDGED = "SELECT verdict, count(*) FROM judged GROUP BY verdict"
COUNT_CHANGES = """
    SELECT count(*) FILTER (WHERE name), count(*) FILTER (WHERE gender), count(*) FILTER (WHERE birthday),
           count(*) FILTER (WHERE email), count(*) FILTER (WHERE attributes)
    FROM judged WHERE verdict = 'changed'
"""
FIRST_CHANGED = """
    SELECT number, member_id, name, gender, birthday, email, attributes
    FROM judged WHERE verdict = 'changed' ORDER BY number LIMIT 20
"""
CHANGED_COLUMNS = ("name", "gender", "birthday", "email", "attributes")

INSERT_MEMBERS = """
    INSERT INTO members_member
        (id, member_no, name, name_index, gender, birthday, status, registered_at, registered_channel_id,
         registered_business_id, registered_store_id, source)
    SELECT judged.member_id, numbered.member_no, line.name, line.name_index, line.gender, line.birthday, 'active',
           coalesce(line.joined_at, %(at)s), %(channel)s, %(business)s, line.store_id, line.source
    FROM (SELECT number, member_id, row_number() OVER (ORDER BY number) AS place
          FROM judged WHERE verdict = 'new_member') AS judged
    JOIN unnest(%(member_nos)s::text[]) WITH ORDINALITY AS numbered (member_no, place) USING (place)
    JOIN members_importrow AS line ON line.job_id = %(job)s AND line.number = judged.number
    ORDER BY judged.member_id
    RETURNING id
"""

# Written in one order by everybody, so that writers of the same identities can't deadlock. Of phone and e-mail a
# known person keeps the one we have (people.ONE_OF_A_KIND).
INSERT_IDENTITIES = """
    WITH inserted AS (
        INSERT INTO members_identity (member_id, kind, value, value_index, last_four, channel_id, created_at)
        SELECT judged.member_id, said.kind, said.value, said.value_index, said.last_four, %(channel)s, %(at)s
        FROM judged
        JOIN members_importrow AS line ON line.job_id = %(job)s AND line.number = judged.number
        CROSS JOIN LATERAL (VALUES
            ('phone', line.phone, line.phone_index, line.phone_last_four),
            ('email', line.email, line.email_index, line.email_last_four),
            ('external', line.external, line.external_index, line.external_last_four)
        ) AS said (kind, value, value_index, last_four)
        WHERE judged.verdict <> 'failed' AND said.value_index <> ''
          AND (judged.verdict = 'new_member' OR NOT EXISTS (
            SELECT FROM members_identity AS held
            WHERE held.member_id = judged.member_id AND held.kind = said.kind
              AND (held.value_index = said.value_index OR held.kind IN ('phone', 'email'))
          ))
        ORDER BY said.kind, said.value_index
        RETURNING member_id
    )
    SELECT DISTINCT inserted.member_id FROM inserted
    JOIN judged ON judged.member_id = inserted.member_id AND judged.verdict <> 'new_member'
"""

INSERT_MEMBERSHIPS = """
    INSERT INTO members_membership (member_id, business_id, store_id, channel_id, operator_id, joined_at)
    SELECT judged.member_id, %(business)s, line.store_id, %(channel)s, %(operator)s, coalesce(line.joined_at, %(at)s)
    FROM judged
    JOIN members_importrow AS line ON line.job_id = %(job)s AND line.number = judged.number
    WHERE judged.verdict IN ('new_member', 'new_membership')
    ORDER BY judged.member_id
    ON CONFLICT ON CONSTRAINT membership_is_one_per_business_and_member DO NOTHING
    RETURNING member_id
"""

# What was judged empty and has been filled by somebody else since stays, unless the file overwrites.
UPDATE_MEMBERS = """
    UPDATE members_member AS member SET
        name = CASE WHEN judged.name AND (%(overwrites)s OR member.name_index = '')
            THEN line.name ELSE member.name END,
        name_index = CASE WHEN judged.name AND (%(overwrites)s OR member.name_index = '')
            THEN line.name_index ELSE member.name_index END,
        gender = CASE WHEN judged.gender AND (%(overwrites)s OR member.gender = '')
            THEN line.gender ELSE member.gender END,
        birthday = CASE WHEN judged.birthday AND (%(overwrites)s OR member.birthday IS NULL)
            THEN line.birthday ELSE member.birthday END
    FROM judged JOIN members_importrow AS line ON line.job_id = %(job)s AND line.number = judged.number
    WHERE member.id = judged.member_id AND judged.verdict = 'changed'
      AND (judged.name OR judged.gender OR judged.birthday)
      AND member.status NOT IN ('closed', 'merged')
"""
LOCK_CHANGED = """
    SELECT member.id FROM members_member AS member JOIN judged ON judged.member_id = member.id
    WHERE judged.verdict = 'changed' ORDER BY member.id FOR NO KEY UPDATE OF member
"""
UPDATE_EMAILS = """
    UPDATE members_identity AS held SET value = line.email, value_index = line.email_index,
        last_four = line.email_last_four, verified_at = NULL, channel_id = %(channel)s
    FROM judged JOIN members_importrow AS line ON line.job_id = %(job)s AND line.number = judged.number
    WHERE held.member_id = judged.member_id AND held.kind = 'email' AND judged.verdict = 'changed' AND judged.email
      AND %(overwrites)s AND held.value_index <> line.email_index
      AND held.id = (SELECT min(id) FROM members_identity WHERE member_id = judged.member_id AND kind = 'email')
"""
SET_ATTRIBUTES = """
    INSERT INTO members_attributevalue (member_id, attribute_id, text, number, day, words, flag, updated_at)
    SELECT judged.member_id, said.key::bigint, typed.text, typed.number, typed.day, typed.words, typed.flag, %(at)s
    FROM judged JOIN members_importrow AS line ON line.job_id = %(job)s AND line.number = judged.number
    CROSS JOIN jsonb_each(line.attributes) AS said
    CROSS JOIN jsonb_to_record(said.value) AS typed (text text, number numeric, day date, words text[], flag boolean)
    WHERE judged.verdict IN ('new_member', 'changed')
    ORDER BY judged.member_id, said.key::bigint
    ON CONFLICT ON CONSTRAINT attribute_has_one_value_per_member DO UPDATE
        SET text = excluded.text, number = excluded.number, day = excluded.day, words = excluded.words,
            flag = excluded.flag, updated_at = excluded.updated_at
        WHERE %(overwrites)s
"""
CHANGED_MEMBERS = """
    SELECT array_remove(ARRAY[CASE WHEN name THEN 'name' END, CASE WHEN gender THEN 'gender' END,
                              CASE WHEN birthday THEN 'birthday' END, CASE WHEN email THEN 'email' END,
                              CASE WHEN attributes THEN 'attributes' END], NULL) AS fields,
           array_agg(member_id ORDER BY member_id)
    FROM judged WHERE verdict = 'changed' GROUP BY 1
"""


@dataclass(frozen=True)
class Batch:
    """What a chunk is judged by: where it goes, and what becomes of people who are there already."""

    job_id: int
    business: OrgUnit
    policy: str
    has_attributes: bool
    first: int = 0
    last: int = LAST_ROW
    round: int = 0

    def values(self, *, assigns: bool) -> dict[str, Any]:
        return {
            "job": self.job_id,
            "first": self.first,
            "last": self.last,
            "round": self.round,
            "business": self.business.pk,
            "changes": self.policy in ("fill", "overwrite"),
            "overwrites": self.policy == "overwrite",
            "refuses": self.policy == "fail",
            "assigns": assigns,
            "most": 1 if self.policy == "fail" else MOST_ROUNDS,
            "two_people": _("手机号、邮箱、业态会员号分属两位会员；如确为同一人，请走合并流程"),
            "closed": _("该会员已注销或已合并"),
            "same_person": _("与第 %s 行是同一位会员"),
            "known": _("已是本业态会员"),
            "repeated": _("与第 %s 行重复：手机号、邮箱或业态会员号相同"),
        }


@dataclass(frozen=True)
class Judged:
    """Verdict → rows, changed column → rows, and the first that change somebody: (row, member's key, columns)."""

    verdicts: dict[str, int]
    changes: dict[str, int]
    first: list[tuple[int, int, list[str]]]


@transaction.atomic
def judge(batch: Batch) -> Judged:
    """Say of every staged row what importing it would do.

    What is found of repetitions and failures is written down; of the rest only the numbers.
    """
    values = batch.values(assigns=False)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members_importrow")
        cursor.execute(REPEATED_PHONES, values)
        if batch.policy == "skip":
            cursor.execute(SKIP_REPEATED, values)
        else:
            cursor.execute(FAIL_REPEATED, values)
            cursor.execute(PUT_OFF_REPEATED, values)
        for column in ("email_index", "external_index"):
            cursor.execute(CLAIMED_TWICE.format(column=column), values)
        cursor.execute(JUDGE, values)
        cursor.execute(FAIL_JUDGED, values)
        cursor.execute(COUNT_JUDGED)
        verdicts = dict(cursor.fetchall())
        cursor.execute(COUNT_CHANGES)
        changes = dict(zip(CHANGED_COLUMNS, cursor.fetchone(), strict=True))
        cursor.execute(FIRST_CHANGED)
        first = [
            (number, member_id, [CHANGED_COLUMNS[place] for place, flag in enumerate(flags) if flag])
            for number, member_id, *flags in cursor.fetchall()
        ]
        cursor.execute("DROP TABLE judged, repeated")
    return Judged(verdicts, changes, first)


def import_chunk(chunk: ImportChunk, batch: Batch, *, origin: Origin) -> dict[str, int]:
    """Import the rows of a chunk in one transaction; what the database has by now is looked up once more.

    Returns verdict → rows.
    """
    for _attempt in range(TRIES - 1):
        try:
            return _import_once(chunk, batch, origin)
        except (IntegrityError, OperationalError):  # somebody took an identity or a number since, or crossed our locks
            continue
    return _import_once(chunk, batch, origin)


@transaction.atomic
def _import_once(chunk: ImportChunk, batch: Batch, origin: Origin) -> dict[str, int]:
    values = batch.values(assigns=True) | {
        "channel": origin.channel.pk,
        "operator": origin.actor.pk if origin.actor else None,
        "at": origin.at,
    }
    with connection.cursor() as cursor:
        cursor.execute(JUDGE, values)
        cursor.execute("ANALYZE judged")
        cursor.execute(COUNT_JUDGED)
        counts = dict(cursor.fetchall())
        if counts.get("failed"):
            cursor.execute(FAIL_JUDGED, values)
        _change_members(cursor, values, counts, origin)
        enrolled = _insert_members(cursor, values, counts.get("new_member", 0))
        identified = _written(cursor, INSERT_IDENTITIES, values)
        joined = _written(cursor, INSERT_MEMBERSHIPS, values)
        if batch.has_attributes:
            cursor.execute(SET_ATTRIBUTES, values)
        cursor.execute("DROP TABLE judged")
    _record("member.enrolled", enrolled, origin)
    _record("member.identified", identified, origin)
    _record("member.joined", joined, origin, business=batch.business.code)
    ImportChunk.objects.filter(pk=chunk.pk).update(is_done=True, counts=counts)
    return counts


def _change_members(cursor, values: dict[str, Any], counts: dict[str, int], origin: Origin) -> None:
    if not counts.get("changed"):
        return
    cursor.execute(LOCK_CHANGED)
    cursor.execute(UPDATE_MEMBERS, values)
    cursor.execute(UPDATE_EMAILS, values)
    cursor.execute(CHANGED_MEMBERS)
    for fields, member_ids in cursor.fetchall():
        events.record_many("member.updated", origin=origin, member_ids=member_ids, data={"fields": fields})


def _insert_members(cursor, values: dict[str, Any], count: int) -> list[int]:
    if not count:
        return []
    return _written(cursor, INSERT_MEMBERS, values | {"member_nos": free_member_nos(count)})


def _written(cursor, statement: str, values: dict[str, Any]) -> list[int]:
    """Run a statement that returns the members it wrote for."""
    cursor.execute(statement, values)
    return sorted(member_id for (member_id,) in cursor.fetchall())


def _record(event_type: str, member_ids: list[int], origin: Origin, **data: str) -> None:
    if member_ids:
        events.record_many(event_type, origin=origin, member_ids=member_ids, data=data)
