"""Signing in: phone → code → (known: home | unknown: join)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members import sessions
from members.errors import MemberClosed, Refused
from members.forms import CodeForm, EnrolForm, PhoneForm
from members.models import Identity, Member, Purpose
from members.services import devices
from members.services.consents import BUILT_IN_VERSION, text_in_force
from members.services.locking import OVER
from members.services.organisation import group
from members.services.sign_in import SECONDS_BETWEEN_SENDS, check_code, mark_verified, send_code


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if sessions.member_of(request):
        return redirect("member:home")
    if "next" in request.GET:
        request.session["member_next"] = request.GET["next"]
    form = PhoneForm(request.POST or None)
    if form.is_valid():
        phone = form.cleaned_data["phone"]
        try:
            send_code(phone, address=request.META.get("REMOTE_ADDR", ""))
        except Refused as refusal:
            form.add_error("phone", refusal.message)
        else:
            sessions.remember_phone(request, phone, is_verified=False)
            return redirect("member:sign_in_code")
    return render(request, "member/sign_in.html", {"form": form})


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    phone = sessions.phone_of(request, is_verified=False)
    if phone is None:
        return redirect("member:sign_in")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            check_code(phone, form.cleaned_data["code"])
        except Refused as refusal:
            form.add_error("code", refusal.message)
        else:
            return _enter(request, phone)
    context = {"form": form, "phone": phone, "resend_after": SECONDS_BETWEEN_SENDS}
    return render(request, "member/sign_in_code.html", context)


@require_POST
def resend_code(request: HttpRequest) -> HttpResponse:
    phone = sessions.phone_of(request, is_verified=False)
    if phone is None:
        return redirect("member:sign_in")
    try:
        send_code(phone, address=request.META.get("REMOTE_ADDR", ""))
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("验证码已重新发送。"))
    return redirect("member:sign_in_code")


def _enter(request: HttpRequest, phone: str) -> HttpResponse:
    """The phone is proven: let its member in, or offer to join."""
    member = Member.objects.known_as(Identity.Kind.PHONE, phone).first()
    if member is None:
        sessions.remember_phone(request, phone, is_verified=True)
        return redirect("member:enrol")
    if member.status in OVER:
        messages.error(request, MemberClosed.message)
        return redirect("member:sign_in")
    return _let_in(request, member, phone)


def _let_in(request: HttpRequest, member: Member, phone: str) -> HttpResponse:
    """Signed in, and on to where the member wanted to go."""
    now = timezone.now()
    mark_verified(phone, at=now)
    devices.seen(member, sessions.device_of(request), at=now)
    sessions.start(request, member)
    following = request.session.pop("member_next", "")
    if url_has_allowed_host_and_scheme(following, {request.get_host()}, require_https=request.is_secure()):
        return redirect(following)
    return redirect("member:home")


@never_cache
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    phone = sessions.phone_of(request, is_verified=True)
    if phone is None:
        return redirect("member:sign_in")
    form = EnrolForm(request.POST or None)
    if form.is_valid():
        where = {"address": request.META.get("REMOTE_ADDR", ""), "device": sessions.device_of(request)}
        member = form.enrol(phone, reference=f"join-{sessions.attempt_of(request)}", **where)
        if member:
            return _let_in(request, member, phone)
    return render(request, "member/enrol.html", {"form": form, "phone": phone})


@require_GET
def terms(request: HttpRequest) -> HttpResponse:
    text = text_in_force(group(), Purpose.TERMS, timezone.now())
    return render(request, "member/terms.html", {"text": text, "version": text.version if text else BUILT_IN_VERSION})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    sessions.end(request)
    return redirect("member:sign_in")
