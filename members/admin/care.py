"""Care in the back office: what its lists and forms share."""

from datetime import date
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
)

from members.errors import Refused
from members.interfaces import Answer, Origin
from members.interfaces.admin import admin_origin
from members.interfaces.refusals import tell
from members.models import Member, Operator, OrgUnit
from members.rules import mask_name
from members.services.places import colleagues

WHOSE = {"mine": _("我的"), "free": _("未指派")}


# --- What lists and forms of care share --------------------------------------------------------------------------


def local_today(request: HttpRequest) -> date:
    reach = request.user.reach
    return timezone.localdate(timezone=reach.zone if reach else None)  # who stands nowhere sees nothing of any day


def who(operator: Operator | None) -> str:
    return (operator.get_full_name() or operator.username) if operator else "—"


def link_to(member: Member) -> SafeString:
    """To member 360. Lists are masked for everybody."""
    page = reverse("admin:members_member_360", args=[member.pk])
    name = mask_name(member.name)
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{} {}</a>', page, member, name)


def member_in_sight(request: HttpRequest, pk: int) -> Member:
    return get_object_or_404(Member.objects.visible_to(request.user), pk=pk)


class Whose(admin.SimpleListFilter):
    title = _("负责人")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, Any]]:
        return list(WHOSE.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        wanted = {"mine": request.user, "free": None}
        return queryset.filter(assigned_to=wanted[self.value()]) if self.value() in wanted else queryset


class DayInput(forms.DateInput):
    """The browser's own calendar: Django's needs scripts that only its own forms load."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__({"class": "wt-input"}, format="%Y-%m-%d")


class PlaceChoice(forms.ModelChoiceField):
    """The business or store whose matter it is: within the operator's reach, and knowing the member."""

    def __init__(self, **options: Any) -> None:
        super().__init__(OrgUnit.objects.none(), label=_("归属"), widget=UnfoldAdminSelectWidget, **options)

    def offer(self, actor: Operator, member: Member) -> None:
        reach = actor.reach
        kinds = (OrgUnit.Kind.BUSINESS, OrgUnit.Kind.STORE)
        known = member.memberships.values("business")
        places = OrgUnit.objects.visible_to(actor).filter(kind__in=kinds, business__in=known, is_active=True)
        self.queryset = places.select_related("business")
        self.required = not (reach and reach.is_group)
        self.empty_label = _("集团") if reach and reach.is_group else "—"
        self.initial = reach.pk if reach and reach.kind in kinds else None

    def label_from_instance(self, unit: OrgUnit) -> str:
        return unit.name if unit.kind == OrgUnit.Kind.BUSINESS else f"{unit.business} · {unit}"


class ColleagueChoice(forms.ModelChoiceField):
    def __init__(self, **options: Any) -> None:
        settings = {"label": _("负责人"), "required": False, "empty_label": _("未指派")} | options
        super().__init__(Operator.objects.none(), widget=UnfoldAdminSelectWidget, **settings)

    def offer(self, actor: Operator) -> None:
        self.queryset = colleagues(actor).select_related("org_unit")

    def label_from_instance(self, operator: Operator) -> str:
        return f"{who(operator)}（{operator.org_unit or '—'}）"


class CareForm(forms.Form):
    """A form about a member that one service applies. The token makes a double click one change."""

    token = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, actor: Operator, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.member = actor, member
        self.fields["token"].initial = uuid4().hex
        for name, field in self.fields.items():
            if isinstance(field, PlaceChoice):
                field.offer(actor, member)
            if isinstance(field, ColleagueChoice):
                field.offer(actor)
                field.initial = actor.pk if name == "assigned_to" else None

    def place(self) -> dict[str, OrgUnit | None]:
        """The chosen place as services take it."""
        unit = self.cleaned_data["place"]
        store = unit if unit and unit.kind == OrgUnit.Kind.STORE else None
        return {"business": unit.business if unit else None, "store": store}

    def apply(self, origin: Origin) -> Answer:
        raise NotImplementedError

    def applied(self, request: HttpRequest) -> Answer | None:
        """The answer of the service; None where the form is wrong or was refused, which it then tells."""
        if not self.is_valid():
            return None
        reference = f"care:{type(self).__name__}:{self.cleaned_data['token']}" if self.cleaned_data["token"] else ""
        try:
            return self.apply(admin_origin(request, reference=reference))
        except Refused as refusal:
            tell(self, refusal)
            return None


class HandOverForm(forms.Form):
    operator = ColleagueChoice()

    def __init__(self, *args: Any, actor: Operator, current: Operator | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operator"].offer(actor)
        self.fields["operator"].initial = current and current.pk
