"""Personal data can be found and opened by us, and read by nobody in the database."""

import base64
import os

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection

from members.models import Identity, Member
from members.personal_data import blind_index, decrypt, encrypt
from members.rules import mask_email, mask_name, mask_phone
from members.services.organisation import own_origin
from members.services.people import enrol, find
from tests.cast import Cast


def test_nothing_of_a_person_is_readable_in_the_database(cast: Cast) -> None:
    enrol(
        identities={"phone": "13800138000", "email": "wang@example.com"},
        name="王小明",
        business=cast.mall,
        origin=own_origin("desk"),
    )
    tables = [name for name in connection.introspection.table_names() if name.startswith("members_")]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT coalesce(string_agg(row::text, ' '), '') FROM {table} AS row")
            text = cursor.fetchone()[0]
            for secret in ("13800138000", "3800138", "王小明", "example.com"):
                assert secret not in text
                assert secret.encode().hex() not in text


def test_the_same_value_is_sealed_differently_every_time_and_found_all_the_same(cast: Cast) -> None:
    assert encrypt("13800138000", context="a") != encrypt("13800138000", context="a")
    enrol(identities={"phone": "13800138000"}, name="王小明", business=cast.mall, origin=own_origin("desk"))
    assert find("phone", "13800138000") == Member.objects.get(name_index=blind_index("name", "王小明"))
    assert blind_index("phone", "x") != blind_index("email", "x")


def test_a_value_moved_to_another_column_does_not_open() -> None:
    sealed = encrypt("王小明", context="members_member.name")
    assert decrypt(sealed, context="members_member.name") == "王小明"
    with pytest.raises(InvalidTag):
        decrypt(sealed, context="members_identity.value")


def test_after_a_new_key_the_old_values_still_open(settings) -> None:
    old = encrypt("王小明", context="c")
    fresh = base64.urlsafe_b64encode(os.urandom(32)).decode()
    settings.FIELD_ENCRYPTION_KEYS = {"k2": fresh, **settings.FIELD_ENCRYPTION_KEYS}
    assert decrypt(old, context="c") == "王小明"
    assert encrypt("王小明", context="c").startswith(b"k2:")


def test_empty_stays_empty(cast: Cast) -> None:
    enrol(identities={"phone": "13800138000"}, business=cast.mall, origin=own_origin("desk"))
    assert (Member.objects.get().name, Member.objects.get().name_index) == ("", "")
    assert Identity.objects.get().last_four == "8000"


@pytest.mark.parametrize(
    ("mask", "shown", "masked"),
    [
        (mask_phone, "+8613800138000", "138****8000"),
        (mask_phone, "+85291234567", "+852****4567"),
        (mask_phone, "", ""),
        (mask_phone, "+86123", "****"),
        (mask_name, "王小明", "王**"),
        (mask_name, "", ""),
        (mask_email, "wang@example.com", "w***@example.com"),
    ],
)
def test_masks(mask, shown: str, masked: str) -> None:
    assert mask(shown) == masked
