"""What a merge moves on this floor: coupons, whatever their state; and the tier that both have earned together."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from benefits.models import Coupon, MemberTier
from benefits.services import tiers
from members.interfaces import Answer, Origin
from members.interfaces.steps import Line
from members.models import Card, Member
from members.services.card_states import IN_USE


def merge(loser: Member, winner: Member, origin: Origin) -> Answer:
    """Limits per member are not asked again: what was given is his. Purchases have moved already, so the tier follows.

    The loser's history stays with him and ends now; the members' accounts are locked, under which tiers are changed.
    """
    coupons = list(Coupon.objects.filter(member=loser).order_by("pk").values_list("pk", flat=True))
    Coupon.objects.filter(pk__in=coupons).update(member=winner)
    stood = list(MemberTier.objects.open().filter(member=loser, since__lte=origin.at).values_list("pk", flat=True))
    MemberTier.objects.filter(pk__in=stood).update(until=origin.at)
    tiers.review(winner, origin=origin)
    _stand_by_cards(winner, origin)
    return {"coupons": coupons, "tiers": stood}


def undo(loser: Member, winner: Member, moved: Answer, origin: Origin) -> None:
    """Coupons that the winner still has go back, used or not; the loser stands where he stood.

    The winner's tier follows in the nightly review, as after a refund.
    """
    Coupon.objects.filter(pk__in=moved["coupons"], member=winner).update(member=loser)
    MemberTier.objects.filter(pk__in=moved["tiers"], member=loser).update(until=None)
    tiers.review(loser, origin=origin)


def _stand_by_cards(winner: Member, origin: Origin) -> None:
    """A card that carries a tier carries it for whoever holds it now."""
    cards = Card.objects.filter(member=winner, state__in=IN_USE).exclude(card_type__carries_tier="")
    for code in cards.order_by("pk").values_list("card_type__carries_tier", flat=True):
        tiers.lift(winner, code, origin=origin)


def preview(loser: Member, winner: Member, actor: Any) -> list[Line]:
    theirs, ours = (Coupon.objects.filter(member=one) for one in (loser, winner))
    usable = [rows.filter(state__in=[*Coupon.OPEN, Coupon.State.HELD]).count() for rows in (theirs, ours)]
    counts = [_("%d 张可用") % count for count in (*usable, sum(usable))]
    after = _("按合并后的消费立即重新评定，只升不降")
    return [
        Line(pgettext("plural", "券"), *counts),
        Line(_("等级"), _tier_name(loser), _tier_name(winner), after),
    ]


def _tier_name(member: Member) -> str:
    row = MemberTier.objects.open().filter(member=member).select_related("tier").first()
    return str(row.tier) if row else "—"
