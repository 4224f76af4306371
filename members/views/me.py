"""What a member sees and changes of himself: his page, his name, and by what he is known."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members import sessions
from members.errors import IdentityTaken, Refused
from members.forms import CodeForm, EmailForm, PhoneForm, ProfileForm
from members.interfaces.pages import member_required
from members.interfaces.refusals import tell
from members.models import Channel, Identity, Member
from members.rules import mask_identity, mask_phone
from members.services import identities, people
from members.services.organisation import own_origin
from members.services.sign_in import SECONDS_BETWEEN_SENDS, check_code, send_code
from members.views.home import businesses_of

FORMS: dict[str, type[forms.Form]] = {Identity.Kind.PHONE: PhoneForm, Identity.Kind.EMAIL: EmailForm}
CHANGES = {Identity.Kind.PHONE: people.change_phone, Identity.Kind.EMAIL: people.change_email}


@never_cache
@require_GET
@member_required
def me(request: HttpRequest) -> HttpResponse:
    phone = request.member.identities.filter(kind=Identity.Kind.PHONE).preferred().first()
    joined = [business for business, is_joined in businesses_of(request.member) if is_joined]
    context = {"phone": phone and mask_phone(phone.value), "businesses": joined}
    return render(request, "member/me.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def profile(request: HttpRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, member=request.member)
    if form.is_valid():
        try:
            people.update_member(request.member, form.changes(), origin=own_origin(Channel.Kind.MEMBER))
        except Refused as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("资料已保存。"))
            return redirect("member:me")
    return render(request, "member/profile.html", {"form": form})


# --- By what he is known: enter the new one → prove it by a code sent to it ---------------------------------------


@never_cache
@require_GET
@member_required
def contacts(request: HttpRequest) -> HttpResponse:
    carried = list(request.member.identities.filter(kind__in=FORMS).preferred())
    shown = [(identity, mask_identity(identity.kind, identity.value)) for identity in carried]
    kinds = {identity.kind for identity in carried}
    missing = [(kind, Identity.Kind(kind).label) for kind in FORMS if kind not in kinds]
    return render(request, "member/contacts.html", {"contacts": shown, "missing": missing})


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def change_contact(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in FORMS:
        raise Http404
    old = _replaced(request.member, kind, request.GET.get("replaces"))
    form = FORMS[kind](request.POST or None)
    if form.is_valid():
        value = form.cleaned_data[kind]
        try:
            send_code(value, address=request.META.get("REMOTE_ADDR", ""))
        except Refused as refusal:
            form.add_error(kind, refusal.message)
        else:
            sessions.remember_change(request, kind, value, old.pk if old else None)
            return redirect("member:prove_contact")
    context = {"form": form, "field": form[kind], "old": old and mask_identity(kind, old.value)}
    return render(request, "member/contact.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def prove_contact(request: HttpRequest) -> HttpResponse:
    change = sessions.change_of(request)
    if change is None:
        return redirect("member:contacts")
    form = CodeForm(request.POST or None)
    if form.is_valid() and _prove(request, form, *change):
        messages.success(request, _("已验证并更新。"))
        return redirect("member:contacts")
    context = {"form": form, "to": change[1], "resend_after": SECONDS_BETWEEN_SENDS}
    return render(request, "member/contact_code.html", context)


@require_POST
@member_required
def verify_contact(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a code to one that he carries already."""
    identity = get_object_or_404(request.member.identities.filter(kind__in=FORMS, verified_at=None), pk=pk)
    try:
        send_code(identity.value, address=request.META.get("REMOTE_ADDR", ""))
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("member:contacts")
    sessions.remember_change(request, identity.kind, identity.value, identity.pk)
    return redirect("member:prove_contact")


@require_POST
@member_required
def remove_contact(request: HttpRequest, pk: int) -> HttpResponse:
    identity = get_object_or_404(request.member.identities.filter(kind__in=FORMS), pk=pk)
    try:
        identities.remove(identity, origin=own_origin(Channel.Kind.MEMBER))
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("已移除。"))
    return redirect("member:contacts")


def _replaced(member: Member, kind: str, key: str | None) -> Identity | None:
    if not key:
        return None
    if not key.isascii() or not key.isdigit():
        raise Http404
    return get_object_or_404(member.identities.filter(kind=kind), pk=key)


def _prove(request: HttpRequest, form: CodeForm, kind: str, value: str, replaces: int | None) -> bool:
    """Check the code and make the change; whatever is refused becomes an error of the form."""
    now = timezone.now()
    asked: dict[str, Any] = {"replaces": request.member.identities.filter(pk=replaces).first() if replaces else None}
    try:
        check_code(value, form.cleaned_data["code"])
        with identities.suspicion_noted(request.member, at=now):
            CHANGES[Identity.Kind(kind)](
                request.member, value, is_proven=True, origin=own_origin(Channel.Kind.MEMBER), **asked
            )
    except IdentityTaken:
        form.add_error(None, _("该号码已属于另一位会员；如果都是您本人，请联系门店合并账户。"))
    except Refused as refusal:
        form.add_error("code", refusal.message)
    return not form.errors
