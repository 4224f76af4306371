"""Coupons to look at, to issue to a member, and to revoke with a reason."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from benefits.admin.forms import IssueForm, ReasonForm
from benefits.admin.words import link_to, worth
from benefits.models import Coupon
from benefits.services import coupons
from members.errors import Refused
from members.interfaces.admin import ReadOnlyAdmin, admin_origin, refusals_as_messages
from members.interfaces.big_lists import BigList, InSightFilter
from members.models import Member

STATES = {
    Coupon.State.ISSUED: "success",
    Coupon.State.HELD: "info",
    Coupon.State.REDEEMED: "default",
    Coupon.State.RETURNED: "success",
    Coupon.State.EXPIRED: "warning",
    Coupon.State.REVOKED: "danger",
}


@admin.register(Coupon)
class CouponAdmin(BigList, ReadOnlyAdmin):
    list_display = (
        "code",
        "name",
        "shown_worth",
        "shown_member",
        "issuer",
        "shown_state",
        "valid_from",
        "valid_until",
        "redeemed_at",
    )
    list_filter = (
        "state",
        ("template", InSightFilter),
        ("issuer", InSightFilter),
        "issued_at",
    )
    list_select_related = ("member", "issuer")
    search_fields = ("code", "member__member_no")
    search_help_text = _("券码或会员号")
    fieldsets = (
        (None, {"fields": (("code", "name"), ("shown_worth", "state"), ("shown_member", "issuer"))}),
        (_("有效期"), {"fields": ("issued_at", ("valid_from", "valid_until"))}),
        (_("使用"), {"fields": (("redeemed_at", "shown_purchase"), ("held_for", "held_until"), "terms_text")}),
    )
    actions_detail = actions_row = ("revoke",)

    @display(description=_("名称"))
    def name(self, coupon: Coupon) -> str:
        return coupon.terms["name"]

    @display(description=_("优惠"))
    def shown_worth(self, coupon: Coupon) -> str:
        return worth(coupon.terms["amount"], coupon.terms["threshold"])

    @display(description=_("使用说明"))
    def terms_text(self, coupon: Coupon) -> str:
        return coupon.terms["terms_text"]

    @display(description=_("会员"), ordering="member")
    def shown_member(self, coupon: Coupon) -> str:
        return link_to(reverse("admin:members_member_360", args=[coupon.member_id]), coupon.member.member_no)

    @display(description=_("消费"))
    def shown_purchase(self, coupon: Coupon) -> str:
        if coupon.purchase is None:
            return "—"
        return link_to(reverse("admin:loyalty_purchase_change", args=[coupon.purchase_id]), coupon.purchase)

    @display(description=_("状态"), ordering="state", label=STATES)
    def shown_state(self, coupon: Coupon) -> tuple[str, str]:
        return coupon.state, coupon.get_state_display()

    # Revoking -------------------------------------------------------------------------------------------------

    def has_revoke_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("benefits.revoke_coupon")

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[UnfoldAction]:
        """What is used, over or revoked has no such button on its page; from the list the service says why not."""
        may_go = Coupon.objects.filter(pk=object_id, state__in=(*Coupon.OPEN, Coupon.State.HELD)).exists()
        return super().get_actions_detail(request, object_id) if may_go else []

    @action(
        description=_("作废"),
        permissions=["revoke"],
        icon="block",
        variant=ActionVariant.DANGER,
        dialog={
            "title": _("作废这张券？"),
            "description": _("作废后不能恢复；已使用的券不能作废。"),
            "form_class": ReasonForm,
            "form_submit_text": _("作废"),
        },
    )
    def revoke(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        coupon = get_object_or_404(self.get_queryset(request).select_related("member"), pk=object_id)
        with refusals_as_messages(request):
            coupons.revoke_coupon(coupon, reason=form.cleaned_data["reason"], origin=admin_origin(request))
            messages.success(request, gettext("券 %s 已作废。") % coupon)
        return HttpResponseClientRedirect(reverse("admin:benefits_coupon_change", args=[object_id]))

    # Issuing --------------------------------------------------------------------------------------------------

    def get_urls(self) -> list:
        issue = self.admin_site.admin_view(self.issue)
        return [path("issue/<int:member>/", issue, name="benefits_coupon_issue"), *super().get_urls()]

    def issue(self, request: HttpRequest, member: int) -> HttpResponse:
        """Give one member one coupon, from his 360° page."""
        if not request.user.has_perm("benefits.issue_coupon"):
            raise PermissionDenied
        person = get_object_or_404(Member.objects.visible_to(request.user), pk=member)
        form = IssueForm(request.POST or None, member=person, actor=request.user)
        if request.method == "POST" and form.is_valid() and self._issued(request, form):
            return redirect("admin:members_member_360", person.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("发券"),
            "opts": self.opts,
            "form": form,
            "member": person,
        }
        return TemplateResponse(request, "admin/benefits/issue.html", context)

    def _issued(self, request: HttpRequest, form: IssueForm) -> bool:
        """Whether it has gone well; what was refused is told on the form."""
        origin = admin_origin(request, reference=f"issue:{form.cleaned_data['token']}")
        try:
            answer = coupons.issue_coupon(form.cleaned_data["template"], form.member, origin=origin)
        except Refused as refusal:
            form.add_error("template", str(refusal.message))
            return False
        messages.success(request, gettext("已发放：%(name)s，券码 %(code)s。") % answer)
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Coupon]:
        return super().get_queryset(request).select_related("template")
