"""The fixed cast of the suite: one group of three businesses, three operators, and an app of each business.

group ── MALL ── MALL-EAST ── MALL-1, MALL-2
      ├─ HOTEL ─ HOTEL-SOUTH ─ HOTEL-1
      └─ CVS ─── CVS-WEST ──── CVS-1
"""

import pickle
from dataclasses import dataclass

from django.db import connection, transaction

from members.models import Channel, Operator, OrgUnit
from members.services.channels import NewKey, make_key
from members.services.organisation import add_business, add_group, add_region, add_store
from tests.factories import OperatorFactory

ALLOWED = "members_operator_user_permissions"


@dataclass(frozen=True)
class Cast:
    group: OrgUnit
    mall: OrgUnit
    mall_east: OrgUnit
    mall_1: OrgUnit
    mall_2: OrgUnit
    hotel: OrgUnit
    hotel_1: OrgUnit
    cvs: OrgUnit
    cvs_1: OrgUnit
    sees_all: Operator
    sees_mall: Operator
    sees_nothing: Operator  # has every permission, and stands nowhere
    mall_app: Channel
    hotel_app: Channel
    cvs_app: Channel
    group_app: Channel
    keys: dict[str, NewKey]  # by channel code

    def bearer(self, channel: Channel) -> dict[str, str]:
        """Headers for Django's test client: `client.get(url, **cast.bearer(cast.mall_app))`."""
        return {"HTTP_AUTHORIZATION": f"Bearer {self.keys[channel.code].bearer}"}


def build_cast() -> Cast:
    """The cast in an empty database: made by the services the first time, and put back as it was then ever after."""
    global _as_made
    if _as_made is None:
        cast = _make()
        _as_made = AsMade(pickle.dumps(cast), {table: _rows_of(table) for table in TABLES})
    else:
        for table, rows in _as_made.rows.items():
            _put_back(table, rows)
        cast = pickle.loads(_as_made.cast)
    _allow_everything(cast.sees_all, cast.sees_mall, cast.sees_nothing)
    return cast


@dataclass(frozen=True)
class AsMade:
    """Rows as COPY writes them, and the cast that stands on them: each test gets instances of its own."""

    cast: bytes
    rows: dict[str, bytes]


_as_made: AsMade | None = None
# Their keys were drawn from the sequences when they were made, so that nobody draws them again.
TABLES = ("members_orgunit", "members_channel", "members_channelkey", "members_operator")


def _rows_of(table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(copy)


def _put_back(table: str, rows: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        copy.write(rows)


def _make() -> Cast:
    group = add_group("GROUP", "梧桐集团")
    mall, hotel, cvs = (
        add_business(group, code, name)
        for code, name in (("MALL", "梧桐广场"), ("HOTEL", "梧桐酒店"), ("CVS", "梧桐便利"))
    )
    mall_east = add_region(mall, "MALL-EAST", "广场华东区")
    hotel_south = add_region(hotel, "HOTEL-SOUTH", "酒店华南区")
    cvs_west = add_region(cvs, "CVS-WEST", "便利西区")
    apps = {
        node.code: Channel.objects.create(code=f"{node.code.lower()}-app", name=f"{node.name}应用", org_unit=node)
        for node in (group, mall, hotel, cvs)
    }
    return Cast(
        group=group,
        mall=mall,
        mall_east=mall_east,
        mall_1=add_store(mall_east, "MALL-1", "广场一店"),
        mall_2=add_store(mall_east, "MALL-2", "广场二店"),
        hotel=hotel,
        hotel_1=add_store(hotel_south, "HOTEL-1", "酒店一店"),
        cvs=cvs,
        cvs_1=add_store(cvs_west, "CVS-1", "便利一店"),
        sees_all=OperatorFactory(username="sees_all", org_unit=group),
        sees_mall=OperatorFactory(username="sees_mall", org_unit=mall),
        sees_nothing=OperatorFactory(username="sees_nothing", org_unit=None),
        mall_app=apps["MALL"],
        hotel_app=apps["HOTEL"],
        cvs_app=apps["CVS"],
        group_app=apps["GROUP"],
        keys={channel.code: make_key(channel) for channel in apps.values()},
    )


def _allow_everything(*operators: Operator) -> None:
    """Give them every permission.

    A thousand rows for each test, were they written like any: the audit trail looks away, as this is the stage and not
    the play; and foreign keys are checked at once, as a table with checks still to come can't be altered.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {ALLOWED} DISABLE TRIGGER USER")
        cursor.execute(
            f"INSERT INTO {ALLOWED} (operator_id, permission_id)"
            " SELECT operator, permission.id FROM unnest(%s::bigint[]) AS operator, auth_permission AS permission",
            [[operator.pk for operator in operators]],
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"ALTER TABLE {ALLOWED} ENABLE TRIGGER USER")
