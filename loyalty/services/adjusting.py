"""Adjusting by hand, above a threshold with a second person: what is asked, and what is done when he agrees."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from loyalty.errors import ReasonMissing
from loyalty.models import Account, Asset
from loyalty.services import points
from members.interfaces import Answer, Origin
from members.models import Approval, Member, Operator, OrgUnit
from members.services import approvals

VERB = "loyalty.adjust"


def issuers_for(actor: Operator) -> QuerySet[OrgUnit]:
    """Who may bear the cost: a group or business that the operator reaches; for a store or region, its business."""
    reach = actor.reach
    if reach is None:
        return OrgUnit.objects.none()
    above = Q(pk=reach.business_id) if reach.kind != OrgUnit.Kind.GROUP else Q()
    in_sight = Q(pk__in=OrgUnit.objects.visible_to(actor))
    return OrgUnit.objects.filter(in_sight | above, kind__in=(OrgUnit.Kind.GROUP, OrgUnit.Kind.BUSINESS))


def place_of(issuer: OrgUnit, actor: Operator) -> OrgUnit:
    """Where it is decided: with who bears the cost, or lower, where the operator stands."""
    reach = actor.reach
    return reach if reach and reach.path.startswith(issuer.path) else issuer


def is_for_two(issuer: OrgUnit, quantity: int, *, actor: Operator) -> bool:
    """Whether the place, or a node above it, wants a second person for this much."""
    return approvals.needed(VERB, place_of(issuer, actor), quantity) is not None


def thresholds(issuers: Iterable[OrgUnit], *, actor: Operator) -> dict[int, int]:
    """From how much on each issuer wants a second person, by key; who never does is left out."""
    policies = ((issuer.pk, approvals.policy_for(VERB, place_of(issuer, actor))) for issuer in issuers)
    return {key: policy.threshold for key, policy in policies if policy}


def ask(
    member: Member, quantity: int, *, reason: str, issuer: OrgUnit, asset: str = Asset.POINTS, origin: Origin
) -> Approval:
    """Ask for an adjustment at its place. Raises ReasonMissing, NotYours."""
    if not reason.strip():
        raise ReasonMissing(field="reason")
    account = Account.objects.filter(member=member, asset=asset).first()
    balance = account.balance if account else 0
    asset_label = Asset(asset).label
    return approvals.ask(
        VERB,
        org_unit=place_of(issuer, origin.actor) if origin.actor else issuer,
        quantity=quantity,
        arguments={
            "member": member.pk,
            "quantity": quantity,
            "reason": reason,
            "issuer": issuer.pk,
            "asset": str(asset),
        },
        before={asset_label: f"{balance:,}"},
        after={asset_label: f"{balance + quantity:,}", _("增减数量"): f"{quantity:+,}", _("承担方"): issuer.name},
        title=format_lazy("{} {} {:+,}", member.member_no, asset_label, quantity),
        reason=reason,
        origin=origin,
    )


def run(arguments: dict[str, Any], origin: Origin) -> Answer:
    """The verb of the table: by the balance of now. Raises what points.adjust raises."""
    return points.adjust(
        Member.objects.get(pk=arguments["member"]),
        arguments["quantity"],
        reason=arguments["reason"],
        issuer=OrgUnit.objects.get(pk=arguments["issuer"]),
        asset=arguments["asset"],
        origin=origin,
    )
