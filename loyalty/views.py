"""A member's own points: what there is, every change to it, and which card spent what."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from loyalty.errors import CardAssetNotAllowed
from loyalty.forms import LimitForm
from loyalty.models import Asset, Bucket, Entry, Transaction
from loyalty.rules import first_of_next_month, start_of
from loyalty.services import cards as spending
from loyalty.services.standing import points_standing
from members.errors import Refused
from members.interfaces.pages import member_required
from members.models import Card, Channel, Member, Operator, OrgUnit
from members.services.card_states import OVER
from members.services.organisation import own_origin

PAGE = 20
RECENT = 3
WARN_DAYS = 30


@dataclass(frozen=True)
class HistoryFilter:
    """What the member chose to see; what makes no sense counts as not chosen."""

    month: date | None
    business: int | None
    before: int | None

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        return cls(
            month=_month(query.get("month", "")),
            business=_whole(query.get("business", "")),
            before=_whole(query.get("before", "")),
        )

    def apply(self, history: QuerySet[Transaction]) -> QuerySet[Transaction]:
        if self.month:
            zone = timezone.get_current_timezone()
            first, following = start_of(self.month, zone), start_of(first_of_next_month(self.month), zone)
            history = history.filter(at__gte=first, at__lt=following)
        if self.business:
            history = history.filter(business=self.business)
        if self.before:
            history = history.filter(pk__lt=self.before)
        return history


def _month(text: str) -> date | None:
    try:
        return parse_date(f"{text}-01")
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@never_cache
@require_GET
@member_required
def history(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx the rows alone: all of a choice, or the next ones."""
    chosen = HistoryFilter.of(request.GET)
    rows = list(chosen.apply(_history_of(request.member))[: PAGE + 1])
    query = request.GET.copy()
    if len(rows) > PAGE:
        query["before"] = str(rows[PAGE - 1].pk)
    context = {"rows": rows[:PAGE], "chosen": chosen, "more": query.urlencode() if len(rows) > PAGE else ""}
    if request.htmx:
        return render(request, "member/_points_rows.html", context)
    return render(request, "member/points.html", context | _around(request.member))


def _history_of(member: Member) -> QuerySet[Transaction]:
    """Newest first, with what each changed in the spendable (`active`) and in what is to come (`pending`)."""
    mine = Transaction.objects.filter(account__member=member, account__asset=Asset.POINTS)
    return (
        mine.exclude(kind=Transaction.Kind.CURE)  # settles a debt with itself: nothing a member would miss
        .select_related("business", "card__member")
        .annotate(active=_moved(Bucket.ACTIVE), pending=_moved(Bucket.PENDING))
        .order_by("-pk")
    )


def _moved(bucket: Bucket) -> Coalesce:
    # A subquery, not an aggregate: it is computed for the rows of the page, not for the whole history.
    entries = Entry.objects.filter(transaction=OuterRef("pk"), bucket=bucket).order_by().values("transaction")
    return Coalesce(Subquery(entries.annotate(moved=Sum("quantity")).values("moved")), 0)


def _around(member: Member) -> dict[str, Any]:
    """What stands above the rows: the sums, and what can be chosen."""
    mine = Transaction.objects.filter(account__member=member, account__asset=Asset.POINTS).order_by()
    months = mine.annotate(month=TruncMonth("at")).values_list("month", flat=True).distinct()
    return {
        "has_cards": spending.that_spend_for(member).exists(),
        "standing": points_standing(member, at=timezone.now()),
        "months": months.order_by("-month"),
        "businesses": OrgUnit.objects.filter(pk__in=mine.values("business")),
    }


# --- Cards: who spends these points -------------------------------------------------------------------------

MOST_CARDS = 200


@never_cache
@require_GET
@member_required
def cards(request: HttpRequest) -> HttpResponse:
    """Every card that spends this member's points, who holds it, and what it spent this month."""
    month = start_of(timezone.localdate().replace(day=1), timezone.get_current_timezone())
    spent = spending.spent_by_card(request.member, Asset.POINTS, since=month)
    found = list(spending.that_spend_for(request.member).select_related("card_type", "member")[:MOST_CARDS])
    rows = [(card, spent.get(card.pk, 0)) for card in found if card.state not in OVER or spent.get(card.pk)]
    return render(request, "member/points_cards.html", {"rows": rows, "month": month})


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def card(request: HttpRequest, pk: int) -> HttpResponse:
    """What one card has spent, with those that it replaced; and the limits that the member sets it."""
    mine = spending.that_spend_for(request.member).select_related("card_type", "member")
    shown = get_object_or_404(mine, pk=pk)
    room = _room(shown)
    form = LimitForm(request.POST or None, room=room) if room and shown.state not in OVER else None
    if form and form.is_valid() and _limited(request, shown, form):
        messages.success(request, _("限额已保存，立即生效。"))
        return redirect("points:card", pk=pk)
    history = HistoryFilter.of(request.GET).apply(_history_of(request.member).filter(card__in=spending.line_of(shown)))
    rows = list(history[: PAGE + 1])
    more = f"before={rows[PAGE - 1].pk}" if len(rows) > PAGE else ""
    context = {"rows": rows[:PAGE], "more": more, "card": shown, "room": room, "form": form}
    template = "member/_points_rows.html" if request.htmx else "member/points_card.html"
    return render(request, template, context)


def _room(card: Card) -> spending.Room | None:
    """None where cards of this type spend no points."""
    try:
        return spending.room(card, Asset.POINTS, at=timezone.now())
    except CardAssetNotAllowed:
        return None


def _limited(request: HttpRequest, card: Card, form: LimitForm) -> bool:
    origin = own_origin(Channel.Kind.MEMBER)
    try:
        spending.limit(card, Asset.POINTS, **form.limits, origin=origin)
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return False
    return True


# --- Panels of the members' home page, installed by config --------------------------------------------------


def standing_panel(member: Member, actor: Operator | None) -> dict[str, Any]:
    now = timezone.now()
    standing = points_standing(member, at=now)
    return {"standing": standing, "warns": standing.expires_within(WARN_DAYS, of=now)}


def recent_panel(member: Member, actor: Operator | None) -> dict[str, Any]:
    return {"rows": _history_of(member)[:RECENT]}
