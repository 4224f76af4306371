"""Keys are rotated while people are enrolled and found; nobody is lost, and the work goes on where it stopped."""

import base64
import os
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from members.models import Call, ChannelKey, Identity, Job, Member
from members.personal_data import blind_index, key_of
from members.services import rotation
from members.services.organisation import own_origin
from members.services.people import enrol, find
from tests.cast import Cast


def key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@pytest.fixture
def people(cast: Cast) -> list[Member]:
    for number in range(5):
        person = {"phone": f"1380013800{number}", "email": f"w{number}@example.com"}
        enrol(identities=person, name=f"王{number}", business=cast.mall, origin=own_origin("desk"))
    return list(Member.objects.order_by("pk"))


@pytest.fixture
def new_keys(people, settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = {"new": key(), **settings.FIELD_ENCRYPTION_KEYS}
    settings.BLIND_INDEX_KEYS = {"newer": key(), **settings.BLIND_INDEX_KEYS}


def stored_keys(table: str, column: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
        return {key_of(value) for (value,) in cursor.fetchall()}


def rotate() -> str:
    told = StringIO()
    call_command("rotate_keys", stdout=told)
    return told.getvalue()


def test_before_and_after_people_are_found_and_read(people, new_keys, settings) -> None:
    assert find("phone", "13800138003") == people[3]
    rotate()
    assert stored_keys("members_member", "name") == stored_keys("members_identity", "value") == {"new"}
    settings.FIELD_ENCRYPTION_KEYS = {"new": settings.FIELD_ENCRYPTION_KEYS["new"]}
    settings.BLIND_INDEX_KEYS = {"newer": settings.BLIND_INDEX_KEYS["newer"]}
    assert find("phone", "13800138003") == people[3]
    assert Member.objects.get(name_index=blind_index("name", "王3")).name == "王3"


def test_a_known_person_who_comes_meanwhile_is_not_made_twice(people, new_keys, cast: Cast) -> None:
    answer = enrol(identities={"phone": "13800138001"}, business=cast.hotel, origin=own_origin("desk"))
    assert (answer["member_no"], answer["is_new"]) == (people[1].member_no, False)
    assert Member.objects.count() == 5


def test_every_encrypted_column_is_rewritten(people, new_keys, cast: Cast) -> None:
    rotate()
    assert {column.context for column in rotation.columns()} >= {
        "members_member.name",
        "members_identity.value",
        "members_channelkey.signing_secret",
        "members_call.phone",
    }
    assert stored_keys("members_channelkey", "signing_secret") == {"new"}
    assert all(len(key.signing_secret) > 20 for key in ChannelKey.objects.all())


def test_every_digest_beside_a_value_is_known_to_the_rotation() -> None:
    beside = {
        f"{model._meta.db_table}.{field.name}"
        for model in (Member, Identity, Call)
        for field in model._meta.local_fields
        if field.name.endswith("_index")
    }
    known = {f"{context.split('.')[0]}.{index}" for context, (index, _) in rotation.INDEXES.items()}
    assert beside == known


def test_it_goes_on_where_it_stopped(people, new_keys, monkeypatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    renew, calls = rotation._renew, []

    def stops_at_the_third(column, rows):
        calls.append(column.name)
        if len(calls) == 3:
            raise ConnectionError("the machine went down")
        return renew(column, rows)

    monkeypatch.setattr(rotation, "_renew", stops_at_the_third)
    with pytest.raises(ConnectionError):
        rotation.run(rotation.start())
    done_before = Job.objects.get(kind=rotation.KIND).summary["reached"]
    assert done_before
    assert rotation.is_under_way()
    monkeypatch.setattr(rotation, "_renew", renew)
    rotate()
    assert Job.objects.get(kind=rotation.KIND).state == Job.State.DONE
    assert stored_keys("members_identity", "value") == {"new"}
    assert not rotation.is_under_way()


def test_a_change_made_meanwhile_stays(people, new_keys) -> None:
    [column] = [column for column in rotation.columns() if column.context == "members_member.name"]
    rows = rotation._read(column, 0, people[-1].pk)
    Member.objects.filter(pk=people[0].pk).update(name="改名", name_index=blind_index("name", "改名"))
    rotation._renew(column, rows)
    renamed = Member.objects.get(pk=people[0].pk)
    assert (renamed.name, renamed.name_index) == ("改名", blind_index("name", "改名"))


def test_an_identity_that_two_have_is_reported_and_stays(people, new_keys) -> None:
    """Made twice while servers with the old and with the new keys ran side by side."""
    Identity.objects.create(
        member=people[0],
        kind="phone",
        value="+8613800138004",
        value_index=blind_index("phone", "+8613800138004"),
        last_four="8004",
        channel=people[0].registered_channel,
    )
    with pytest.raises(Exception, match="1 identities belong to two members"):
        rotate()
    assert Identity.objects.filter(kind="phone").count() == 6
