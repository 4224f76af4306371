"""What discounts have cost and who bears it, to look at: settlement reads these."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from benefits.admin.words import link_to, shares_in_words
from benefits.models import Charge
from members.interfaces.admin import ReadOnlyAdmin, in_yuan
from members.interfaces.big_lists import BigList, InSightFilter
from members.models import OrgUnit


@admin.register(Charge)
class ChargeAdmin(BigList, ReadOnlyAdmin):
    list_filter = ("kind", ("business", InSightFilter), "at")
    list_select_related = ("member", "business", "store", "coupon", "purchase", "undoes")
    search_fields = ("coupon__code", "member__member_no", "purchase__external_number")
    search_help_text = _("券码、会员号或外部单号")
    fields = (
        "kind",
        ("at", "posted_at"),
        ("business", "store"),
        ("shown_amount", "borne_by"),
        ("shown_member", "shown_coupon"),
        ("shown_purchase", "undoes"),
        ("channel", "operator"),
    )
    shown_amount = in_yuan("amount", _("金额"))

    def get_list_display(self, request: HttpRequest) -> tuple:
        return (
            "id",
            "kind",
            "at",
            "store",
            "shown_member",
            "shown_coupon",
            "shown_purchase",
            "shown_amount",
            _borne_by(),
            "undoes",
        )

    @display(description=_("承担"))
    def borne_by(self, charge: Charge) -> str:
        return _borne_by()(charge)

    @display(description=_("会员"), ordering="member")
    def shown_member(self, charge: Charge) -> str:
        return link_to(reverse("admin:members_member_360", args=[charge.member_id]), charge.member.member_no)

    @display(description=_("券"))
    def shown_coupon(self, charge: Charge) -> str:
        return link_to(reverse("admin:benefits_coupon_change", args=[charge.coupon_id]), charge.coupon)

    @display(description=_("消费"))
    def shown_purchase(self, charge: Charge) -> str:
        if charge.purchase is None:
            return "—"
        return link_to(reverse("admin:loyalty_purchase_change", args=[charge.purchase_id]), charge.purchase)


def _borne_by():
    """The column 承担, with the names of the payers read once for the page."""
    names = dict(OrgUnit.objects.values_list("pk", "name"))

    @display(description=_("承担"))
    def borne_by(charge: Charge) -> str:
        return shares_in_words(charge.shares, names)

    return borne_by
