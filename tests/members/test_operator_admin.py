"""Who may raise whom: operators are made and changed down the tree only, and within one's own permissions."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from config import roles
from members.models import AuditEntry, Operator, OrgUnit
from members.services import operators
from tests.cast import Cast
from tests.factories import OperatorFactory

LIST = reverse("admin:members_operator_changelist")
ADD = reverse("admin:members_operator_add")
PASSWORD = "xk29-lantern"


@pytest.fixture
def staff(cast: Cast) -> dict[str, Operator]:
    """One operator of each role where it works: region over MALL-EAST, the shop's on MALL-1."""
    roles.set_up(demand_totp=False)
    nodes = {
        "总部运营": cast.group,
        "业态运营": cast.mall,
        "大区经理": cast.mall_east,
        "店长": cast.mall_1,
        "店员": cast.mall_1,
        "客服": cast.mall,
        "财务": cast.group,
        "审计": cast.group,
        "市场": cast.mall_east,
    }
    return {name: hired(name, node) for name, node in nodes.items()}


def hired(role: str, node: OrgUnit | None, **facts) -> Operator:
    operator = OperatorFactory(org_unit=node, **facts)
    operator.groups.add(Group.objects.get(name=role))
    return operator


def as_(operator: Operator) -> Client:
    client = Client()
    client.force_login(Operator.objects.get(pk=operator.pk))  # his password may have changed meanwhile
    return client


def appoint(by: Operator, role: str, node: OrgUnit | None, **said: str) -> Operator | None:
    form = {
        "username": "new",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "usable_password": "true",
        "org_unit": node.pk if node else "",
        "groups": [Group.objects.get(name=role).pk],
        "is_staff": "on",
    }
    as_(by).post(ADD, form | said)
    return Operator.objects.filter(username="new").first()


def change(by: Operator, operator: Operator, **said) -> int:
    operator = Operator.objects.get(pk=operator.pk)
    form = {
        "username": operator.username,
        "org_unit": operator.org_unit_id or "",
        "groups": list(operator.groups.values_list("pk", flat=True)),
        "is_active": "on",
        "is_staff": "on",
    }
    page = reverse("admin:members_operator_change", args=[operator.pk])
    return as_(by).post(page, {key: value for key, value in (form | said).items() if value is not None}).status_code


def set_password(by: Operator, operator: Operator) -> int:
    url = reverse("admin:auth_user_password_change", args=[operator.pk])
    return as_(by).post(url, {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}).status_code


def standing(operator: Operator) -> tuple:
    found = Operator.objects.get(pk=operator.pk)
    rights = sorted(found.user_permissions.values_list("pk", flat=True))
    return (
        found.username,
        found.org_unit_id,
        found.is_active,
        found.is_superuser,
        found.password,
        sorted(found.groups.values_list("pk", flat=True)),
        rights,
    )


# Appointing --------------------------------------------------------------------------------------------------------


def test_a_region_manager_appoints_in_his_shops(staff, cast: Cast):
    new = appoint(staff["大区经理"], "店长", cast.mall_2)
    assert (new.org_unit, [role.name for role in new.groups.all()]) == (cast.mall_2, ["店长"])
    assert new.check_password(PASSWORD)
    kept = AuditEntry.objects.filter(model="members.operator", row_id=new.pk)
    assert {entry.operator for entry in kept} == {staff["大区经理"]}


BEYOND = [
    ("大区经理", "业态运营", "mall_2"),  # a role that may do more than he
    ("大区经理", "财务", "mall_2"),  # one that may do something he may not
    ("大区经理", "店员", "mall"),  # a node above his own
    ("大区经理", "店员", "hotel_1"),  # one beside
    ("大区经理", "店员", None),  # none: from below nobody would see him again
    ("店长", "大区经理", "mall_1"),
    ("店长", "店员", "mall_2"),
    ("店员", "店员", "mall_1"),  # who appoints nobody
    ("客服", "店员", "mall_1"),
    ("审计", "店员", "mall_1"),
    ("总部运营", "店员", None),
]


def test_beyond_that_nobody_is_appointed(staff, cast: Cast):
    before = Operator.objects.count()
    taken = [case for case in BEYOND if appoint(staff[case[0]], case[1], getattr(cast, case[2]) if case[2] else None)]
    assert taken == []
    assert Operator.objects.count() == before


def test_what_no_form_offers_is_not_taken(staff, cast: Cast):
    everything = [permission.pk for permission in Permission.objects.all()[:5]]
    new = appoint(staff["大区经理"], "店员", cast.mall_1, is_superuser="on", user_permissions=everything)
    assert (new.is_superuser, new.user_permissions.count()) == (False, 0)
    assert change(staff["大区经理"], new, is_superuser="on", user_permissions=everything) == 302
    new.refresh_from_db()
    assert (new.is_superuser, new.user_permissions.count()) == (False, 0)
    page = as_(staff["总部运营"]).get(reverse("admin:members_operator_change", args=[new.pk])).content.decode()
    assert 'name="username"' in page
    assert "is_superuser" not in page
    assert "user_permissions" not in page


# Changing ------------------------------------------------------------------------------------------------------------


MANAGED = [
    ("大区经理", "店长"),
    ("大区经理", "店员"),
    ("大区经理", "市场"),  # on his own node, and may do less
    ("店长", "店员"),
    ("业态运营", "大区经理"),
    ("总部运营", "财务"),
    ("总部运营", "业态运营"),
]
NOT_MANAGED = [
    ("店长", "大区经理"),
    ("大区经理", "业态运营"),
    ("大区经理", "客服"),  # stands on the mall, above the region
    ("业态运营", "总部运营"),
    ("大区经理", "大区经理"),  # himself
    ("总部运营", "总部运营"),
    ("店员", "店长"),
    ("审计", "店员"),
]


def test_who_stands_above_and_may_do_more_manages(staff):
    for by, whom in MANAGED:
        assert change(staff[by], staff[whom], is_active=None) == 302, (by, whom)
        assert not Operator.objects.get(pk=staff[whom].pk).is_active
        assert set_password(staff[by], staff[whom]) == 302
        managed = Operator.objects.get(pk=staff[whom].pk)
        assert managed.check_password(PASSWORD)
        managed.is_active = True
        managed.save(update_fields=["is_active"])


def test_nobody_else_does(staff):
    clerk = Group.objects.get(name="店员")
    for by, whom in NOT_MANAGED:
        before = standing(staff[whom])
        changed = change(staff[by], staff[whom], username="taken", is_active=None, groups=[clerk.pk])
        assert changed in (302, 403, 404)
        assert set_password(staff[by], staff[whom]) in (302, 403, 404)
        assert standing(staff[whom]) == before, (by, whom)


def test_a_peer_is_not_taken_over(staff, cast: Cast):
    """With his password one could approve what one has asked for oneself."""
    peer, below = hired("大区经理", cast.mall_east), hired("大区经理", cast.mall_1)
    assert set_password(staff["大区经理"], peer) == 403
    assert not Operator.objects.get(pk=peer.pk).check_password(PASSWORD)
    assert set_password(staff["大区经理"], below) == 302


def test_who_is_beside_is_not_even_seen(staff, cast: Cast):
    beside = hired("店员", cast.hotel_1)
    before = standing(beside)
    assert change(staff["业态运营"], beside, username="taken") == 302  # to the index: not there
    page = as_(staff["业态运营"]).get(LIST)
    assert beside not in page.context["cl"].queryset
    assert standing(beside) == before


def test_a_dismissed_superior_is_still_a_superior(staff, cast: Cast):
    """Inactive, he has no permissions for Django; taken over and made active again, he would have them all."""
    superior = hired("总部运营", cast.mall_1, is_active=False)
    before = standing(superior)
    assert change(staff["大区经理"], superior) == 403
    assert set_password(staff["大区经理"], superior) == 403
    assert standing(superior) == before


def test_a_superuser_is_left_to_superusers(staff, cast: Cast):
    root = OperatorFactory(org_unit=cast.mall_1, is_superuser=True)
    assert set_password(staff["总部运营"], root) == 403
    assert set_password(OperatorFactory(is_superuser=True), root) == 302


def test_nobody_is_moved_out_of_reach_or_raised(staff, cast: Cast):
    clerk = staff["店员"]
    before = standing(clerk)
    assert change(staff["大区经理"], clerk, org_unit=cast.hotel_1.pk) == 200
    assert change(staff["大区经理"], clerk, org_unit=cast.mall.pk) == 200
    assert change(staff["大区经理"], clerk, groups=[Group.objects.get(name="总部运营").pk]) == 200
    assert standing(clerk) == before
    assert change(staff["大区经理"], clerk, groups=[Group.objects.get(name="店长").pk]) == 302
    assert standing(clerk) != before


def test_nobody_is_deleted(staff):
    page = reverse("admin:members_operator_delete", args=[staff["店员"].pk])
    assert as_(staff["总部运营"]).post(page, {"post": "yes"}).status_code == 403
    answer = as_(staff["总部运营"]).post(
        LIST, {"action": "delete_selected", "_selected_action": [staff["店员"].pk], "post": "yes"}
    )
    assert answer.status_code in (200, 302)
    assert Operator.objects.filter(pk=staff["店员"].pk).exists()


def test_roles_on_offer_are_those_within_ones_own(staff):
    def offered(name: str) -> set[str]:
        return set(operators.roles_within(staff[name]).values_list("name", flat=True))

    assert offered("店长") == {"店长", "店员", "客服"}
    assert offered("大区经理") == {"大区经理", "店长", "店员", "客服", "市场"}
    assert offered("总部运营") == {role.name for role in roles.ROLES}
