"""The welcome gift: once per person, also when he closes his account and comes again."""

from benefits.errors import CouponLimitReached, CouponsSoldOut, CouponTemplateOver
from benefits.models import CouponTemplate
from benefits.services.coupons import issue_coupon
from loyalty.services.clock import clock_origin
from members import events
from members.models import Event, Identity, Member
from members.services.identities import was_known_before
from members.services.organisation import group

# The identities that are hardest to change come first: they are what the gift is keyed on.
BY_STRENGTH = (Identity.Kind.PHONE, Identity.Kind.WECHAT_UNIONID, Identity.Kind.WECHAT_OPENID, Identity.Kind.EMAIL)
AGAIN = {"code": "came_back"}


def welcome(event: Event) -> None:
    """The reaction to "member.enrolled": give the welcome coupons of the place where he enrolled, and of all above it.

    The reference carries the blind index of his identity: whoever has had the gift gets the first answer, not a second
    coupon. A gift that has run out is an event of its own, for the operator to see.
    """
    member = event.member
    if member.merged_into_id:  # he is welcome as the one he turned out to be
        return
    if was_known_before(member):
        events.record("welcome_gift.refused", origin=clock_origin("", event.posted_at), member=member, data=AGAIN)
        return
    place = member.registered_store or member.registered_business or group()
    key = _key(member)
    for template in CouponTemplate.objects.issuable().over(place).filter(is_welcome_gift=True).order_by("pk"):
        origin = clock_origin(f"welcome:{template.pk}:{key}", event.posted_at)
        try:
            issue_coupon(template, member, origin=origin)
        except (CouponsSoldOut, CouponLimitReached, CouponTemplateOver) as refused:
            data = {"template": template.code, "code": refused.code}
            events.record("welcome_gift.refused", origin=origin, member=member, data=data)


def _key(member: Member) -> str:
    indexes = dict(member.identities.order_by("-pk").values_list("kind", "value_index"))
    strongest = next((indexes[kind] for kind in BY_STRENGTH if kind in indexes), None)
    return strongest or next(iter(indexes.values()), f"member:{member.pk}")
