"""Whose personal data a channel gets: it holds the scope, and the member shares with its business."""

from collections.abc import Collection

from members.api.serializers import PERSONAL_DATA
from members.models import Channel
from members.services.consents import sharing


def readable(channel: Channel, members: Collection[int]) -> set[int]:
    """The keys of those of `members` whose name and numbers go out unmasked."""
    return sharing(members, channel.org_unit) if PERSONAL_DATA in channel.scopes else set()
