"""Maker–checker: what waits for a second person, side by side as it was and as it would be; and from which size on."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from members.errors import Refused
from members.interfaces.admin import OwnedAdmin, ReadOnlyAdmin, admin_origin
from members.interfaces.admin_approval import ApprovedAdmin
from members.interfaces.approvals import approval_verbs
from members.models import Approval, ApprovalPolicy, Operator
from members.services import approvals

STATE_LABELS = {
    "pending": "warning",
    "approved": "success",
    "rejected": "danger",
    "withdrawn": "default",
    "expired": "default",
}
PENDING_FIRST = Case(When(state=Approval.State.PENDING, then=Value(0)), default=Value(1))
DECIDE = {"approve": approvals.approve, "reject": approvals.reject, "withdraw": approvals.withdraw}


def title_of(verb: str) -> str:
    """What a verb of the table is called; one that has left the table, its name."""
    return str(approval_verbs[verb].title) if verb in approval_verbs else verb


def unit_of(verb: str) -> str:
    return str(approval_verbs[verb].unit) if verb in approval_verbs else ""


def waiting_for(operator: Operator) -> QuerySet[Approval]:
    """What this operator could decide now."""
    if not operator.has_perm("members.decide_approval"):
        return Approval.objects.none()
    verbs = [verb.name for verb in approval_verbs if not verb.permission or operator.has_perm(verb.permission)]
    return Approval.objects.visible_to(operator).pending().filter(verb__in=verbs).exclude(asked_by=operator)


class WhoseFilter(admin.SimpleListFilter):
    title = _("与我有关")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin) -> tuple:
        return (("turn", _("待我审批")), ("mine", _("我的申请")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        if self.value() == "turn":
            return queryset.filter(pk__in=waiting_for(request.user).order_by().values("pk"))
        return queryset.filter(asked_by=request.user) if self.value() == "mine" else queryset


class VerbFilter(admin.SimpleListFilter):
    title = _("事项")
    parameter_name = "verb"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, str]]:
        return verb_choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(verb=self.value()) if self.value() else queryset


def verb_choices() -> list[tuple[str, str]]:
    return [(verb.name, str(verb.title)) for verb in approval_verbs]


class NoteForm(forms.Form):
    note = forms.CharField(
        label=_("审批意见"),
        max_length=approvals.REASON_LENGTH,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    list_display = (
        "title",
        "shown_verb",
        "shown_quantity",
        "org_unit",
        "asked_by",
        "asked_at",
        "shown_state",
        "expires_at",
        "decided_by",
    )
    list_filter = (WhoseFilter, "state", VerbFilter, "asked_at")
    list_select_related = ("org_unit", "asked_by", "decided_by")
    search_fields = ("title", "reason", "asked_by__username")
    search_help_text = _("标题、理由或申请人")
    ordering = (PENDING_FIRST, "-id")

    @display(description=_("事项"), ordering="verb")
    def shown_verb(self, approval: Approval) -> str:
        return title_of(approval.verb)

    @display(description=_("数量"), ordering="quantity")
    def shown_quantity(self, approval: Approval) -> str:
        return f"{approval.quantity:,} {unit_of(approval.verb)}".strip() if approval.quantity else "—"

    @display(description=_("状态"), ordering="state", label=STATE_LABELS)
    def shown_state(self, approval: Approval) -> tuple[str, str]:
        return approval.state, approval.get_state_display()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context=None) -> HttpResponse:
        """What is asked for, and what this operator may do about it."""
        approval = self.get_object(request, object_id)
        if approval is None:
            raise Http404
        if not self.has_view_permission(request, approval):
            raise PermissionDenied
        form = NoteForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._decided(request, approval, form):
            return redirect("admin:members_approval_changelist")
        approval.refresh_from_db()
        context = {
            **self.admin_site.each_context(request),
            "title": approval.title,
            "opts": self.opts,
            "approval": approval,
            "verb": title_of(approval.verb),
            "quantity": self.shown_quantity(approval),
            "lines": side_by_side(approval),
            "form": form,
            "is_open": approval.state == Approval.State.PENDING,
            "is_asker": approval.asked_by == request.user,
            "why_not": _why_not(request, approval),
            "answer": approval.answer if isinstance(approval.answer, dict) else {},
        }
        return TemplateResponse(request, "admin/members/approval/page.html", context)

    def _decided(self, request: HttpRequest, approval: Approval, form: NoteForm) -> bool:
        """What the verb refuses is told on the page: the approval stays pending."""
        decide = DECIDE.get(request.POST.get("decision", ""))
        if decide is None:
            return False
        try:
            decided = decide(approval, note=form.cleaned_data["note"], origin=admin_origin(request))
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
            return False
        facts = {"title": decided.title, "state": decided.get_state_display()}
        messages.success(request, gettext("“%(title)s”：%(state)s。") % facts)
        return True


def side_by_side(approval: Approval) -> list[dict[str, Any]]:
    """Label, before, after, in the order asked; labels in the reader's language."""
    labels = {**approval.before, **approval.after}
    return [
        {
            "label": gettext(label) if label else "",
            "before": approval.before.get(label, ""),
            "after": approval.after.get(label, ""),
            "is_changed": approval.before.get(label, "") != approval.after.get(label, ""),
        }
        for label in labels
    ]


def _why_not(request: HttpRequest, approval: Approval) -> str:
    """Why this operator can't decide; empty where he can."""
    try:
        approvals.require_second_person(approval, request.user)
    except Refused as refusal:
        return str(refusal.message)
    return ""


def verbs_with_units() -> list[tuple[str, str]]:
    return [(verb.name, f"{verb.title}（{verb.unit}）" if verb.unit else str(verb.title)) for verb in approval_verbs]


class PolicyForm(forms.ModelForm):
    verb = forms.ChoiceField(
        label=_("事项"),
        choices=verbs_with_units,
        help_text=_("括号里是起批数量的单位。"),
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = ApprovalPolicy
        fields = ("org_unit", "verb", "threshold", "hours", "is_active")


@admin.register(ApprovalPolicy)
class ApprovalPolicyAdmin(ApprovedAdmin, OwnedAdmin):
    owner = "org_unit"
    form = PolicyForm
    list_display = ("shown_verb", "org_unit", "shown_threshold", "hours", "is_active")
    list_filter = (VerbFilter, "is_active", ("org_unit", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("org_unit",)

    @display(description=_("事项"), ordering="verb")
    def shown_verb(self, policy: ApprovalPolicy) -> str:
        return title_of(policy.verb)

    @display(description=_("起批数量"), ordering="threshold")
    def shown_threshold(self, policy: ApprovalPolicy) -> str:
        return f"{policy.threshold:,} {unit_of(policy.verb)}".strip() if policy.threshold else gettext("一律审批")
