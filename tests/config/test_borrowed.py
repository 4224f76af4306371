"""Other people's models in the back office: they know no tree, and show nobody what is not his."""

import pytest
from axes.models import AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult
from django_otp.plugins.otp_totp.models import TOTPDevice

from members.models import Operator, RolePolicy
from tests.cast import Cast
from tests.factories import OperatorFactory

FLOORS = ("members", "loyalty", "benefits", "settlement", "marketing")
BORROWED = [model for model in admin.site._registry if model._meta.app_label not in FLOORS]


@pytest.fixture
def group(cast: Cast) -> Cast:
    """One row of everything that is not ours, none of it the mall's."""
    hotelier = OperatorFactory(username="hotelier", org_unit=cast.hotel)
    Group.objects.create(name="前台")
    every, _ = IntervalSchedule.objects.get_or_create(every=1, period="days")
    PeriodicTask.objects.create(name="roll", task="roll", interval=every)
    TaskResult.objects.create(task_id="1", task_name="roll", status="SUCCESS")
    TOTPDevice.objects.create(user=hotelier, name="app")
    for log in (AccessLog, AccessFailureLog):
        log.objects.create(username="hotelier", ip_address="10.0.0.1")
    return cast


def listed(client: Client, operator: Operator, model) -> set:
    client.force_login(operator)
    answer = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    return set(answer.context["cl"].queryset) if answer.status_code == 200 else set()


def opened(client: Client, operator: Operator, row) -> int:
    client.force_login(operator)
    meta = row._meta
    return client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])).status_code


def test_headquarters_sees_all_of_it(group: Cast, client: Client):
    assert [model for model in BORROWED if not listed(client, group.sees_all, model)] == []


@pytest.mark.parametrize("name", ["sees_nothing", "sees_mall"])
def test_from_below_or_from_nowhere_nothing_is_seen(group: Cast, client: Client, name: str):
    operator = getattr(group, name)
    assert {model: rows for model in BORROWED if (rows := listed(client, operator, model))} == {}
    rows = [model._default_manager.latest("pk") for model in BORROWED]
    assert [row for row in rows if opened(client, operator, row) == 200] == []


def test_who_stands_above_sees_the_logins_and_apps_of_his_operators(group: Cast, client: Client):
    manager = OperatorFactory(username="manager", org_unit=group.hotel)
    manager.user_permissions.set(Permission.objects.filter(content_type__app_label__in=("axes", "otp_totp")))
    for model in (AccessLog, AccessFailureLog, TOTPDevice):
        assert len(listed(client, manager, model)) == 1


def test_a_schedule_is_paused_at_headquarters_only(group: Cast, client: Client):
    task = PeriodicTask.objects.get(name="roll")
    page = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])
    client.force_login(group.sees_mall)
    assert client.post(page, {}).status_code == 302
    task.refresh_from_db()
    assert task.enabled
    client.force_login(group.sees_all)
    client.post(page, {})
    task.refresh_from_db()
    assert not task.enabled


# Roles -------------------------------------------------------------------------------------------------------------


def posted(client: Client, role: Group | None, rights: list[Permission], *, name: str = "新角色", **policy) -> int:
    page = reverse("admin:auth_group_change", args=[role.pk]) if role else reverse("admin:auth_group_add")
    kept = RolePolicy.objects.filter(group=role).first() if role else None
    inline = {"TOTAL_FORMS": 1, "INITIAL_FORMS": int(kept is not None), "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1}
    inline |= {f"0-{key}": value for key, value in policy.items()}
    if kept:
        inline |= {"0-id": kept.pk, "0-group": role.pk}
    said = {f"policy-{key}": value for key, value in inline.items()}
    return client.post(page, {"name": name, "permissions": [right.pk for right in rights], **said}).status_code


def right(codename: str) -> Permission:
    return Permission.objects.get(codename=codename)


@pytest.fixture
def keeper(cast: Cast) -> Operator:
    """Keeps roles at headquarters, and may see members: nothing else. Carries a role himself."""
    operator = OperatorFactory(username="keeper", org_unit=cast.group)
    codenames = ("view_group", "add_group", "change_group", "delete_group", "view_member")
    operator.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    operator.user_permissions.add(*Permission.objects.filter(content_type__model="rolepolicy"))
    operator.groups.add(Group.objects.create(name="自己的"))
    return operator


def test_a_role_holds_no_more_than_whoever_makes_it(client: Client, keeper: Operator):
    client.force_login(keeper)
    posted(client, None, [right("view_member"), right("adjust_account")], export_rows=10)
    assert not Group.objects.filter(name="新角色").exists()
    posted(client, None, [right("view_member")], export_rows=10, requires_totp="on")
    role = Group.objects.get(name="新角色")
    assert [held.codename for held in role.permissions.all()] == ["view_member"]
    assert (role.policy.requires_totp, role.policy.export_rows) == (True, 10)


def test_one_changes_neither_ones_own_role_nor_a_larger_one(client: Client, keeper: Operator):
    larger = Group.objects.create(name="更大的")
    larger.permissions.add(right("adjust_account"))
    client.force_login(keeper)
    for role in (larger, keeper.groups.get()):
        before = set(role.permissions.all())
        assert posted(client, role, [right("view_member")], name="改了", export_rows=10) == 403
        role.refresh_from_db()
        assert (role.name == "改了", set(role.permissions.all())) == (False, before)


def test_a_role_that_somebody_carries_is_not_deleted(client: Client, keeper: Operator, cast: Cast):
    role = Group.objects.create(name="小的")
    cast.sees_mall.groups.add(role)
    client.force_login(keeper)
    page = reverse("admin:auth_group_delete", args=[role.pk])
    assert client.post(page, {"post": "yes"}).status_code == 403
    cast.sees_mall.groups.clear()
    client.post(page, {"post": "yes"})
    assert not Group.objects.filter(pk=role.pk).exists()
