"""What an operator does to the person, from member 360: another number, freezing, closing, handing over his data.

`urls` joins the admin's own under `admin:members_member_…`.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from members.admin.unmasking import masked_identity
from members.errors import IdentityTaken, Refused
from members.interfaces import Origin
from members.interfaces.admin import admin_origin, refusals_as_messages
from members.models import Identity, Member
from members.services import closing, freezing, identities, people, personal_export

View = Callable[..., HttpResponse]
Kind = Identity.Kind
CHANGES = {Kind.PHONE: people.change_phone, Kind.EMAIL: people.change_email}
MAY_CHANGE = ("members.change_member", "members.view_personal_data")  # who can't read it can't overwrite it either
ROWS_SHOWN = 50


def for_a_member(*permissions: str) -> Callable[[View], View]:
    """An admin view about a member in sight, for those who hold all of these permissions; others get 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, pk: int, **kwargs) -> HttpResponse:
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            return view(request, get_object_or_404(Member.objects.visible_to(request.user), pk=pk), **kwargs)

        return admin.site.admin_view(guarded)

    return decorate


class ReasonForm(forms.Form):
    """The token makes a double click one step."""

    reason = forms.CharField(label=_("原因"), max_length=200, widget=UnfoldAdminTextInputWidget)
    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, initial={"token": uuid4().hex}, **kwargs)

    def origin(self, request: HttpRequest, step: str) -> Origin:
        return admin_origin(request, reference=f"{step}:{self.cleaned_data['token']}")


class ContactForm(ReasonForm):
    """Of several (after a merge), which one goes."""

    replaces = forms.ModelChoiceField(
        Identity.objects.none(), label=_("替换"), required=False, widget=UnfoldAdminSelectWidget
    )
    value = forms.CharField(label=_("新的号码或地址"), max_length=254, widget=UnfoldAdminTextInputWidget)
    field_order = ("replaces", "value", "reason", "token")

    def __init__(self, *args, member: Member, kind: str, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        carried = member.identities.filter(kind=kind).preferred()
        if len(carried) < 2:
            del self.fields["replaces"]
            return
        self.fields["replaces"].queryset = carried
        self.fields["replaces"].label_from_instance = masked_identity
        self.fields["replaces"].initial = carried[0].pk


# --- By what he is known ----------------------------------------------------------------------------------------


@for_a_member(*MAY_CHANGE)
@require_http_methods(["GET", "POST"])
def change_contact(request: HttpRequest, member: Member, kind: str) -> HttpResponse:
    """On the operator's word: the new one is not verified until the member proves it."""
    if kind not in CHANGES:
        raise Http404
    form = ContactForm(request.POST or None, member=member, kind=kind)
    if form.is_valid() and _change(request, form, member, Kind(kind)):
        messages.success(request, gettext("已更换，待会员验证。"))
        return redirect("admin:members_member_360", member.pk)
    carried = [(one, masked_identity(one)) for one in member.identities.filter(kind=kind).preferred()]
    title = gettext("更换手机号") if kind == Kind.PHONE else gettext("更换邮箱")
    return _page(request, member, title, form, identities=carried, verb=gettext("更换"))


def _change(request: HttpRequest, form: ContactForm, member: Member, kind: Kind) -> bool:
    said = form.cleaned_data
    try:
        with identities.suspicion_noted(member, at=timezone.now()):
            CHANGES[kind](
                member,
                said["value"],
                is_proven=False,
                reason=said["reason"],
                replaces=said.get("replaces"),
                origin=form.origin(request, f"change-{kind}"),
            )
    except IdentityTaken as refusal:
        form.add_error("value", _taken(request, member, refusal))
    except Refused as refusal:
        form.add_error("value", str(refusal.message))
    return not form.errors


def _taken(request: HttpRequest, member: Member, refusal: IdentityTaken) -> str:
    """With the way to the comparison of the two, for who may merge and sees both."""
    other = Member.objects.visible_to(request.user).filter(pk__in=[one.pk for one in refusal.owners]).first()
    if other is None or not request.user.has_perm("members.merge_members"):
        return str(refusal.message)
    page = reverse("admin:members_merge_compare", args=[other.pk, member.pk])
    return format_html('{} <a href="{}">{}</a>', refusal.message, page, gettext("比较与合并"))


@for_a_member(*MAY_CHANGE)
@require_POST
def remove_identity(request: HttpRequest, member: Member, identity: int) -> HttpResponse:
    found = member.identities.filter(pk=identity).select_related("channel__org_unit")
    seen = identities.in_sight(found, request.user)
    if not seen:
        raise Http404
    with refusals_as_messages(request):
        identities.remove(seen[0], origin=admin_origin(request))
        messages.success(request, gettext("已移除该身份标识。"))
    return redirect("admin:members_member_360", member.pk)


# --- Freezing and closing ---------------------------------------------------------------------------------------


@for_a_member("members.freeze_member")
@require_http_methods(["GET", "POST"])
def freeze(request: HttpRequest, member: Member) -> HttpResponse:
    """Freeze an active member, unfreeze a frozen one."""
    is_frozen = member.status == Member.Status.FROZEN
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        verb = freezing.unfreeze if is_frozen else freezing.freeze
        if _done(request, form, lambda: verb(member, reason=_said(form), origin=form.origin(request, "freeze"))):
            messages.success(request, gettext("已解冻。") if is_frozen else gettext("已冻结，立即生效。"))
            return redirect("admin:members_member_360", member.pk)
    title = gettext("解冻会员") if is_frozen else gettext("冻结会员")
    notes = (
        [] if is_frozen else [gettext("冻结后不能获取或使用积分、储值与优惠券，也不能出示会员码；会员仍可登录查看。")]
    )
    return _page(request, member, title, form, notes=notes, verb=title, is_dangerous=not is_frozen)


@for_a_member("members.close_member")
@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, member: Member) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    origin = form.origin(request, "close") if form.is_valid() else None
    if origin and _done(request, form, lambda: closing.close(member, reason=_said(form), origin=origin)):
        messages.success(request, gettext("账户已注销，个人信息已删除。"))
        return redirect("admin:members_member_360", member.pk)
    notes = [gettext("注销在全集团生效，不能恢复；个人信息删除，账务记录保留。")]
    losses = [] if member.status == Member.Status.CLOSED else closing.preview(member)
    return _page(
        request, member, gettext("注销会员"), form, notes=notes, losses=losses, verb=gettext("注销"), is_dangerous=True
    )


def _said(form: ReasonForm) -> str:
    return form.cleaned_data["reason"]


def _done(request: HttpRequest, form: ReasonForm, verb: Callable[[], Any]) -> bool:
    try:
        verb()
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
    return not form.errors


# --- All that is held -------------------------------------------------------------------------------------------


def for_headquarters(view: View) -> View:
    """What is held on a member is held by all businesses: a business may not see the others' part."""

    @wraps(view)
    def guarded(request: HttpRequest, member: Member) -> HttpResponse:
        if not request.user.reach.is_group:
            raise PermissionDenied
        return view(request, member)

    return guarded


@for_a_member("members.export_personal_data", "members.view_personal_data")
@require_GET
@for_headquarters
def data(request: HttpRequest, member: Member) -> HttpResponse:
    """To read, unmasked: every look is on record."""
    held = personal_export.hand_over(member, origin=admin_origin(request))
    context = {"sections": held["sections"], "rows_shown": ROWS_SHOWN}
    return _rendered(request, "data", member, gettext("个人数据"), **context)


@for_a_member("members.export_personal_data", "members.view_personal_data")
@require_POST
@for_headquarters
def download(request: HttpRequest, member: Member) -> HttpResponse:
    held = personal_export.hand_over(member, origin=admin_origin(request))
    response = JsonResponse(held, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="member-{member.member_no}.json"'
    return response


# --- Pages ------------------------------------------------------------------------------------------------------


def _page(
    request: HttpRequest, member: Member, title: str, form: forms.Form, *, notes: Sequence[str] = (), **more: Any
) -> HttpResponse:
    return _rendered(request, "step", member, title, form=form, notes=notes, **more)


def _rendered(request: HttpRequest, template: str, member: Member, title: str, **more: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "opts": Member._meta, "member": member, **more}
    return TemplateResponse(request, f"admin/members/member/{template}.html", context)


urls = [
    path("<int:pk>/identities/<int:identity>/remove/", remove_identity, name="members_member_remove_identity"),
    path("<int:pk>/phone/", change_contact, {"kind": Kind.PHONE.value}, name="members_member_phone"),
    path("<int:pk>/email/", change_contact, {"kind": Kind.EMAIL.value}, name="members_member_email"),
    path("<int:pk>/freeze/", freeze, name="members_member_freeze"),
    path("<int:pk>/close/", close, name="members_member_close"),
    path("<int:pk>/data/", data, name="members_member_data"),
    path("<int:pk>/data/download/", download, name="members_member_download"),
]
