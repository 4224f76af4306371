"""Who works here: operators, appointed down the tree by whoever stands above them and may do more."""

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, BaseDialogForm, UserChangeForm, UserCreationForm

from members.interfaces.admin import ScopedAdmin
from members.models import Operator
from members.services import operators, second_factor

RESET = {
    "title": _("重置动态口令？"),
    "description": _("验证器和恢复码随即失效；角色要求时，该操作员下次登录须重新设置。请先确认是本人。"),
    "form_class": BaseDialogForm,
    "form_submit_text": _("确定"),
}


def stands_somewhere(form: forms.BaseForm) -> None:
    if "org_unit" in form.fields:  # one that is only looked at has no fields
        form.fields["org_unit"].required = True


class AppointForm(UserCreationForm):
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        stands_somewhere(self)


class ChangeOperatorForm(UserChangeForm):
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        stands_somewhere(self)


@admin.register(Operator)
class OperatorAdmin(UserAdmin, ScopedAdmin):
    """Nodes and roles beyond one's own are not offered, and refused where they are sent all the same."""

    form = ChangeOperatorForm
    add_form = AppointForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "org_unit", "roles", "has_second_factor", "is_active", "last_login")
    list_filter = ("is_active", "groups", ("org_unit", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("org_unit",)
    search_fields = ("username", "first_name", "last_name")
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        (_("组织与角色"), {"fields": ("org_unit", "groups", "is_active", "is_staff")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "password1", "password2", "first_name", "org_unit", "groups", "is_staff")}),
    )
    filter_horizontal = ("groups",)
    readonly_fields = ()
    actions_detail = ("reset_second_factor",)

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).prefetch_related("groups", "totpdevice_set")

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **kwargs):
        """Roles belong to no node; one hands out those whose every permission one has oneself."""
        if db_field.name == "groups":
            kwargs["queryset"] = operators.roles_within(request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict:
        return {"is_staff": True} | super().get_changeform_initial_data(request)

    def has_change_permission(self, request: HttpRequest, obj: Operator | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or operators.may_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Operator | None = None) -> bool:
        """Who has worked here is dismissed (not active), never deleted: events name him."""
        return False

    def has_reset_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        operator = self.get_queryset(request).filter(pk=object_id).first()
        return operator is not None and self.has_change_permission(request, operator)

    @action(
        description=_("重置动态口令"),
        permissions=["reset"],
        icon="phonelink_erase",
        variant=ActionVariant.DANGER,
        dialog=RESET,
    )
    def reset_second_factor(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        operator = get_object_or_404(self.get_queryset(request), pk=object_id)
        if second_factor.remove(operator):
            messages.success(request, gettext("%s 的动态口令已重置。") % operator)
        else:
            messages.info(request, gettext("%s 没有设置动态口令。") % operator)
        return HttpResponseClientRedirect(reverse("admin:members_operator_change", args=[object_id]))

    @display(description=_("角色"))
    def roles(self, operator: Operator) -> str:
        return "、".join(role.name for role in operator.groups.all()) or "—"

    @display(description=_("动态口令"), boolean=True)
    def has_second_factor(self, operator: Operator) -> bool:
        return any(device.confirmed for device in operator.totpdevice_set.all())
