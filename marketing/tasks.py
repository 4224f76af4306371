"""Long work of marketing: primary keys in, safe to run twice, picked up again where it was interrupted."""

from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from marketing.errors import TagIsBeingRecomputed
from marketing.models import Campaign, Tag
from marketing.services import campaigns, tags
from marketing.statements import lease
from members.models import Channel
from members.services.organisation import group, own_origin


@shared_task(ignore_result=True)
def recompute_tag(tag_id: int) -> None:
    origin = own_origin(Channel.Kind.CLOCK)
    with suppress(TagIsBeingRecomputed):  # then somebody else is doing it
        tags.recompute(Tag.objects.get(pk=tag_id), as_of=timezone.localdate(origin.at, group().zone), origin=origin)


@shared_task(ignore_result=True)
def recompute_tags() -> None:
    """All rule tags, each after those it asks for; one that fails is told by its run and stops no other."""
    for tag in tags.rule_tags_in_order():
        recompute_tag(tag.pk)


@shared_task(ignore_result=True)
def run_campaign(campaign_id: int) -> None:
    """Give until nobody waits. One worker is enough: a second one leaves it to the first."""
    with lease(f"campaign {campaign_id}") as is_mine:
        while is_mine and campaigns.give_next(campaign_id, at=timezone.now()):
            pass


@shared_task(ignore_result=True)
def resume_campaigns() -> None:
    """Whatever a dead worker left behind, or the queue never got."""
    for campaign_id in Campaign.objects.running().values_list("pk", flat=True):
        run_campaign(campaign_id)
