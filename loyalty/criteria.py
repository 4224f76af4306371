"""What rules may ask of purchases and points."""

from django.db.models import BigIntegerField, Expression, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from loyalty.models import Account, Asset, Purchase
from members.criteria import (
    INTEGER,
    MONEY,
    Attribute,
    EventField,
    EventKind,
    Moment,
    business_names,
    store_names,
    trade_names,
)


def points_balance(moment: Moment) -> Expression:
    """Who never had an account has 0 points."""
    accounts = Account.objects.filter(member=OuterRef("pk"), asset=Asset.POINTS)
    return Coalesce(Subquery(accounts.values("balance")), Value(0), output_field=BigIntegerField())


def purchases() -> QuerySet:
    """Those of which something stands; one that cost nothing from the start stands too."""
    return Purchase.objects.filter(Q(refunded_amount__lt=F("net_amount")) | Q(net_amount=0))


entries = (
    Attribute("points_balance", _("可用积分"), INTEGER, points_balance),
    EventKind(
        "purchase",
        _("消费"),
        purchases,
        fields=(
            EventField("business", _("业态"), "business__code", business_names),
            EventField("store", _("门店"), "store__code", store_names),
            EventField("trade", _("业种"), "store__trade__code", trade_names),
        ),
        measure=F("net_amount") - F("refunded_amount"),
        measure_type=MONEY,
    ),
)
