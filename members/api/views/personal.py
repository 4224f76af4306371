"""Whose personal data a channel gets: it holds the scope, and the member shares with its business."""

from django.db.models import QuerySet

from members.api.serializers import PERSONAL_DATA
from members.models import Channel, Member
from members.services.consents import shared_with


def readable(channel: Channel, members: QuerySet[Member]) -> set[int]:
    """The keys of those of `members` whose name and numbers go out unmasked."""
    if PERSONAL_DATA not in channel.scopes:
        return set()
    business = channel.org_unit.business
    shared = members.filter(shared_with(business)) if business else members
    return set(shared.values_list("pk", flat=True))
