"""Members by COPY: sealed and indexed like everybody's data, written in blocks."""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from members.models import Identity, Member
from members.personal_data import blind_index
from members.rules import check_digit
from members.services.organisation import own_channel

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰萍红波宁云飞建国文博雨桐子轩浩然思远嘉怡欣妍晨曦"
AT_ONCE = 20_000
YEARS_OF_REGISTRATION = 5

MEMBER_COLUMNS = (
    "id, member_no, name, name_index, gender, birthday, status, registered_at, registered_channel_id,"
    " registered_business_id, registered_store_id, source"
)
IDENTITY_COLUMNS = "id, member_id, kind, value, value_index, last_four, channel_id, created_at"

# Each member belongs to the business where he registered; every third to one more.
MEMBERSHIPS = """
    INSERT INTO members_membership (member_id, business_id, store_id, channel_id, joined_at)
    SELECT id, registered_business_id, registered_store_id, registered_channel_id, registered_at
    FROM members_member WHERE id > %(first)s
    UNION ALL
    SELECT id, (%(businesses)s::bigint[])[1 + (id * 7 %% cardinality(%(businesses)s::bigint[]))::int], NULL,
           registered_channel_id, registered_at
    FROM members_member WHERE id > %(first)s AND id %% 3 = 0
    ON CONFLICT DO NOTHING
"""


def add_members(count: int, stores: list[tuple[int, int]], businesses: list[int], tell: Callable[[int], None]) -> int:
    """Write `count` members with a phone, registered in `stores` (store, business). Returns the key before them."""
    first = _last("members_member")
    for start in range(0, count, AT_ONCE):
        many = min(AT_ONCE, count - start)
        people = list(_people(first + start, many, stores))
        _copy(f"COPY members_member ({MEMBER_COLUMNS}) FROM STDIN", (person[0] for person in people))
        _copy(f"COPY members_identity ({IDENTITY_COLUMNS}) FROM STDIN", (person[1] for person in people))
        tell(start + many)
    with connection.cursor() as cursor:
        for table in ("members_member", "members_identity"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        cursor.execute(MEMBERSHIPS, {"first": first, "businesses": businesses})
    return first


def _people(first: int, many: int, stores: list[tuple[int, int]]) -> Iterator[tuple[tuple, tuple]]:
    """(member, identity) as rows; the same for the same key, whenever they are made."""
    seal_name = Member._meta.get_field("name").seal
    seal_phone = Identity._meta.get_field("value").seal
    channel, now = own_channel("import").pk, timezone.now()
    identities = _last("members_identity")
    for number in range(1, many + 1):
        key = first + number
        chance = random.Random(key)
        name = chance.choice(SURNAMES) + "".join(chance.sample(GIVEN, chance.randint(1, 2)))
        store, business = stores[chance.randrange(len(stores))]
        body = f"{10_000_000_000 + key}"
        phone = f"+86138{key:08d}"
        registered = now - timedelta(minutes=chance.randrange(YEARS_OF_REGISTRATION * 365 * 24 * 60))
        yield (
            (
                key,
                body + check_digit(body),
                seal_name(name),
                blind_index("name", name),
                chance.choice("mf"),
                date(1950 + chance.randrange(58), 1 + chance.randrange(12), 1 + chance.randrange(28)),
                "active",
                registered,
                channel,
                business,
                store,
                "scale",
            ),
            (
                identities + number,
                key,
                "phone",
                seal_phone(phone),
                blind_index("phone", phone),
                phone[-4:],
                channel,
                now,
            ),
        )


def _copy(statement: str, rows: Iterator[tuple]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _last(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        return cursor.fetchone()[0]
