"""A member's own days, kept by himself."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from members.errors import Refused
from members.interfaces.pages import member_required
from members.interfaces.refusals import tell
from members.models import Channel, ImportantDate
from members.services import important_dates
from members.services.organisation import own_origin


class DateForm(forms.Form):
    name = forms.CharField(
        label=_("名称"), max_length=40, widget=forms.TextInput(attrs={"placeholder": _("如 结婚纪念日、孩子生日")})
    )
    day = forms.DateField(label=_("日期"), widget=forms.DateInput(attrs={"type": "date"}))


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def dates(request: HttpRequest) -> HttpResponse:
    """The days that we know, and a form for one more."""
    form = DateForm(request.POST or None)
    if form.is_valid():
        try:
            important_dates.add(request.member, **form.cleaned_data, origin=own_origin(Channel.Kind.MEMBER))
            return redirect("member:dates")
        except Refused as refusal:
            tell(form, refusal)
    mine = request.member.important_dates.order_by("day")
    return render(request, "member/dates.html", {"form": form, "dates": mine})


@require_POST
@member_required
def remove_date(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(ImportantDate, pk=pk, member=request.member)
    important_dates.remove(found, origin=own_origin(Channel.Kind.MEMBER))
    return redirect("member:dates")
