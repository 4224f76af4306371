"""What member 360 shows of cards."""

from typing import Any

from django.db.models import Q

from members.models import Card, Member, Operator
from members.rules import in_groups
from members.services.card_states import OVER

ROWS = 50  # a tab shows the latest; the list behind it has all


def cards(member: Member, actor: Operator) -> dict[str, Any]:
    """His cards, and those of others that spend his assets: what is good first."""
    rows = Card.objects.visible_to(actor).filter(Q(member=member) | Q(principal=member))
    found = list(rows.select_related("card_type", "member", "principal").order_by("-pk")[:ROWS])
    for card in found:
        card.grouped = in_groups(card.number)
    return {
        "cards": sorted(found, key=lambda card: card.state in OVER),
        "may_issue": actor.has_perm("members.issue_card"),
    }


def badge(member: Member, actor: Operator) -> dict[str, Any]:
    """The card status beside the name: what he holds and has not given back."""
    held = Card.objects.filter(member=member).exclude(state__in=OVER).select_related("card_type")
    return {"cards": held.order_by("-pk")[:3]}
