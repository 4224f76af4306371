"""Adjusting points and changing rules where a policy wants a second person: nothing moves before he agrees."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benefits.models import CouponShare, CouponTemplate
from loyalty.models import Account, EarnRule, PointsPrice, Transaction
from loyalty.services import points
from loyalty.services.verify import violations
from members.errors import ChangedMeanwhile, NoLongerValid
from members.models import Approval, ApprovalPolicy, Event, Member, Operator
from members.services import approvals
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory
from tests.filled_in import filled_in

# The page shows no seconds.
LONG_AGO = timezone.now().replace(second=0, microsecond=0) - timedelta(days=30)


@pytest.fixture
def member(cast: Cast) -> Member:
    PointsPrice.objects.create(issuer=cast.group, price=5, starts_at=LONG_AGO)
    member = MemberFactory(businesses=[cast.mall])
    points.earn(member, 100, issuer=cast.mall, origin=own_origin("admin"))
    return member


@pytest.fixture
def colleague(cast: Cast) -> Operator:
    operator = OperatorFactory(username="colleague", org_unit=cast.mall)
    operator.user_permissions.set(Permission.objects.all())
    return operator


def as_(operator: Operator) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def adjust(operator: Operator, member: Member, cast: Cast, quantity: int, token: str = "t1"):
    form = {"asset": "points", "quantity": quantity, "issuer": cast.mall.pk, "reason": "补登", "token": token}
    return as_(operator).post(reverse("admin:loyalty_account_adjust", args=[member.pk]), form)


def decide(operator: Operator, approval: Approval, decision: str, note: str = ""):
    page = reverse("admin:members_approval_change", args=[approval.pk])
    return as_(operator).post(page, {"decision": decision, "note": note})


def balance() -> int:
    return Account.objects.get(asset="points").balance


# --- Adjusting --------------------------------------------------------------------------------------------------


def test_below_the_threshold_one_person_will_do(cast: Cast, member: Member):
    ApprovalPolicy.objects.create(org_unit=cast.group, verb="loyalty.adjust", threshold=500)
    for token, quantity in (("a", 499), ("b", -499)):
        assert adjust(cast.sees_mall, member, cast, quantity, token).status_code == 302
    assert (balance(), Approval.objects.count()) == (100, 0)


def test_from_the_threshold_on_two_are_needed(cast: Cast, member: Member, colleague: Operator):
    ApprovalPolicy.objects.create(org_unit=cast.group, verb="loyalty.adjust", threshold=500)
    for _twice in range(2):
        assert adjust(cast.sees_mall, member, cast, 500).status_code == 302
    approval = Approval.objects.get()
    assert (balance(), approval.state, approval.org_unit, approval.quantity) == (100, "pending", cast.mall, 500)
    assert approval.title == f"{member.member_no} 积分 +500"
    assert (approval.before, approval.after) == (
        {"积分": "100"},
        {"积分": "600", "增减数量": "+500", "承担方": "梧桐广场"},
    )
    assert decide(cast.sees_mall, approval, "approve").status_code == 200
    assert balance() == 100
    assert decide(colleague, approval, "approve", "核对过").status_code == 302
    assert decide(cast.sees_all, approval, "approve").status_code == 200
    approval.refresh_from_db()
    assert (balance(), approval.state, approval.decided_by, approval.note) == (600, "approved", colleague, "核对过")
    given = Transaction.objects.get(kind="adjust")
    assert (given.operator, given.reason, given.request.reference) == (
        cast.sees_mall,
        "补登",
        f"approval:{approval.pk}",
    )
    told = Event.objects.filter(type__in=("points.earned", "approval.approved")).order_by("id")
    assert [(event.type, event.operator) for event in told][1:] == [
        ("points.earned", cast.sees_mall),
        ("approval.approved", colleague),
    ]
    assert [violation for _, violation in violations() if violation] == []


def test_a_store_adjusts_at_its_business_s_cost_and_asks_where_it_stands(
    cast: Cast, member: Member, colleague: Operator
):
    ApprovalPolicy.objects.create(org_unit=cast.mall, verb="loyalty.adjust", threshold=500)
    manager = OperatorFactory(username="manager", org_unit=cast.mall_1)
    manager.user_permissions.set(Permission.objects.all())
    page = as_(manager).get(reverse("admin:loyalty_account_adjust", args=[member.pk]))
    assert list(page.context["form"].fields["issuer"].queryset) == [cast.mall]
    assert adjust(manager, member, cast, 499, "a").status_code == 302
    assert balance() == 599
    assert adjust(manager, member, cast, 500, "b").status_code == 302
    approval = Approval.objects.get()
    assert (balance(), approval.org_unit, approval.after["承担方"]) == (599, cast.mall_1, "梧桐广场")
    assert decide(colleague, approval, "approve").status_code == 302
    assert balance() == 1_099


def test_taking_away_needs_two_as_well_and_what_is_not_there_stays_pending(
    cast: Cast, member: Member, colleague: Operator
):
    ApprovalPolicy.objects.create(org_unit=cast.mall, verb="loyalty.adjust", threshold=0)
    adjust(cast.sees_mall, member, cast, -101)
    approval = Approval.objects.get()
    page = decide(colleague, approval, "approve")
    approval.refresh_from_db()
    assert (page.status_code, approval.state, balance()) == (200, "pending", 100)
    assert page.context["form"].non_field_errors()
    assert decide(colleague, approval, "reject").status_code == 302
    approval.refresh_from_db()
    assert (approval.state, balance()) == ("rejected", 100)


def test_another_s_approval_is_not_there(cast: Cast, member: Member):
    ApprovalPolicy.objects.create(org_unit=cast.mall, verb="loyalty.adjust")
    adjust(cast.sees_mall, member, cast, 5)
    hotelier = OperatorFactory(username="hotelier", org_unit=cast.hotel)
    hotelier.user_permissions.set(Permission.objects.all())
    approval = Approval.objects.get()
    assert decide(hotelier, approval, "approve").status_code == 404
    listed = as_(hotelier).get(reverse("admin:members_approval_changelist"))
    assert listed.context["cl"].result_count == 0
    assert balance() == 100


def test_what_waits_for_me_is_what_i_could_decide(cast: Cast, member: Member, colleague: Operator):
    ApprovalPolicy.objects.create(org_unit=cast.mall, verb="loyalty.adjust")
    adjust(cast.sees_mall, member, cast, 5)
    page = reverse("admin:members_approval_changelist")
    counts = {
        (operator.username, whose): as_(operator).get(page, {"whose": whose}).context["cl"].result_count
        for operator in (cast.sees_mall, colleague, cast.sees_nothing)
        for whose in ("turn", "mine")
    }
    assert counts == {
        ("sees_mall", "turn"): 0, ("sees_mall", "mine"): 1,
        ("colleague", "turn"): 1, ("colleague", "mine"): 0,
        ("sees_nothing", "turn"): 0, ("sees_nothing", "mine"): 0,
    }  # fmt: skip


# --- Changing a rule --------------------------------------------------------------------------------------------


@pytest.fixture
def rule(cast: Cast) -> EarnRule:
    ApprovalPolicy.objects.create(org_unit=cast.group, verb="change:loyalty.earnrule")
    return EarnRule.objects.create(name="一元一分", org_unit=cast.mall, starts_at=LONG_AGO)


def save(operator: Operator, row, **changes):
    """Open the page of a row (or of a new one), change some of it, and save."""
    name, client = f"admin:{row._meta.app_label}_{row._meta.model_name}", as_(operator)
    page = reverse(f"{name}_change", args=[row.pk]) if row.pk else reverse(f"{name}_add")
    return client.post(page, filled_in(client.get(page).content) | changes)


def test_a_changed_rule_waits_and_takes_effect_when_a_second_person_agrees(
    cast: Cast, rule: EarnRule, colleague: Operator
):
    for _twice in range(2):
        assert save(cast.sees_mall, rule, multiplier="3", name="一元三分").status_code == 302
    rule.refresh_from_db()
    approval = Approval.objects.get()
    assert (rule.name, rule.multiplier, LogEntry.objects.count()) == ("一元一分", 1, 0)
    assert (approval.title, approval.org_unit) == ("修改获取规则“一元三分”", cast.mall)
    assert approval.before == {"名称": "一元一分", "倍数": "1"}
    assert approval.after == {"名称": "一元三分", "倍数": "3"}
    decide(colleague, approval, "approve")
    rule.refresh_from_db()
    approval.refresh_from_db()
    assert (rule.name, rule.multiplier, approval.state) == ("一元三分", 3, "approved")
    logged = LogEntry.objects.get()
    assert (logged.user, logged.object_id) == (cast.sees_mall, str(rule.pk))
    assert (approval.asked_by, approval.decided_by) == (cast.sees_mall, colleague)


def test_nothing_to_change_asks_for_nothing(cast: Cast, rule: EarnRule):
    assert save(cast.sees_mall, rule).status_code == 302
    assert Approval.objects.count() == 0


def test_without_a_policy_a_rule_is_saved_at_once(cast: Cast, rule: EarnRule):
    ApprovalPolicy.objects.update(is_active=False)
    save(cast.sees_mall, rule, name="一元二分")
    rule.refresh_from_db()
    assert (rule.name, Approval.objects.count()) == ("一元二分", 0)


def test_a_rule_that_changed_meanwhile_is_not_overwritten(cast: Cast, rule: EarnRule, colleague: Operator):
    save(cast.sees_mall, rule, name="一元三分")
    EarnRule.objects.update(priority=7)
    with pytest.raises(ChangedMeanwhile):
        approvals.approve(Approval.objects.get(), origin=own_origin("admin", actor=colleague))
    rule.refresh_from_db()
    assert (rule.name, rule.priority, Approval.objects.get().state) == ("一元一分", 7, "pending")


def test_a_new_rule_is_made_when_a_second_person_agrees(cast: Cast, rule: EarnRule, colleague: Operator):
    new = {"name": "新规则", "org_unit": cast.mall.pk, "starts_at_0": "2030-01-01", "starts_at_1": "00:00:00"}
    assert save(cast.sees_mall, EarnRule(), **new).status_code == 302
    approval = Approval.objects.get()
    assert (EarnRule.objects.count(), approval.before, approval.after["名称"]) == (1, {}, "新规则")
    decide(colleague, approval, "approve")
    made = EarnRule.objects.latest("pk")
    assert (made.name, made.org_unit, Approval.objects.get().answer) == (
        "新规则",
        cast.mall,
        {"model": "loyalty.earnrule", "pk": made.pk},
    )


def test_deleting_is_asked_for_and_never_done_in_bulk(cast: Cast, rule: EarnRule, colleague: Operator):
    EarnRule.objects.update(starts_at=timezone.now() + timedelta(days=1))
    client = as_(cast.sees_mall)
    client.post(reverse("admin:loyalty_earnrule_delete", args=[rule.pk]), {"post": "yes"})
    bulk = {"action": "delete_selected", "_selected_action": [rule.pk], "post": "yes"}
    client.post(reverse("admin:loyalty_earnrule_changelist"), bulk)
    approval = Approval.objects.get()
    assert (EarnRule.objects.count(), approval.title, approval.after) == (1, "删除获取规则“一元一分”", {})
    assert approval.before["名称"] == "一元一分"
    decide(colleague, approval, "approve")
    assert EarnRule.objects.count() == 0


# --- With inlines -----------------------------------------------------------------------------------------------


@pytest.fixture
def template(cast: Cast) -> CouponTemplate:
    ApprovalPolicy.objects.create(org_unit=cast.mall, verb="change:benefits.coupontemplate")
    template = CouponTemplate.objects.create(code="t", name="满100减20", owner=cast.mall, amount=2000, threshold=10_000)
    CouponShare.objects.create(template=template, payer=cast.mall, percent=100)
    return template


def test_the_rows_of_an_inline_wait_with_their_form(cast: Cast, template: CouponTemplate, colleague: Operator):
    share = {"shares-TOTAL_FORMS": "2", "shares-0-percent": "40", "shares-1-payer": "", "shares-1-percent": "60"}
    assert save(cast.sees_mall, template, amount="30", **share).status_code == 302
    approval = Approval.objects.get()
    assert approval.before == {
        "面额（元）": "20",
        "承担比例 1 · 承担方": "梧桐广场",
        "承担比例 1 · 比例（%）": "100",
        "承担比例 2 · 承担方": "",
        "承担比例 2 · 比例（%）": "",
    }
    assert approval.after == {
        "面额（元）": "30",
        "承担比例 1 · 承担方": "梧桐广场",
        "承担比例 1 · 比例（%）": "40",
        "承担比例 2 · 承担方": "",
        "承担比例 2 · 比例（%）": "60",
    }
    assert list(CouponShare.objects.values_list("percent", flat=True)) == [100]
    CouponTemplate.objects.update(issued=5)  # what the counter says is nobody's change
    decide(colleague, approval, "approve")
    template.refresh_from_db()
    assert (template.amount, template.issued) == (3000, 5)
    assert sorted(CouponShare.objects.values_list("payer", "percent"), key=str) == [(cast.mall.pk, 40), (None, 60)]


def test_what_is_valid_no_more_is_refused_with_its_reason(cast: Cast, template: CouponTemplate, colleague: Operator):
    new = {"code": "u", "name": "新券", "amount": "5", "threshold": "50"}
    share = {"shares-TOTAL_FORMS": "1", "shares-0-payer": cast.mall.pk, "shares-0-percent": "100"}
    answer = save(cast.sees_mall, CouponTemplate(), **new, owner=cast.mall.pk, **share)
    assert answer.status_code == 302
    CouponTemplate.objects.update(code="u")
    with pytest.raises(NoLongerValid, match="编码"):
        approvals.approve(Approval.objects.get(), origin=own_origin("admin", actor=colleague))
    assert (CouponTemplate.objects.count(), Approval.objects.get().state) == (1, "pending")
