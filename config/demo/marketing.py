"""Tags and one campaign of the demo."""

from datetime import datetime

from benefits.models import CouponTemplate
from config.demo.businesses import HOTEL
from marketing.models import Campaign, Tag
from marketing.services import campaigns, tags
from members.models import Member, Operator, OrgUnit
from members.services.organisation import group, own_origin

Colour = Tag.Colour


def bought(aggregate: str, cmp: str, value: int, *, days: int) -> dict:
    return {"event": "purchase", "window": {"last_days": days}, "agg": aggregate, "cmp": cmp, "value": value}


RULE_TAGS = (
    ("big-spender", "高消费", Colour.PURPLE, bought("sum", "gte", 500_000, days=365)),
    ("cross-business", "跨业态", Colour.BLUE, bought("count_businesses", "gte", 5, days=90)),
    ("regular", "每周都来", Colour.GREEN, bought("count_days", "gte", 12, days=90)),
    ("sleeping", "沉睡会员", Colour.GREY, bought("count", "eq", 0, days=90)),
)
BY_HAND = ("care", "重点维护", Colour.RED)


def define_tags(operator: Operator) -> None:
    origin = own_origin("admin", actor=operator)
    for code, name, colour, rule in RULE_TAGS:
        tags.save(Tag(code=code, name=name, colour=colour, kind=Tag.Kind.RULE, rule=rule, scope=group()), origin=origin)
    code, name, colour = BY_HAND
    tags.save(Tag(code=code, name=name, colour=colour, kind=Tag.Kind.MANUAL, scope=group()), origin=origin)


def compute_tags(*, at: datetime) -> None:
    origin = own_origin("clock", at=at)
    for tag in Tag.objects.by_rule():
        tags.recompute(tag, as_of=at.astimezone(group().zone).date(), origin=origin)


def tag_by_hand(members: list[Member], operator: Operator) -> None:
    tag = Tag.objects.get(code=BY_HAND[0])
    for member in members:
        tags.tag_member(member, tag, why="高价值老客户，专人跟进", origin=own_origin("admin", actor=operator))


def run_campaign(operator: Operator, *, at: datetime) -> None:
    """Invite those who buy everywhere to the hotel: its coupon, for whom the tag names."""
    campaign = Campaign.objects.create(
        name="跨业态会员酒店体验",
        owner=OrgUnit.objects.get(depth=1),
        tag=Tag.objects.get(code="cross-business"),
        template=CouponTemplate.objects.get(code=f"{HOTEL.lower()}-weekend"),
    )
    campaigns.launch(campaign, origin=own_origin("admin", actor=operator, at=at))
    while campaigns.give_next(campaign.pk, at=at):
        pass
