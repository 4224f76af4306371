"""Attributes that operators define, and filling them in for a member."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from members.attribute_fields import AttributesForm
from members.errors import Refused
from members.interfaces.admin import MemberColumn, OwnedAdmin, admin_origin
from members.interfaces.refusals import tell
from members.models import Attribute, AttributeValue, Member
from members.services import attributes, unmasking
from members.services.organisation import group

Kind = Attribute.Kind
WIDGETS: dict[str, Callable[[], forms.Widget]] = {
    Kind.TEXT: UnfoldAdminTextInputWidget,
    Kind.NUMBER: lambda: UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    Kind.DATE: UnfoldAdminSingleDateWidget,
    Kind.CHOICE: UnfoldAdminSelectWidget,
    Kind.CHOICES: UnfoldAdminCheckboxSelectMultipleWidget,
    Kind.BOOLEAN: UnfoldAdminSelectWidget,
}


class OptionsField(forms.CharField):
    """One option a line."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        """Each option once, in order."""
        lines = value if isinstance(value, list) else (super().to_python(value) or "").splitlines()
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial or []) != self.to_python(data)


class AttributeForm(forms.ModelForm):
    options = OptionsField(label=_("选项"), required=False, help_text=_("仅单选、多选：每行一个选项。"))
    pages = forms.MultipleChoiceField(
        label=_("显示在"), choices=Attribute.Page, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    class Meta:
        model = Attribute
        fields = (
            "name",
            "code",
            "kind",
            "options",
            "org_unit",
            "help_text",
            "pages",
            "is_required",
            "is_searchable",
            "is_sensitive",
            "position",
            "is_active",
        )

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        kind = said.get("kind") or self.instance.kind
        options = said.get("options") or []
        if kind in (Kind.CHOICE, Kind.CHOICES) and len(options) < 2:
            self.add_error("options", _("单选、多选至少要有两个选项。"))
        if removed := self._still_chosen(options):
            self.add_error("options", _("已有会员选择了“%s”，不能删除。") % "、".join(removed))
        return said

    def _still_chosen(self, options: list[str]) -> list[str]:
        """Options that the form drops although members have chosen them."""
        if self.instance.pk is None:
            return []
        values = AttributeValue.objects.filter(attribute=self.instance)
        removed = [option for option in self.instance.options if option not in options]
        return [option for option in removed if values.filter(Q(text=option) | Q(words__contains=[option])).exists()]


@admin.register(Attribute)
class AttributeAdmin(OwnedAdmin):
    """What is asked of members. An attribute is never deleted, as rules may name it: it is switched off."""

    owner = "org_unit"
    form = AttributeForm
    list_display = ("name", "code", "kind", "org_unit", "is_required", "is_searchable", "is_active", "position")
    list_filter = ("kind", "is_active", ("org_unit", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("org_unit",)
    search_fields = ("code", "name")
    fieldsets = (
        (None, {"fields": ("name", "code", "kind", "options", "org_unit", "help_text")}),
        (
            _("填写与显示"),
            {"fields": ("pages", "is_required", "is_searchable", "is_sensitive", "position", "is_active")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Attribute | None = None) -> tuple[str, ...]:
        """What values and rules rest on stays as it is."""
        return ("code", "kind", "org_unit") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Attribute | None = None) -> bool:
        return False

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "org_unit":
            field.queryset = field.queryset.filter(kind__in=("group", "business"))
        return field

    def get_urls(self) -> list:
        fill = self.admin_site.admin_view(self.fill)
        return [path("of/<int:member>/", fill, name="members_member_attributes"), *super().get_urls()]

    def fill(self, request: HttpRequest, member: int) -> HttpResponse:
        """What this operator's node asks of a member, as a form."""
        if not request.user.has_perms(("members.change_member", "members.view_personal_data")):
            raise PermissionDenied
        person = get_object_or_404(Member.objects.visible_to(request.user), pk=member)
        asked = asked_on(Attribute.Page.FORM, request.user)
        known = attributes.known_of(person, asked)
        sensitive = [one.code for one in asked if one.is_sensitive and one.code in known]
        if sensitive and request.method == "GET":
            unmasking.record(person, page="attributes", what=sensitive, origin=admin_origin(request))
        form = AttributesForm(request.POST or None, asked=asked, known=known, widgets=WIDGETS)
        if form.is_valid() and self._saved(request, form, person):
            return redirect("admin:members_member_360", person.pk)
        context = {"title": gettext("填写属性"), "form": form, "member": person, "opts": self.opts}
        return TemplateResponse(
            request, "admin/members/attributes.html", self.admin_site.each_context(request) | context
        )

    @staticmethod
    def _saved(request: HttpRequest, form: AttributesForm, member: Member) -> bool:
        mine = attributes.asked_by(request.user.reach)
        try:
            attributes.set_values(member, form.values(), attributes=mine, origin=admin_origin(request))
        except Refused as refusal:
            tell(form, refusal)
            return False
        messages.success(request, gettext("会员 %s 的属性已保存。") % member.member_no)
        return True


def asked_on(page: str, actor: Any) -> list[Attribute]:
    """What the actor's node asks, and shows on a page."""
    asked = attributes.asked_by(actor.reach if actor else group())
    return [attribute for attribute in asked if page in attribute.pages]


def shown(attribute: Attribute, value: Any, *, may_read: bool) -> str:
    """A value in words: sensitive ones only for those who may read personal data."""
    if attribute.is_sensitive and not may_read:
        return "***"
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    return "、".join(value) if isinstance(value, list) else str(attributes.in_words(value))


def panel(member: Member, actor: Any) -> dict[str, Any]:
    """For member 360: (name, value in words) of what is known, and what is asked and not known yet."""
    asked = asked_on(Attribute.Page.MEMBER_360, actor)
    known = attributes.known_of(member, asked)
    return {  # sensitive ones are shown with the rest of the person, when that is asked for
        "known": [(one.name, shown(one, known[one.code], may_read=False)) for one in asked if one.code in known],
        "unknown": [one.name for one in asked if one.code not in known],
    }


# --- In the member list -----------------------------------------------------------------------------------------


def columns(actor: Any) -> tuple[MemberColumn, ...]:
    """One for each attribute that the actor's node shows in the list; sensitive ones never."""
    asked = [attribute for attribute in asked_on(Attribute.Page.LIST, actor) if not attribute.is_sensitive]
    return tuple(MemberColumn(f"attribute_{one.code}", one.name, partial(_values, one)) for one in asked)


def _values(attribute: Attribute, keys: Sequence[int]) -> Mapping[int, str]:
    values = AttributeValue.objects.filter(attribute=attribute, member__in=keys)
    return {value.member_id: shown(attribute, value.value, may_read=False) for value in values}


def filters(actor: Any) -> tuple[type[admin.SimpleListFilter], ...]:
    """One for each attribute in the list that has choices."""
    asked = (one for one in asked_on(Attribute.Page.LIST, actor) if one.kind in CHOSEN and not one.is_sensitive)
    return tuple(type("Filter", (AttributeFilter,), _about(one)) for one in asked)


CHOSEN = (Kind.CHOICE, Kind.CHOICES, Kind.BOOLEAN)


def _about(attribute: Attribute) -> dict[str, Any]:
    return {"attribute": attribute, "title": attribute.name, "parameter_name": f"attribute_{attribute.code}"}


class AttributeFilter(admin.SimpleListFilter):
    """By one option of an attribute, or by yes and no."""

    attribute: Attribute

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        if self.attribute.kind == Kind.BOOLEAN:
            return [("true", _("是")), ("false", _("否"))]
        return [(option, option) for option in self.attribute.options]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Member]) -> QuerySet[Member]:
        if self.value() is None:
            return queryset
        wanted = {
            Kind.BOOLEAN: Q(flag=self.value() == "true"),
            Kind.CHOICE: Q(text=self.value()),
            Kind.CHOICES: Q(words__contains=[self.value()]),
        }[Kind(self.attribute.kind)]
        return queryset.filter(Exists(_of_member(self.attribute).filter(wanted)))


def _of_member(attribute: Attribute) -> QuerySet[AttributeValue]:
    return AttributeValue.objects.filter(member=OuterRef("pk"), attribute=attribute)
