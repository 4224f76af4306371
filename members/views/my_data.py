"""What a member allows, what is held on him, and leaving."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members import sessions
from members.errors import Refused
from members.forms import CodeForm
from members.interfaces.pages import member_required
from members.models import Channel, Identity, Member
from members.rules import mask_identity
from members.services import closing, consents, personal_export
from members.services.organisation import own_origin
from members.services.sign_in import SECONDS_BETWEEN_SENDS, check_code, send_code

ROWS_SHOWN = 20
PROVING = (Identity.Kind.PHONE, Identity.Kind.EMAIL)  # in this order: whom he asks to close by a code


# --- Consents ---------------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def my_consents(request: HttpRequest) -> HttpResponse:
    """Business × purpose, each with a switch that works at once."""
    standing = consents.standing(request.member)
    if request.method == "POST":
        _switch(request, standing)
        return redirect("member:consents")
    context = {"standing": standing, "given": consents.latest_first(request.member)[:ROWS_SHOWN]}
    return render(request, "member/consents.html", context)


def _switch(request: HttpRequest, standing: dict) -> None:
    business = next((one for one in standing if one.code == request.POST.get("business")), None)
    purpose = request.POST.get("purpose")
    if business is None or purpose not in consents.ASKED:
        raise Http404
    about = {"receiver": business, "purpose": purpose, "origin": own_origin(Channel.Kind.MEMBER)}
    if "on" in request.POST:
        evidence = consents.evidence_of(page="me/consents", address=request.META.get("REMOTE_ADDR", ""))
        consents.give(request.member, evidence=evidence, **about)
        messages.success(request, _("已开启。"))
    else:
        consents.withdraw(request.member, **about)
        messages.success(request, _("已关闭，立即生效。"))


# --- All that is held -------------------------------------------------------------------------------------------


@never_cache
@require_GET
@member_required
def my_data(request: HttpRequest) -> HttpResponse:
    held = personal_export.collect(request.member)
    return render(request, "member/my_data.html", {"sections": held["sections"], "rows_shown": ROWS_SHOWN})


@require_POST
@member_required
def download_my_data(request: HttpRequest) -> HttpResponse:
    held = personal_export.hand_over(request.member, origin=own_origin(Channel.Kind.MEMBER))
    return as_file(held)


def as_file(held: dict) -> HttpResponse:
    response = JsonResponse(held, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="member-{held["member_no"]}.json"'
    response["Cache-Control"] = "no-store"
    return response


# --- Leaving: what it means → a code → gone ---------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def leave(request: HttpRequest) -> HttpResponse:
    to = _proving(request.member)
    if request.method == "POST" and to:
        try:
            send_code(to.value, address=request.META.get("REMOTE_ADDR", ""))
            return redirect("member:leave_code")
        except Refused as refusal:
            messages.error(request, refusal.message)
    context = {"losses": closing.preview(request.member), "to": to and mask_identity(to.kind, to.value)}
    return render(request, "member/leave.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def leave_code(request: HttpRequest) -> HttpResponse:
    to = _proving(request.member)
    if to is None:
        return redirect("member:leave")
    form = CodeForm(request.POST or None)
    if form.is_valid() and _leave(request.member, to, form):
        sessions.end(request)
        messages.success(request, _("您的会员账户已注销，个人信息已删除。"))
        return redirect("member:sign_in")
    context = {"form": form, "to": mask_identity(to.kind, to.value), "resend_after": SECONDS_BETWEEN_SENDS}
    return render(request, "member/leave_code.html", context)


def _leave(member: Member, to: Identity, form: CodeForm) -> bool:
    try:
        check_code(to.value, form.cleaned_data["code"])
        closing.close(member, reason="", origin=own_origin(Channel.Kind.MEMBER))
    except Refused as refusal:
        form.add_error(None if refusal.field is None else "code", refusal.message)
    return not form.errors


def _proving(member: Member) -> Identity | None:
    """Where the code goes."""
    carried = list(member.identities.filter(kind__in=PROVING).preferred())
    return min(carried, key=lambda identity: PROVING.index(Identity.Kind(identity.kind)), default=None)
