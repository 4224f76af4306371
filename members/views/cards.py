"""A member's own cards, and those of others that spend his assets: lost at any hour, found again at a desk only."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from members.errors import Refused
from members.interfaces.pages import member_required
from members.models import Card, CardChange, Channel, Member
from members.rules import in_groups
from members.services import cards as service
from members.services.card_states import OVER, STEPS
from members.services.organisation import own_origin

Verb = CardChange.Verb

MOST = 100  # cards on a page
OF_HOLDERS = (Verb.REPORT_LOST,)
OF_PRINCIPALS = (Verb.FREEZE, Verb.UNFREEZE, Verb.REPORT_LOST)


def _words(verb: Verb) -> dict[str, str]:
    """What a step asks, and what it tells."""
    return {
        Verb.REPORT_LOST: {
            "button": _("确认挂失"),
            "asks": _("挂失立即生效：这张卡在任何门店、任何渠道都不能再用。找回后须本人到门店解挂，或补办新卡。"),
            "done": _("已挂失，这张卡不能再用。"),
            "reason": _("会员自助挂失"),
        },
        Verb.FREEZE: {
            "button": _("确认冻结"),
            "asks": _("冻结立即生效：持卡人不能再用这张卡花您的积分和储值。您可以随时解冻。"),
            "done": _("已冻结，这张卡暂停使用。"),
            "reason": _("主卡会员冻结"),
        },
        Verb.UNFREEZE: {
            "button": _("确认解冻"),
            "asks": _("解冻后，持卡人又可以用这张卡花您的积分和储值。"),
            "done": _("已解冻，这张卡可以使用。"),
            "reason": _("主卡会员解冻"),
        },
    }[verb]


@never_cache
@require_GET
@member_required
def cards(request: HttpRequest) -> HttpResponse:
    """What he holds, and what others hold in his name."""
    found = list(_of(request.member).exclude(state__in=OVER).order_by("-pk")[:MOST])
    held = [card for card in found if card.member_id == request.member.pk]
    granted = [card for card in found if card.principal_id == request.member.pk]
    return render(request, "member/cards.html", {"held": held, "granted": granted})


@never_cache
@require_GET
@member_required
def card(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(_of(request.member), pk=pk)
    steps = [(verb, verb.label) for verb in _steps(shown, request.member)]
    return render(request, "member/card.html", {"card": shown, "number": in_groups(shown.number), "steps": steps})


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def card_step(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Asks once more, and does it. The token makes a double tap one step."""
    shown = get_object_or_404(_of(request.member), pk=pk)
    if verb not in (*OF_HOLDERS, *OF_PRINCIPALS):
        raise Http404
    if verb not in _steps(shown, request.member):  # done in the meantime, or not his to do
        messages.error(request, _("这张卡%(state)s，现在不能办理。") % {"state": shown.get_state_display()})
        return redirect("member:card", pk)
    words = _words(Verb(verb))
    if request.method == "POST":
        reference = f"card:{request.member.pk}:{request.POST.get('token', '')}"[:120]
        origin = own_origin(Channel.Kind.MEMBER, reference=reference)
        try:
            getattr(service, verb)(shown, reason=words["reason"], origin=origin)
            messages.success(request, words["done"])
        except Refused as refusal:
            messages.error(request, refusal.message)
        return redirect("member:card", pk)
    context = {"card": shown, "title": Verb(verb).label, "words": words, "token": uuid4().hex}
    return render(request, "member/card_step.html", context)


def cards_panel(member: Member, actor: object) -> dict[str, Any]:
    """The tile of the home page: how many cards he has and, of others, has granted."""
    return {"count": _of(member).exclude(state__in=OVER).count()}


def _of(member: Member) -> QuerySet[Card]:
    mine = Card.objects.filter(Q(member=member) | Q(principal=member))
    return mine.select_related("card_type", "member", "principal")


def _steps(card: Card, member: Member) -> list[Verb]:
    """What this member may do with the card now: a holder reports it lost; a principal decides over what is his."""
    mine = OF_PRINCIPALS if card.principal_id == member.pk else OF_HOLDERS
    steps = [verb for verb in mine if card.state in STEPS[verb].froms]
    if Verb.UNFREEZE in steps and not _froze_it_himself(card):
        steps.remove(Verb.UNFREEZE)
    return steps


def _froze_it_himself(card: Card) -> bool:
    """What an operator has frozen, an operator unfreezes."""
    last = card.changes.filter(verb=Verb.FREEZE).select_related("channel").order_by("-pk").first()
    return last is not None and last.channel.kind == Channel.Kind.MEMBER
