"""Enrolling, finding, reading and changing members as a channel."""

import pytest
from django.utils import timezone

from members.models import Event, Identity, Member, Membership
from members.services.member_code import issue_member_code
from members.services.memory import Memory

ZHANG = {"identities": [{"kind": "phone", "value": "138 0013 8111"}], "name": "张三丰", "gender": "m"}


def test_a_person_enrols_once_and_joins_the_next_business(app, cast):
    first = app(cast.mall_app).post("members", ZHANG | {"store": "MALL-1"})
    second = app(cast.cvs_app).post("members", ZHANG | {"name": "另一个名字"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == {"member_no": first.json()["member_no"], "is_new": True, "is_new_membership": True}
    assert second.json() == {"member_no": first.json()["member_no"], "is_new": False, "is_new_membership": True}
    member = Member.objects.get()
    assert member.name == "张三丰"
    assert {membership.business.code for membership in member.memberships.all()} == {"MALL", "CVS"}
    assert Membership.objects.get(business=cast.mall).store == cast.mall_1


def test_a_member_shows_his_code_and_joins(app, cast, member):
    code = issue_member_code(member, at=timezone.now())
    assert app(cast.cvs_app).get("members", {"code": code}).json() == {"results": []}
    joined = app(cast.cvs_app).post("members", {"code": code})
    assert joined.json() == {"member_no": member.member_no, "is_new": False, "is_new_membership": True}
    [found] = app(cast.cvs_app).get("members", {"code": code}).json()["results"]
    assert found["member_no"] == member.member_no
    stale = app(cast.cvs_app).post("members", {"code": "12345678901234567890"})
    assert (stale.status_code, stale.json()["code"]) == (422, "member_code_invalid")


@pytest.mark.parametrize(
    "query",
    [{"phone": "13800138000"}, {"phone": "+86 138-0013-8000"}, {"identity": "phone:13800138000"}],
)
def test_a_member_is_found_by_phone_as_written(app, cast, member, query):
    [found] = app(cast.mall_app).get("members", query).json()["results"]
    assert found["member_no"] == member.member_no
    assert app(cast.cvs_app).get("members", query).json() == {"results": []}


def test_personal_data_is_masked_without_the_scope(app, cast, member):
    masked = app(cast.mall_app).get(f"members/{member.member_no}").json()
    assert (masked["name"], masked["identities"][0]["value"]) == ("张*", "138****8000")
    assert [membership["business"] for membership in masked["memberships"]] == ["MALL"]
    cast.mall_app.scopes = ["members.read", "personal_data"]
    cast.mall_app.save()
    Memory.forget_all()
    clear = app(cast.mall_app).get(f"members/{member.member_no}").json()
    assert (clear["name"], clear["identities"][0]["value"]) == ("张三", "+8613800138000")


def test_a_patch_changes_what_it_names(app, cast, member):
    answer = app(cast.mall_app).patch(f"members/{member.member_no}", {"gender": "f", "birthday": "1990-02-28"})
    assert answer.json() == {"member_no": member.member_no, "changed": ["birthday", "gender"]}
    member.refresh_from_db()
    assert (member.name, member.gender, str(member.birthday)) == ("张三", "f", "1990-02-28")


def test_two_people_are_not_merged_by_enrolling(app, cast, member):
    identities = [{"kind": "phone", "value": "13800138000"}, {"kind": "card", "value": "C-1"}]
    other = [{"kind": "phone", "value": "13900139000"}, {"kind": "card", "value": "C-1"}]
    app(cast.mall_app).post("members", {"identities": identities})
    app(cast.mall_app).post("members", {"identities": [{"kind": "phone", "value": "13900139000"}]})
    before = Identity.objects.count(), Event.objects.count()
    refused = app(cast.mall_app).post("members", {"identities": other})
    assert (refused.status_code, refused.json()["code"]) == (409, "identity_taken")
    assert (Identity.objects.count(), Event.objects.count()) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "identities"),
        ({"identities": []}, "identities"),
        ({"identities": [{"kind": "phone"}]}, "identities[0].value"),
        ({"identities": [{"kind": "phone", "value": "1"}] * 2}, "identities"),
        (ZHANG | {"gender": "男"}, "gender"),
        (ZHANG | {"birthday": "30.2.1990"}, "birthday"),
        (ZHANG | {"at": "2026-11-21T10:00:00"}, "at"),
        (ZHANG | {"at": "2099-01-01T00:00:00+08:00"}, "at"),
        ("[]", ""),
    ],
)
def test_bad_input_names_the_field(app, cast, body, field):
    problem = app(cast.mall_app).post("members", body)
    assert problem.status_code == 400
    assert problem.json()["code"] == "invalid_input"
    assert [error["field"] for error in problem.json()["errors"]] == [field]
    assert not Member.objects.exists()


@pytest.mark.parametrize(
    "query", [{}, {"phone": "13800138000", "code": "1"}, {"identity": "shoe:42"}, {"identity": "phone"}]
)
def test_finding_needs_one_good_question(app, cast, query):
    assert app(cast.mall_app).get("members", query).json()["code"] == "invalid_input"
