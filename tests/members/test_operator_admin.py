"""Who may raise whom: operators are made and changed within one's own reach and one's own permissions."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from members.models import Operator
from tests.cast import Cast
from tests.factories import OperatorFactory

LIST = reverse("admin:members_operator_changelist")


def permission(codename: str) -> Permission:
    return Permission.objects.get(codename=codename)


@pytest.fixture
def manager(cast: Cast) -> Operator:
    """Manages the operators of MALL, and may see members: nothing else."""
    operator = OperatorFactory(username="manager", org_unit=cast.mall)
    codenames = ("add_operator", "change_operator", "view_operator", "view_member")
    operator.user_permissions.set([permission(codename) for codename in codenames])
    return operator


@pytest.fixture
def small() -> Group:
    role = Group.objects.create(name="查看")
    role.permissions.add(permission("view_member"))
    return role


@pytest.fixture
def large() -> Group:
    role = Group.objects.create(name="调整")
    role.permissions.add(permission("view_member"), permission("adjust_account"))
    return role


def test_one_hands_out_only_roles_within_ones_own_permissions(
    client: Client, manager: Operator, small: Group, large: Group, cast: Cast
):
    client.force_login(manager)
    person = {"username": "new", "password1": "xk29-lantern", "password2": "xk29-lantern", "org_unit": cast.mall.pk}
    add = reverse("admin:members_operator_add")
    client.post(add, person | {"groups": [large.pk], "is_staff": "on", "usable_password": "true"})
    assert not Operator.objects.filter(username="new").exists()
    client.post(add, person | {"groups": [small.pk], "is_staff": "on", "usable_password": "true"})
    assert list(Operator.objects.get(username="new").groups.all()) == [small]


def test_who_may_do_more_is_not_changed_nor_given_a_password(
    client: Client, manager: Operator, large: Group, cast: Cast
):
    superior = OperatorFactory(username="superior", org_unit=cast.mall)
    superior.groups.add(large)
    before = superior.password
    client.force_login(manager)
    url = reverse("admin:auth_user_password_change", args=[superior.pk])
    answer = client.post(url, {"password1": "xk29-lantern", "password2": "xk29-lantern", "usable_password": "true"})
    superior.refresh_from_db()
    assert (answer.status_code, superior.password) == (403, before)
