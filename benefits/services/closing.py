"""What becomes of a member's coupons when he leaves."""

from django.utils.translation import gettext as _

from benefits.models import Coupon
from benefits.services import coupons
from members.interfaces import Answer, Origin
from members.models import Member

UNUSED = (*Coupon.OPEN, Coupon.State.HELD)


def preview(member: Member) -> dict[str, str]:
    count = Coupon.objects.filter(member=member, state__in=UNUSED).count()
    return {_("优惠券"): _("%d 张，将作废") % count} if count else {}


def close(member: Member, origin: Origin) -> Answer:
    """Revoke what has not been used."""
    unused = list(Coupon.objects.filter(member=member, state__in=UNUSED).order_by("pk"))
    for coupon in unused:
        coupons.revoke(coupon, reason=_("会员注销"), origin=origin)
    return {"revoked": len(unused)}
