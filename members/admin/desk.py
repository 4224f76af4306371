"""The service desk (服务台): one field for whatever is typed or scanned, then the member with who called and why.

Works by keyboard and scanner alone: the field has the focus everywhere; on a caller's page a single digit in it picks
the reason, anything longer is the next caller.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from members.admin.care import DayInput, link_to, local_today, member_in_sight, who
from members.admin.forms import EnrolForm
from members.errors import Refused
from members.interfaces.admin import ReadOnlyAdmin, admin_origin, refusals_as_messages
from members.interfaces.refusals import tell
from members.models import Call, Card, FollowUp, Identity, Member, OrgUnit, Reminder
from members.models.reminders import ReminderKind
from members.personal_data import blind_indexes, decrypt, encrypt
from members.rules import canonical_phone, mask_phone
from members.services import calls, people
from members.services.calls import Caller
from members.services.card_states import OVER
from members.services.organisation import group

SEAL = "desk"  # what a number is sealed for in an address: numbers in the clear would stand in every log
BESIDE = 10
EARLIER = 5
JUST_NOW = timedelta(minutes=30)
REASONS = (
    _("查询积分、余额"),
    _("优惠券"),
    _("储值与支付"),
    _("会员卡挂失、补换"),
    _("资料变更"),
    _("活动咨询"),
    _("投诉"),
    _("预订与服务"),
)


# --- Addresses ---------------------------------------------------------------------------------------------------


def urls(site: admin.AdminSite) -> list:
    return [
        path("desk/", site.admin_view(desk), name="members_desk"),
        path("desk/stranger/", site.admin_view(stranger), name="members_desk_stranger"),
        path("desk/<int:pk>/", site.admin_view(served), name="members_desk_member"),
    ]


def _sealed(phone: str) -> str:
    return urlsafe_b64encode(encrypt(phone, context=SEAL)).decode() if phone else ""


def _opened(sealed: str) -> str:
    try:
        return decrypt(urlsafe_b64decode(sealed), context=SEAL) if sealed else ""
    except (binascii.Error, InvalidTag, KeyError, ValueError) as reason:
        raise Http404 from reason


def _address(caller: Caller) -> str:
    said = {"n": _sealed(caller.phone), "card": caller.card.pk if caller.card else ""}
    query = urlencode({name: value for name, value in said.items() if value})
    if caller.member is None:
        return f"{reverse('admin:members_desk_stranger')}?{query}"
    return f"{reverse('admin:members_desk_member', args=[caller.member.pk])}{'?' if query else ''}{query}"


# --- Pages -------------------------------------------------------------------------------------------------------


def desk(request: HttpRequest) -> HttpResponse:
    """The field, and beside it what is due today."""
    _require_desk(request)
    if request.method == "POST":
        return _look_up(request)
    return TemplateResponse(request, "admin/members/desk/desk.html", _around(request) | _beside(request))


def served(request: HttpRequest, pk: int) -> HttpResponse:
    """Member 360 under the banner: who calls, from where, why, and when he called before."""
    _require_desk(request)
    member = member_in_sight(request, pk)
    card = Card.objects.visible_to(request.user).filter(pk=_whole(request.GET.get("card"))).first()
    caller = Caller(member, phone=_opened(request.GET.get("n", "")), card=card)
    if request.method == "POST":
        return _said(request, caller)
    page = admin.site.get_model_admin(Member).member_360(request, pk)
    page.template_name = "admin/members/desk/member.html"
    cards = Card.objects.visible_to(request.user).filter(member=member).select_related("card_type")
    page.context_data |= (
        _around(request) | _banner(request, caller) | {"cards": cards.exclude(state__in=OVER)[:EARLIER]}
    )
    return page


def stranger(request: HttpRequest) -> HttpResponse:
    """Somebody whom we do not know: the call is written down all the same, and he may join."""
    _require_desk(request)
    caller = Caller(None, phone=_opened(request.GET.get("n", "")))
    if not caller.phone:
        return redirect("admin:members_desk")
    form = _enrolment(request, caller)
    if request.method == "POST" and request.POST.get("verb") != "enrol":
        return _said(request, caller)
    if request.method == "POST" and form and (member := _enrolled(request, form)):
        messages.success(request, gettext("会员 %s 已登记。") % member.member_no)
        return redirect(_address(Caller(member, phone=caller.phone)))
    context = _around(request) | _banner(request, caller) | {"form": form}
    return TemplateResponse(request, "admin/members/desk/stranger.html", context)


def _require_desk(request: HttpRequest) -> None:
    if not request.user.has_perm("members.take_call") or request.user.reach is None:
        raise PermissionDenied


def _look_up(request: HttpRequest) -> HttpResponse:
    """From what was typed to the caller's page."""
    try:
        caller = calls.recognise(request.POST.get("q", ""), actor=request.user, at=timezone.now())
    except Refused:
        told = _("没有找到。请输入完整的手机号、会员号、卡号，或请会员刷新会员码后再扫。")
        messages.error(request, str(told))
        return redirect("admin:members_desk")
    return redirect(_address(caller))


def _said(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Something was posted on a caller's page: why he calls, or already the next one."""
    quick = request.POST.get("q", "").strip()
    if quick and len(quick) > 1:
        return _look_up(request)
    reason = request.POST.get("reason", "")
    if quick in "12345678" and quick:
        reason = str(REASONS[int(quick) - 1])
    reach = request.user.reach
    store = reach if reach.kind == OrgUnit.Kind.STORE else None
    origin = admin_origin(request, reference=f"call:{request.POST['token']}" if request.POST.get("token") else "")
    with refusals_as_messages(request):
        calls.record(caller, reason=reason, business=reach.business, store=store, origin=origin)
        messages.success(request, gettext("来电已登记：%s") % reason.strip()[:200])
    return redirect(_address(caller))


def _around(request: HttpRequest) -> dict[str, Any]:
    site = admin.site.each_context(request)
    return {**site, "title": gettext("服务台"), "reasons": list(enumerate(REASONS, start=1))}


def _banner(request: HttpRequest, caller: Caller) -> dict[str, Any]:
    earlier = list(calls.earlier(caller, actor=request.user)[:EARLIER])
    mine = [call for call in earlier if call.operator == request.user and call.at > timezone.now() - JUST_NOW]
    return {
        "caller": caller,
        "phone": mask_phone(caller.phone),  # who typed it knows it; whoever looks over his shoulder does not
        "earlier": earlier,
        "taken": mine[0] if mine else None,
        "token": uuid4().hex,
    }


def _beside(request: HttpRequest) -> dict[str, Any]:
    """Today's birthdays, and the follow-ups that are due and mine or nobody's."""
    today, actor = local_today(request), request.user
    due = FollowUp.objects.visible_to(actor).open().filter(due_on__lte=today)
    due = due.filter(Q(assigned_to=actor) | Q(assigned_to=None)).order_by("due_on", "pk")
    birthdays = Reminder.objects.visible_to(actor).open().filter(kind=ReminderKind.BIRTHDAY, due_on=today)
    may_see = actor.has_perm
    return {
        "due": due.select_related("member")[:BESIDE] if may_see("members.view_followup") else (),
        "birthdays": birthdays.select_related("member")[:BESIDE] if may_see("members.view_reminder") else (),
        "today": today,
    }


# --- Enrolling ---------------------------------------------------------------------------------------------------


def _enrolment(request: HttpRequest, caller: Caller) -> EnrolForm | None:
    """The form of the member list, with the number filled in; None for who may not enrol."""
    if not request.user.has_perm("members.add_member"):
        return None
    own = {"actor": request.user, "birthday": forms.DateField(label=_("生日"), required=False, widget=DayInput)}
    form = type("DeskEnrolForm", (EnrolForm,), own)
    reach = request.user.reach
    initial = {
        "phone": caller.phone.removeprefix("+86"),
        "store": reach.pk if reach.kind == OrgUnit.Kind.STORE else None,
    }
    return form(request.POST if request.POST.get("verb") == "enrol" else None, initial=initial)


def _enrolled(request: HttpRequest, form: EnrolForm) -> Member | None:
    if not form.is_valid():
        return None
    try:
        answer = people.enrol(**form.person(), origin=admin_origin(request))
    except Refused as refusal:
        tell(form, refusal)
        return None
    return Member.objects.get(member_no=answer["member_no"])


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


# --- The list of calls -------------------------------------------------------------------------------------------


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    list_display = ("at", "caller", "number", "reason", "place", "assignee")
    list_filter = (("business", admin.RelatedOnlyFieldListFilter), "at")
    list_select_related = ("member", "business", "store", "operator")
    search_fields = ("member__member_no",)
    search_help_text = _("会员号或完整的来电号码")
    fields = ("at", "caller", "number", "reason", ("business", "store"), "operator")

    def get_urls(self) -> list:
        return [*urls(self.admin_site), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Call | None = None) -> tuple[str, ...]:
        return ("at", "caller", "number", "reason", "business", "store", "operator")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """The number is sealed: it is found whole, by its blind index."""
        try:
            indexes = blind_indexes(Identity.Kind.PHONE, canonical_phone(search_term))
        except Refused:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(phone_index__in=indexes), False

    @display(description=_("会员"))
    def caller(self, call: Call) -> str:
        return link_to(call.member) if call.member else gettext("非会员")

    @display(description=_("来电号码"))
    def number(self, call: Call) -> str:
        return f"****{call.last_four}" if call.last_four else "—"

    @display(description=_("归属"))
    def place(self, call: Call) -> str:
        return str(call.store or call.business or group())

    @display(description=_("接待人"), ordering="operator")
    def assignee(self, call: Call) -> str:
        return who(call.operator)
