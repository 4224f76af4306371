"""What a node decides is seen below it and kept where it was decided: every rule, template, campaign and setting."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.forms.models import model_to_dict
from django.urls import reverse
from django.utils import timezone

from benefits.models import CouponTemplate, Tier, TierProgramme
from loyalty.models import AssetPolicy, BurnRule, EarnRule, PointsPrice
from marketing.models import Campaign, Tag
from members.interfaces.admin import OwnedAdmin
from members.models import (
    ApprovalPolicy,
    Attribute,
    CardType,
    ConsentText,
    OrgUnit,
    TicketType,
    Trade,
)
from settlement.models import IssueAgreement, RedemptionAgreement
from tests.cast import Cast
from tests.factories import OperatorFactory

NOW = timezone.now()
LATER = NOW + timedelta(days=1)


def tier(node: OrgUnit) -> Tier:
    return Tier.objects.create(programme=programme(node), code="gold", name="金卡", rank=1)


def programme(node: OrgUnit) -> TierProgramme:
    return TierProgramme.objects.create(
        code=f"p-{node.pk}", name="体系", org_unit=node, starts_at=NOW, benefits_from=NOW
    )


def campaign(node: OrgUnit) -> Campaign:
    rule = {"attr": "gender", "cmp": "eq", "value": "f"}
    payer = OrgUnit.objects.businesses().first()
    return Campaign.objects.create(name="活动", owner=node, rule=rule, points=10, payer=payer)


def dated(model: type[Model]) -> Callable[[OrgUnit], Model]:
    return lambda node: model._default_manager.create(name="规则", org_unit=node, starts_at=LATER)


# model → a row that a node has decided
DECIDED: dict[type[Model], Callable[[OrgUnit], Model]] = {
    EarnRule: dated(EarnRule),
    BurnRule: dated(BurnRule),
    AssetPolicy: dated(AssetPolicy),
    PointsPrice: lambda node: PointsPrice.objects.create(issuer=node, price=5, starts_at=LATER),
    TierProgramme: programme,
    Tier: tier,
    CouponTemplate: lambda node: CouponTemplate.objects.create(code=f"c-{node.pk}", name="券", owner=node, amount=100),
    Tag: lambda node: Tag.objects.create(code=f"t-{node.pk}", name="标签", scope=node),
    Campaign: campaign,
    IssueAgreement: lambda node: IssueAgreement.objects.create(issuer=None, starts_at=LATER),
    RedemptionAgreement: lambda node: RedemptionAgreement.objects.create(starts_at=LATER),
    Attribute: lambda node: Attribute.objects.create(code=f"a_{node.pk}", name="属性", kind="text", org_unit=node),
    CardType: lambda node: CardType.objects.create(code=f"k-{node.pk}", name="卡", org_unit=node, prefix="9"),
    ConsentText: lambda node: ConsentText.objects.create(
        receiver=node, purpose="terms", version="1", text="…", starts_at=LATER
    ),
    TicketType: lambda node: TicketType.objects.create(code=f"i-{node.pk}", name="投诉", org_unit=node),
    ApprovalPolicy: lambda node: ApprovalPolicy.objects.create(org_unit=node, verb="loyalty.adjust"),
    Trade: lambda node: Trade.objects.create(code="food", name="餐饮"),
}
# What is seen in one's own subtree only.
NOT_SEEN_FROM_BELOW = {Campaign}


def url(row: Model, page: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def stored(row: Model) -> dict[str, Any]:
    return model_to_dict(type(row)._default_manager.get(pk=row.pk))


def registered() -> set[type[Model]]:
    return {model for model, page in admin.site._registry.items() if isinstance(page, OwnedAdmin)}


def test_every_admin_of_what_a_node_decides_is_walked_here():
    made_at_businesses = {"remindersetting"}
    assert {m for m in registered() if m._meta.model_name not in made_at_businesses} - set(DECIDED) == set()


@pytest.mark.parametrize(
    "model", [model for model in DECIDED if model in admin.site._registry], ids=lambda model: model._meta.label
)
def test_the_group_s_is_kept_by_the_group(cast: Cast, client, rf, model):
    row = DECIDED[model](cast.group)
    shop = OperatorFactory(org_unit=cast.mall_1)
    shop.user_permissions.set(cast.sees_all.user_permissions.all())
    before = stored(row)
    for operator in (shop, cast.sees_mall):
        client.force_login(operator)
        seen = row in type(row)._default_manager.visible_to(operator)
        assert seen == (model not in NOT_SEEN_FROM_BELOW)
        refused = {403} if seen else {302, 404}
        assert client.post(url(row), {"name": "改了"}).status_code in refused
        assert client.post(url(row, "delete"), {"post": "yes"}).status_code in refused
        assert stored(row) == before
    assert client.get(url(row)).status_code == (200 if model not in NOT_SEEN_FROM_BELOW else 302)
    request = rf.get("/")
    request.user = cast.sees_all
    assert admin.site._registry[model].has_change_permission(request, row)
