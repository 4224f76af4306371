"""Members: the list, searched by what is known of a person; the form; and member 360, the page about one of them."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action, display
from unfold.views import ChangeList

from members.admin import attributes, imports, merging, person_steps, unmasking
from members.admin.forms import ChangeMemberForm, EnrolForm
from members.interfaces import Panel, member_360_panels
from members.interfaces.admin import MemberColumn, ReadOnlyAdmin, ScopedAdmin, admin_origin, member_pages
from members.interfaces.big_lists import BigList, InSightFilter
from members.models import Identity, Member, Membership
from members.rules import mask_email, mask_name, mask_phone
from members.services import people, searching
from members.services.consents import sharing


class MemberChangeList(ChangeList):
    """Fetches the columns of the floors above for one page at a time, each in one query."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = self.model_admin.with_columns(request, list(self.result_list))


@admin.register(Member)
class MemberAdmin(ScopedAdmin):
    form = ChangeMemberForm
    search_fields = ("member_no",)
    search_help_text = _("会员号、手机号、姓名、邮箱，或手机后四位")
    list_filter = ("status", "gender", ("registered_business", InSightFilter), "registered_at")
    list_select_related = ("registered_business",)
    list_display_links = None
    actions_list = ("open_imports",)
    unmasked: ClassVar = {
        "masked_name": lambda member: member.name if member.is_shared else mask_name(member.name),
        "phone": lambda member: _exported(member, Identity.Kind.PHONE, mask_phone),
        "邮箱": lambda member: _exported(member, Identity.Kind.EMAIL, mask_email),
    }

    def get_list_display(self, request: HttpRequest) -> tuple:
        contributed = (_contributed(column.name, column.label) for column in columns_of(request))
        return ("link", "masked_name", "phone", *contributed, "shown_status", "registered_business", "registered_at")

    def get_list_filter(self, request: HttpRequest) -> tuple:
        return (*super().get_list_filter(request), *member_pages.filters, *attributes.filters(request.user))

    def get_changelist(self, request: HttpRequest, **kwargs) -> type[ChangeList]:
        return MemberChangeList

    def with_columns(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        keys = [member.pk for member in rows]
        shared = set() if getattr(request, "is_masked", True) else sharing(keys, request.user.reach)
        contributed = {column.name: column.values(keys) for column in columns_of(request)}
        for member in rows:
            member.is_shared = member.pk in shared
            member.phone = _identity(member, Identity.Kind.PHONE)
            member.contributed = {name: values.get(member.pk) for name, values in contributed.items()}
        return rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        return super().get_queryset(request).prefetch_related("identities")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Personal data is encrypted: it is found whole, by its blind index, or by the last four digits."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=searching.keys_of(search_term, actor=request.user)), False

    @display(description=_("会员号"), ordering="member_no")
    def link(self, member: Member) -> str:
        page = reverse("admin:members_member_360", args=[member.pk])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', page, member.member_no)

    link.exported = attrgetter("member_no")

    @display(description=_("姓名"))
    def masked_name(self, member: Member) -> str:
        """Lists are masked for everybody: who may read personal data finds it on member 360."""
        return mask_name(member.name)

    @display(description=_("手机号"))
    def phone(self, member: Member) -> str:
        return mask_phone(member.phone.value) if member.phone else "—"

    @display(
        description=_("状态"),
        ordering="status",
        label={"active": "success", "frozen": "warning", "closed": "danger", "merged": "info"},
    )
    def shown_status(self, member: Member) -> tuple[str, str]:
        return member.status, member.get_status_display()

    # Changes: through the services, like everywhere -----------------------------------------------------------

    def get_form(
        self, request: HttpRequest, obj: Member | None = None, change: bool = False, **kwargs
    ) -> type[ModelForm]:
        kwargs["form"] = ChangeMemberForm if obj else EnrolForm
        form = super().get_form(request, obj, change, **kwargs)
        form.actor = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: Member | None = None) -> tuple[str, ...]:
        person = ("name", "gender", "birthday")
        return person if obj else ("phone", *person, "store")

    def has_change_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """Who may not read personal data can't overwrite it either."""
        return super().has_change_permission(request, obj) and unmasking.may_read(request)

    def has_view_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """A form would show what is masked: without the right to read it there is the list and member 360."""
        return super().has_view_permission(request, obj) and (obj is None or unmasking.may_read(request))

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        return False

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args, **kwargs) -> HttpResponse:
        """A form shows what is masked elsewhere: opening it is a look that is recorded."""
        if request.method == "GET" and kwargs.get("obj"):
            unmasking.record_form(request, kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Member, form: ModelForm, change: bool) -> None:
        if change:
            people.update_member(obj, form.changes(), origin=admin_origin(request))
            return
        answer = people.enrol(**form.person(), origin=admin_origin(request))
        obj.pk = Member.objects.get(member_no=answer["member_no"]).pk
        obj.member_no = answer["member_no"]

    def response_add(self, request: HttpRequest, obj: Member, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, gettext("会员 %s 已登记。") % obj.member_no)
        return redirect("admin:members_member_360", obj.pk)

    def response_change(self, request: HttpRequest, obj: Member) -> HttpResponse:
        messages.success(request, gettext("会员 %s 的资料已更新。") % obj.member_no)
        return redirect("admin:members_member_360", obj.pk)

    @action(description=_("导入会员"), url_path="open-imports", icon="upload", permissions=["import_members"])
    def open_imports(self, request: HttpRequest) -> HttpResponse:
        return redirect("admin:members_import")

    def has_import_members_permission(self, request: HttpRequest) -> bool:
        # Named with a dot in the action, it would be looked up by every system check, on an empty database too.
        return request.user.has_perm("members.import_members")

    # Member 360 -----------------------------------------------------------------------------------------------

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/360/", view(self.member_360), name="members_member_360"),
            path("<int:pk>/unmask/", view(require_POST(self.unmask)), name="members_member_unmask"),
            path("<int:pk>/360/<slug:panel>/", view(self.member_panel), name="members_member_panel"),
            *imports.urls,
            *person_steps.urls,
            *super().get_urls(),
        ]

    def member_360(self, request: HttpRequest, pk: int) -> HttpResponse:
        if winner := merging.to_winner(request, pk):
            return winner
        member = self._member(request, pk)
        panels = [panel for panel in member_360_panels if _may_see(request, panel)]
        actions = [action for action in member_pages.actions if request.user.has_perm(action.permission)]
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("会员 360°"),
            "opts": self.opts,
            "member": member,
            **unmasking.masked(member, _identities(request, member)),
            "may_read": unmasking.may_read(request),
            "memberships": member.memberships.visible_to(request.user).select_related("business", "store"),
            "parts": [_part(request, panel, member) for panel in panels if panel.place != "tab"],
            "tabs": [panel for panel in panels if panel.place == "tab"],
            "frequent": [action for action in actions if action.is_frequent],
            "others": [action for action in actions if not action.is_frequent],
            "may_change": self.has_change_permission(request, member),
        }
        return TemplateResponse(request, "admin/members/member/360.html", context)

    def unmask(self, request: HttpRequest, pk: int) -> HttpResponse:
        member = self._member(request, pk)
        return unmasking.unmasked(request, member, _identities(request, member))

    def member_panel(self, request: HttpRequest, pk: int, panel: str) -> HttpResponse:
        member = self._member(request, pk)
        found = next((p for p in member_360_panels if p.name == panel and _may_see(request, p)), None)
        if found is None:
            raise Http404
        return TemplateResponse(request, found.template, _part(request, found, member))

    def _member(self, request: HttpRequest, pk: int) -> Member:
        if not super().has_view_permission(request):
            raise Http404
        return get_object_or_404(self.get_queryset(request).select_related("registered_business"), pk=pk)


@admin.register(Membership)
class MembershipAdmin(BigList, ReadOnlyAdmin):
    list_display = ("member", "business", "store", "channel", "operator", "joined_at")
    list_filter = (("business", InSightFilter), "joined_at")
    list_select_related = ("member", "business", "store", "channel", "operator")
    search_fields = ("member__member_no",)


def columns_of(request: HttpRequest) -> tuple[MemberColumn, ...]:
    """What the floors above, and the attributes that operators have defined, add to the list."""
    return (*member_pages.columns, *attributes.columns(request.user))


def _exported(member: Any, kind: str, mask: Callable[[str], str]) -> str:
    """In full, unless he has taken back that the operator's business gets it."""
    value = getattr(_identity(member, kind), "value", "")
    return value if member.is_shared else mask(value)


def _identity(member: Member, kind: str) -> Identity | None:
    return next((identity for identity in member.identities.all() if identity.kind == kind), None)


def _contributed(name: str, label: str):
    @display(description=label)
    def column(member: Member) -> Any:
        value = member.contributed[name]
        return "—" if value is None else value

    column.__name__ = name
    return column


def _identities(request: HttpRequest, member: Member) -> list[Identity]:
    """The member's identities; another business's own number for him is its own affair."""
    reach = request.user.reach
    own = "" if reach.is_group else f"{reach.business.code}:"
    return [i for i in member.identities.all() if i.kind != Identity.Kind.EXTERNAL or i.value.startswith(own)]


def _may_see(request: HttpRequest, panel: Panel) -> bool:
    return not panel.permission or request.user.has_perm(panel.permission)


def _part(request: HttpRequest, panel: Panel, member: Member) -> Mapping[str, Any]:
    return {"panel": panel, "member": member, "actor": request.user, **panel.context(member, request.user)}
