"""Agreements, made by headquarters and seen by their parties. One that journals name keeps its terms: it may end."""

from datetime import datetime

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from members.interfaces.admin_approval import ApprovedAdmin
from members.models import OrgUnit
from members.services.organisation import group
from settlement.models import IssueAgreement, Journal, RedemptionAgreement
from settlement.models.agreements import Agreement

STAYS_OPEN = ("ends_at", "note")


class AgreementForm(ModelForm):
    def _get_validation_exclusions(self) -> set[str]:
        """Constraints look at what is shown read-only, too: an agreement prolonged into the next one overlaps it."""
        return set(self.errors)

    def clean_ends_at(self) -> datetime | None:
        ends_at = self.cleaned_data["ends_at"]
        last = last_use(self.instance) if self.instance.pk and ends_at else None
        if last and ends_at <= last:
            at = timezone.localtime(last)
            raise ValidationError(_("结束须晚于最近一次使用：%(at)s。"), params={"at": f"{at:%Y-%m-%d %H:%M:%S}"})
        return ends_at


class AgreementAdmin(ApprovedAdmin):
    form = AgreementForm
    list_filter = ("starts_at",)

    def owner_of(self, row: Agreement) -> OrgUnit:
        """Whoever its parties are, headquarters makes it."""
        return group()

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        kwargs["queryset"] = OrgUnit.objects.visible_to(request.user).filter(
            kind__in=(OrgUnit.Kind.GROUP, OrgUnit.Kind.BUSINESS)
        )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Agreement | None = None) -> list[str]:
        if obj is None or last_use(obj) is None:
            return []
        return [field.name for field in self.opts.fields if field.name not in ("id", *STAYS_OPEN)]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and is_headquarters(request)

    def has_change_permission(self, request: HttpRequest, obj: Agreement | None = None) -> bool:
        return super().has_change_permission(request, obj) and is_headquarters(request)

    def has_delete_permission(self, request: HttpRequest, obj: Agreement | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj) and is_headquarters(request)
        return allowed and (obj is None or last_use(obj) is None)

    def get_actions(self, request: HttpRequest) -> dict:
        """No deleting in bulk: it would not look whether each has been used."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    @display(description=_("状态"), label={"now": "success", "later": "info", "over": "default"})
    def shown_state(self, agreement: Agreement) -> tuple[str, str]:
        now = timezone.now()
        if agreement.starts_at > now:
            return "later", _("未开始")
        if agreement.ends_at and agreement.ends_at <= now:
            return "over", _("已结束")
        return "now", _("生效中")


@admin.register(IssueAgreement)
class IssueAgreementAdmin(AgreementAdmin):
    list_display = ("shown_issuer", "model", "breakage", "starts_at", "ends_at", "shown_state", "note")
    list_select_related = ("issuer",)
    fields = ("issuer", "model", "breakage", "starts_at", "ends_at", "note")

    @display(description=_("发行方"), ordering="issuer")
    def shown_issuer(self, agreement: IssueAgreement) -> str:
        return str(agreement.issuer or _("集团默认"))


@admin.register(RedemptionAgreement)
class RedemptionAgreementAdmin(AgreementAdmin):
    list_display = ("shown_redeemer", "shown_issuer", "percent", "starts_at", "ends_at", "shown_state", "note")
    list_select_related = ("issuer", "redeemer")
    fields = (("redeemer", "issuer"), "reimbursement", "starts_at", "ends_at", "note")

    @display(description=_("受理方"), ordering="redeemer")
    def shown_redeemer(self, agreement: RedemptionAgreement) -> str:
        return str(agreement.redeemer or _("任何受理方"))

    @display(description=_("发行方"), ordering="issuer")
    def shown_issuer(self, agreement: RedemptionAgreement) -> str:
        return str(agreement.issuer or _("任何发行方"))

    @display(description=_("补偿比例"), ordering="reimbursement")
    def percent(self, agreement: RedemptionAgreement) -> str:
        return f"{agreement.reimbursement.normalize():f}%"


def is_headquarters(request: HttpRequest) -> bool:
    reach = request.user.reach
    return bool(reach) and reach.is_group


def last_use(agreement: Agreement) -> datetime | None:
    """The business time of the latest fact that was settled by it; None where nothing was."""
    return journals_of(agreement).aggregate(at=Max("at"))["at"]


def journals_of(agreement: Agreement) -> QuerySet[Journal]:
    if isinstance(agreement, IssueAgreement):
        return Journal.objects.filter(issue_agreement=agreement)
    return Journal.objects.filter(redemption_agreement=agreement)
