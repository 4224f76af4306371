"""What member 360 and the member list show of purchases and assets."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Avg, Count, F, Max, Sum
from django.utils import timezone

from loyalty.models import Account, Asset, Lot, Purchase, Transaction
from loyalty.services.standing import points_standing
from members.models import Member, Operator
from members.services.successors import selves

ROWS = 50  # a tab shows the latest; the lists behind it have all


def numbers(member: Member, actor: Operator) -> dict[str, Any]:
    """The six figures on top: spend, visits, average basket, last visit, points, balance."""
    facts = (
        Purchase.objects.visible_to(actor)
        .filter(member=member)
        .aggregate(
            spend=Sum(F("net_amount") - F("refunded_amount")),
            visits=Count("pk"),
            average=Avg("net_amount"),
            last=Max("at"),
        )
    )
    facts["average"] = round(facts["average"] or 0)
    return facts | {"points": points_standing(member, at=timezone.now())}


def points(member: Member, actor: Operator) -> dict[str, Any]:
    return {"points": points_standing(member, at=timezone.now())}


def growth(member: Member, actor: Operator) -> dict[str, Any]:
    return {"growth": Account.objects.filter(member=member, asset=Asset.GROWTH).first()}


def transactions(member: Member, actor: Operator) -> dict[str, Any]:
    rows = Transaction.objects.visible_to(actor).filter(account__member__in=selves(member))
    beside = ("account", "business", "store", "channel", "operator", "card__member")
    return {"transactions": rows.select_related(*beside)[:ROWS]}


def lots(member: Member, actor: Operator) -> dict[str, Any]:
    rows = Lot.objects.visible_to(actor).filter(account__member=member).exclude(remaining=0)
    return {"lots": rows.select_related("account", "issuer").order_by("expires_at", "pk")[:ROWS]}


def balances(keys: Sequence[int]) -> Mapping[int, int]:
    """The column 积分 of the member list."""
    return dict(Account.objects.filter(member__in=keys, asset=Asset.POINTS).values_list("member_id", "balance"))
