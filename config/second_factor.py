"""The pages about the second factor: show a code, set up an app, see the recovery codes once."""

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import login
from unfold.widgets import UnfoldAdminTextInputWidget

from members.errors import Refused
from members.services import second_factor

KEY = "second_factor_key"  # of the session: the secret that the QR code shows, until its first code comes

app_name = "second_factor"


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("口令"),
        max_length=20,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )


@never_cache
@sensitive_post_parameters("code")
def verify(request: HttpRequest) -> HttpResponse:
    """A code of the app, or a recovery code, at each login."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if request.user.is_verified():
        return redirect(_back(request))
    if not second_factor.is_set_up(request.user):
        return redirect(_with_next(request, "second_factor:set_up"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            device = second_factor.verify(request.user, form.cleaned_data["code"])
        except Refused as refusal:
            form.add_error("code", str(refusal.message))
        else:
            login(request, device)
            request.session.cycle_key()
            return redirect(_back(request))
    return _page(request, "verify", gettext("动态口令"), form=form)


@never_cache
@sensitive_post_parameters("code")
def set_up(request: HttpRequest) -> HttpResponse:
    """Scan, and show the first code; then the recovery codes, which are shown this once."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    stands = second_factor.is_set_up(request.user)
    if stands and not request.user.is_verified():
        return redirect(_with_next(request, "second_factor:verify"))
    key = request.session.setdefault(KEY, second_factor.new_key())
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        facts = {"is_verified": request.user.is_verified(), "at": timezone.now()}
        try:
            device, codes = second_factor.set_up(request.user, key, form.cleaned_data["code"].strip(), **facts)
        except Refused as refusal:
            form.add_error("code", str(refusal.message))
        else:
            del request.session[KEY]
            login(request, device)
            request.session.cycle_key()
            messages.success(request, gettext("验证器已设置，下次登录起需要动态口令。"))
            return _page(request, "codes", gettext("恢复码"), codes=codes, back=_back(request))
    shown = {"address": second_factor.address(request.user, key), "key": second_factor.in_base32(key), "stands": stands}
    return _page(request, "set_up", gettext("设置动态口令"), form=form, **shown)


def _page(request: HttpRequest, name: str, title: str, **context) -> HttpResponse:
    facts = {**admin.site.each_context(request), "title": title, "next": request.GET.get("next", ""), **context}
    return TemplateResponse(request, f"admin/second_factor/{name}.html", facts)


def _back(request: HttpRequest) -> str:
    """Where he was going; only within this site."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else reverse("admin:index")


def _with_next(request: HttpRequest, page: str) -> str:
    query = request.GET.urlencode()
    return f"{reverse(page)}?{query}" if query else reverse(page)


urlpatterns = [
    path("", verify, name="verify"),
    path("app/", set_up, name="set_up"),
]
