"""A member's own tickets: what he asked for, the conversation, and his word at the end. Never an internal note."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members.errors import Refused
from members.interfaces.pages import member_required
from members.interfaces.refusals import tell
from members.models import Channel, Member, OrgUnit, Ticket, TicketType
from members.rules import tickets as rules
from members.services import tickets
from members.services.organisation import group, own_origin

SHOWN = 50
SCORES = [(5, _("非常满意")), (4, _("满意")), (3, _("一般")), (2, _("不满意")), (1, _("很不满意"))]


class OpenForm(forms.Form):
    business = forms.ModelChoiceField(OrgUnit.objects.none(), label=_("业态"), required=False, empty_label=_("集团"))
    type = forms.ModelChoiceField(TicketType.objects.none(), label=_("类型"), empty_label=None)
    title = forms.CharField(label=_("标题"), max_length=100)
    description = forms.CharField(label=_("说明"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5}))
    token = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        joined = OrgUnit.objects.businesses().filter(is_active=True, memberships__member=member)
        paths = [group().path, *joined.values_list("path", flat=True)]
        types = TicketType.objects.active().filter(is_for_members=True, org_unit__path__in=paths)
        self.fields["business"].queryset = joined
        self.fields["business"].initial = joined.first()
        self.fields["type"].queryset = types.order_by("pk")
        self.fields["token"].initial = uuid4().hex

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("type") and not tickets.types_at(said.get("business")).filter(pk=said["type"].pk).exists():
            raise ValidationError({"type": _("该业态没有这种工单，请换一种类型或业态。")})
        return said

    def open(self, member: Member) -> str | None:
        """The number of the new ticket; None, with the reason as an error of the form, where that was refused."""
        said = {name: self.cleaned_data[name] for name in ("type", "title", "description", "business")}
        token = self.cleaned_data["token"] or uuid4().hex
        origin = own_origin(Channel.Kind.MEMBER, reference=f"ticket:{member.pk}:{token}")
        try:
            return tickets.open_ticket(member, **said, origin=origin)["number"]
        except Refused as refusal:
            tell(self, refusal)
            return None


@never_cache
@require_GET
@member_required
def my_tickets(request: HttpRequest) -> HttpResponse:
    mine = request.member.tickets.select_related("type", "business")[:SHOWN]
    return render(request, "member/tickets.html", {"tickets": mine})


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def open_ticket(request: HttpRequest) -> HttpResponse:
    form = OpenForm(request.POST or None, member=request.member)
    if form.is_valid() and (number := form.open(request.member)):
        return redirect("member:ticket", number)
    return render(request, "member/ticket_new.html", {"form": form})


@never_cache
@require_GET
@member_required
def ticket(request: HttpRequest, number: str) -> HttpResponse:
    found = _mine(request, number)
    may = rules.may(found.state)
    context = {
        "ticket": found,
        "notes": found.notes.filter(is_internal=False),
        "may_answer": "answer" in may,
        "may_rate": "rate" in may and found.satisfaction is None,
        "scores": SCORES,
        "token": uuid4().hex,
    }
    return render(request, "member/ticket.html", context)


@require_POST
@member_required
def answer_ticket(request: HttpRequest, number: str) -> HttpResponse:
    found, origin = _mine(request, number), _origin(request, "answer")
    return _done(request, number, lambda: tickets.answer(found, request.POST.get("text", "")[:2000], origin=origin))


@require_POST
@member_required
def rate_ticket(request: HttpRequest, number: str) -> HttpResponse:
    found, origin = _mine(request, number), _origin(request, "rate")
    written = request.POST.get("score", "")
    score = int(written) if written in {"1", "2", "3", "4", "5"} else 0
    note = request.POST.get("note", "")[:400]
    return _done(request, number, lambda: tickets.rate(found, score, note, origin=origin))


def _done(request: HttpRequest, number: str, verb) -> HttpResponse:
    try:
        verb()
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect("member:ticket", number)


def _mine(request: HttpRequest, number: str) -> Ticket:
    return get_object_or_404(request.member.tickets.select_related("type", "business", "store"), number=number)


def _origin(request: HttpRequest, verb: str):
    token = request.POST.get("token", "")[:40]
    return own_origin(Channel.Kind.MEMBER, reference=f"ticket-{verb}:{request.member.pk}:{token}" if token else "")
