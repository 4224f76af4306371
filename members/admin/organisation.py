"""Where things happen: the tree, terminals and trades, and the channels with their keys."""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from members.interfaces.admin import ScopedAdmin, is_headquarters
from members.models import Channel, ChannelKey, OrgUnit, Terminal, Trade
from members.services import organisation
from members.services.channels import make_key, revoke_key

PARENTS = {  # kind → where it may stand
    OrgUnit.Kind.BUSINESS: (OrgUnit.Kind.GROUP,),
    OrgUnit.Kind.REGION: (OrgUnit.Kind.BUSINESS,),
    OrgUnit.Kind.STORE: (OrgUnit.Kind.BUSINESS, OrgUnit.Kind.REGION),
}
ADD = {
    OrgUnit.Kind.BUSINESS: organisation.add_business,
    OrgUnit.Kind.REGION: organisation.add_region,
    OrgUnit.Kind.STORE: organisation.add_store,
}


class OrgUnitForm(forms.ModelForm):
    """A new node says what it is and below which node; where it stands it stays."""

    parent = forms.ModelChoiceField(OrgUnit.objects.none(), label=_("上级"), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = OrgUnit
        fields = ("kind", "code", "name", "trade", "is_active")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["parent"]
            return
        self.fields["parent"].queryset = OrgUnit.objects.visible_to(self.actor).exclude(kind=OrgUnit.Kind.STORE)
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in ADD]

    def clean(self) -> dict:
        said = super().clean()
        kind, parent = said.get("kind"), said.get("parent")
        if parent and kind and parent.kind not in PARENTS[kind]:
            self.add_error("parent", _("该类型的组织不能建在这个上级之下。"))
        if said.get("trade") and (kind or self.instance.kind) != OrgUnit.Kind.STORE:
            self.add_error("trade", _("只有门店有业种。"))
        return said


class TerminalInline(TabularInline):
    model = Terminal
    extra = 0
    fields = ("code", "name", "is_active")


@admin.register(OrgUnit)
class OrgUnitAdmin(ScopedAdmin):
    form = OrgUnitForm
    list_display = ("indented", "code", "kind", "business", "trade", "is_active")
    list_filter = ("kind", "trade", "is_active")
    list_select_related = ("business", "trade")
    search_fields = ("code", "name")
    list_per_page = 100

    def get_form(self, request: HttpRequest, obj: OrgUnit | None = None, change: bool = False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.actor = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: OrgUnit | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("kind", "parent", "code", "name", "trade")
        return ("name", "trade", "is_active") if obj.kind == OrgUnit.Kind.STORE else ("name", "is_active")

    def get_inlines(self, request: HttpRequest, obj: OrgUnit | None) -> tuple:
        return (TerminalInline,) if obj and obj.kind == OrgUnit.Kind.STORE else ()

    def has_delete_permission(self, request: HttpRequest, obj: OrgUnit | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: OrgUnit, form: ModelForm, change: bool) -> None:
        if change:
            obj.save(update_fields=["name", "trade", "is_active"])
            return
        said = form.cleaned_data
        trade = {"trade": said["trade"]} if said["trade"] else {}
        obj.pk = ADD[said["kind"]](said["parent"], said["code"], said["name"], **trade).pk

    @display(description=_("名称"))
    def indented(self, unit: OrgUnit) -> str:
        return format_html('<span style="padding-left:{}rem">{}</span>', (unit.depth - 1) * 1.25, unit.name)


@admin.register(Trade)
class TradeAdmin(ScopedAdmin):
    """The list of trades is the group's: kept there, used everywhere."""

    list_display = ("name", "code")
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Trade | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()  # rules name it

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and is_headquarters(request)

    def has_change_permission(self, request: HttpRequest, obj: Trade | None = None) -> bool:
        return super().has_change_permission(request, obj) and is_headquarters(request)

    def has_delete_permission(self, request: HttpRequest, obj: Trade | None = None) -> bool:
        return False


class ChannelKeyInline(TabularInline):
    model = ChannelKey
    extra = 0
    fields = readonly_fields = ("key_id", "created_at", "revoked_at")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


@admin.register(Channel)
class ChannelAdmin(ScopedAdmin):
    list_display = ("name", "code", "kind", "org_unit", "requires_signature", "rate", "is_active")
    list_filter = ("kind", "is_active", ("org_unit", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("org_unit",)
    search_fields = ("code", "name")
    inlines = (ChannelKeyInline,)
    actions_detail = ("new_key", "revoke_keys")

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        return ("code", "kind") if obj else ("kind",)

    def has_delete_permission(self, request: HttpRequest, obj: Channel | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        return super().get_queryset(request).order_by("kind", "code")

    @action(description=_("生成新密钥"), url_path="new-key", permissions=["change"])
    def new_key(self, request: HttpRequest, object_id: int) -> HttpResponse:
        new = make_key(self.get_queryset(request).get(pk=object_id))
        told = gettext("新密钥只显示这一次，请立即保存：%s") % new.bearer
        messages.warning(request, told)
        return redirect("admin:members_channel_change", object_id)

    @action(description=_("吊销全部密钥"), url_path="revoke-keys", permissions=["change"])
    def revoke_keys(self, request: HttpRequest, object_id: int) -> HttpResponse:
        for key in self.get_queryset(request).get(pk=object_id).keys.filter(revoked_at=None):
            revoke_key(key, at=timezone.now())
        messages.success(request, gettext("该渠道的全部密钥已吊销。"))
        return redirect("admin:members_channel_change", object_id)
