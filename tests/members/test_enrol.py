"""One person is one member, however often and wherever he enrols."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Barrier

import pytest
from django.db import connection

from members.errors import (
    IdentityTaken,
    InvalidBirthday,
    InvalidGender,
    InvalidPhone,
    MemberClosed,
    MemberNotFound,
)
from members.models import Event, Identity, Member, Membership, Request
from members.rules import is_member_no
from members.services.organisation import own_origin
from members.services.people import change_phone, enrol, find, resolve, update_member
from tests.cast import Cast

PHONE = "13800138000"
PARALLEL = 20


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Member, Identity, Membership, Event, Request))


def test_a_new_person_becomes_a_member_of_the_business(cast: Cast) -> None:
    answer = enrol(
        identities={"phone": "１３８ ００１３ ８０００"},
        name="王小明",
        gender="m",
        birthday=date(1990, 2, 28),
        business=cast.mall,
        store=cast.mall_1,
        source="扫码",
        origin=own_origin("desk", business=cast.mall, store=cast.mall_1, actor=cast.sees_mall),
    )
    member = Member.objects.get(member_no=answer["member_no"])
    assert is_member_no(member.member_no)
    assert (answer["is_new"], answer["is_new_membership"]) == (True, True)
    assert (member.name, member.gender, member.birthday, member.source) == (
        "王小明",
        "m",
        date(1990, 2, 28),
        "扫码",
    )
    assert member.registered_store == cast.mall_1
    assert member.identities.get().value == "+8613800138000"
    assert member.memberships.get().business == cast.mall
    assert list(Event.objects.order_by("pk").values_list("type", "operator")) == [
        ("member.enrolled", cast.sees_mall.pk),
        ("member.joined", cast.sees_mall.pk),
    ]


def test_a_known_person_joins_another_business_and_stays_as_he_is(cast: Cast) -> None:
    first = enrol(identities={"phone": PHONE}, name="王小明", business=cast.mall, origin=own_origin("desk"))
    second = enrol(
        identities={"phone": "+86 138-0013-8000", "external": "H-7", "email": "A@Example.com"},
        name="别的名字",
        business=cast.hotel,
        origin=own_origin("desk"),
    )
    assert second == {"member_no": first["member_no"], "is_new": False, "is_new_membership": True}
    member = Member.objects.get()
    assert member.name == "王小明"
    assert set(member.identities.values_list("kind", flat=True)) == {"phone", "external", "email"}
    assert find("external", "H-7", business=cast.hotel) == member
    assert find("external", "H-7", business=cast.cvs) is None


def test_another_phone_does_not_replace_the_one_we_know(cast: Cast) -> None:
    enrol(identities={"phone": PHONE, "external": "7"}, business=cast.mall, origin=own_origin("desk"))
    enrol(identities={"phone": "13900139000", "external": "7"}, business=cast.mall, origin=own_origin("desk"))
    assert Identity.objects.get(kind="phone").value == "+8613800138000"
    assert find("phone", "13900139000") is None


def test_identities_of_two_people_are_refused_and_nothing_changes(cast: Cast) -> None:
    enrol(identities={"phone": PHONE}, business=cast.mall, origin=own_origin("desk"))
    enrol(identities={"email": "a@example.com"}, business=cast.mall, origin=own_origin("desk"))
    before = counts()
    with pytest.raises(IdentityTaken):
        enrol(
            identities={"phone": PHONE, "email": "a@example.com"},
            business=cast.hotel,
            origin=own_origin("desk"),
        )
    assert counts() == before


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"identities": {"phone": "1.38E+10"}}, InvalidPhone),
        ({"identities": {"phone": "12345"}}, InvalidPhone),
        ({"identities": {}}, MemberNotFound),
        ({"gender": "x"}, InvalidGender),
        ({"birthday": date(2999, 1, 1)}, InvalidBirthday),
    ],
)
def test_bad_input_is_refused_and_nothing_changes(cast: Cast, wrong: dict, reason: type[Exception]) -> None:
    before = counts()
    with pytest.raises(reason):
        enrol(**({"identities": {"phone": PHONE}, "business": cast.mall} | wrong), origin=own_origin("desk"))
    assert counts() == before


def test_who_is_born_today_by_the_group_s_clock_may_join(cast: Cast) -> None:
    after_midnight = replace(own_origin("desk"), posted_at=datetime(2026, 3, 1, 17, tzinfo=UTC))
    baby = {"business": cast.mall, "birthday": date(2026, 3, 2)}
    assert enrol(identities={"phone": PHONE}, **baby, origin=after_midnight)["is_new"]


def test_a_closed_member_does_not_come_back_by_enrolling(cast: Cast) -> None:
    enrol(identities={"phone": PHONE}, business=cast.mall, origin=own_origin("desk"))
    Member.objects.update(status=Member.Status.CLOSED)
    with pytest.raises(MemberClosed):
        enrol(identities={"phone": PHONE}, business=cast.hotel, origin=own_origin("desk"))


@pytest.mark.django_db(transaction=True)
def test_twenty_parallel_enrolments_of_one_phone_make_one_member(cast: Cast) -> None:
    start = Barrier(PARALLEL)
    businesses = [cast.mall, cast.hotel]

    def enrol_once(number: int) -> dict:
        start.wait()
        try:
            return enrol(identities={"phone": PHONE}, business=businesses[number % 2], origin=own_origin("desk"))
        finally:
            connection.close()

    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(enrol_once, range(PARALLEL)))
    assert sum(answer["is_new"] for answer in answers) == 1
    assert sum(answer["is_new_membership"] for answer in answers) == 2
    assert len({answer["member_no"] for answer in answers}) == 1
    assert (Member.objects.count(), Identity.objects.count(), Membership.objects.count()) == (1, 1, 2)


def test_changes_name_only_the_fields_in_the_event(cast: Cast) -> None:
    enrol(identities={"phone": PHONE}, name="王小明", business=cast.mall, origin=own_origin("desk"))
    member = Member.objects.get()
    answer = update_member(member, {"name": "王大明", "gender": ""}, origin=own_origin("admin"))
    assert answer["changed"] == ["name"]
    assert Member.objects.get().name == "王大明"
    assert Event.objects.get(type="member.updated").data == {"fields": ["name"]}


def test_a_phone_of_somebody_else_is_refused(cast: Cast) -> None:
    enrol(identities={"phone": PHONE}, business=cast.mall, origin=own_origin("desk"))
    answer = enrol(identities={"phone": "13900139000"}, business=cast.mall, origin=own_origin("desk"))
    member = Member.objects.get(member_no=answer["member_no"])
    with pytest.raises(IdentityTaken):
        change_phone(member, PHONE, is_proven=False, reason="换号", origin=own_origin("admin"))
    assert find("phone", "13900139000") == member
    change_phone(member, "13700137000", is_proven=True, origin=own_origin("admin"))
    assert find("phone", "13700137000") == member
    assert find("phone", "13900139000") is None


def test_a_member_is_found_by_number_or_phone_by_those_who_may_see_him(cast: Cast) -> None:
    answer = enrol(identities={"phone": PHONE}, business=cast.hotel, origin=own_origin("desk"))
    for text in (answer["member_no"], PHONE, "+8613800138000"):
        assert resolve(text, actor=cast.hotel_app).member_no == answer["member_no"]
        assert resolve(text, actor=cast.sees_all).member_no == answer["member_no"]
        for stranger in (cast.sees_mall, cast.mall_app, cast.sees_nothing):
            with pytest.raises(MemberNotFound):
                resolve(text, actor=stranger)
    with pytest.raises(MemberNotFound):
        resolve("不是号码", actor=cast.sees_all)
