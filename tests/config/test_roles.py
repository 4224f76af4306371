"""The roles that a group starts with: who may what, and that what was edited stays."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from config import roles
from members.models import RolePolicy


def held(name: str) -> set[str]:
    found = Permission.objects.filter(group__name=name).select_related("content_type")
    return {f"{permission.content_type.app_label}.{permission.codename}" for permission in found}


def set_up_roles(*options: str) -> None:
    call_command("set_up_roles", *options, stdout=io.StringIO())


@pytest.fixture
def standing(db: None) -> None:
    set_up_roles()


def test_every_role_of_the_table_is_made_with_its_policy(standing):
    assert set(Group.objects.values_list("name", flat=True)) == {role.name for role in roles.ROLES}
    policies = dict(RolePolicy.objects.values_list("group__name", "export_rows"))
    assert policies == {role.name: role.export_rows for role in roles.ROLES}
    demanding = set(RolePolicy.objects.filter(requires_totp=True).values_list("group__name", flat=True))
    assert demanding == {"总部运营", "财务"}


def test_every_pattern_names_something(standing):
    known = [f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")]
    idle = [
        (role.name, pattern)
        for role in roles.ROLES
        for pattern in (*role.may, *role.but_not)
        if not any(roles._matches(permission, (pattern,)) for permission in known)
    ]
    assert idle == []


def test_each_manager_holds_all_of_the_roles_below_his(standing):
    assert held("店员") < held("店长") < held("大区经理") < held("业态运营")
    assert held("客服") | held("市场") < held("大区经理")
    assert held("业态运营") | held("审计") | held("财务") < held("总部运营")


def test_who_reads_unmasked_and_who_only_looks(standing):
    readers = {role.name for role in roles.ROLES if "members.view_personal_data" in held(role.name)}
    assert readers == {"总部运营", "业态运营", "大区经理", "店长", "客服"}
    assert all("members.view_member" in held(role.name) for role in roles.ROLES)  # their lists lead to member 360
    exporters = {role.name for role in roles.ROLES if "members.export_personal_data" in held(role.name)}
    assert exporters == {"总部运营"}
    changes = {right for right in held("审计") if ".view_" not in right}
    assert changes == {"members.export_members"}
    assert {r for r in held("店员") if "operator" in r or "auditentry" in r or "channel" in r} == set()
    assert {r for r in held("业态运营") if r.startswith("auth.") or r.endswith("_channelkey")} == set()


def test_what_was_edited_stays_until_it_is_reset(standing):
    clerk = Group.objects.get(name="店员")
    clerk.permissions.set(Permission.objects.filter(codename="view_member"))
    RolePolicy.objects.filter(group=clerk).update(export_rows=7)
    Group.objects.filter(name="客服").delete()
    set_up_roles()
    assert held("店员") == {"members.view_member"}
    assert RolePolicy.objects.get(group=clerk).export_rows == 7
    assert "members.take_call" in held("客服")
    set_up_roles("--reset", "--without-totp")
    assert "members.issue_card" in held("店员")
    assert RolePolicy.objects.get(group=clerk).export_rows == 0
    assert not RolePolicy.objects.filter(requires_totp=True).exists()
