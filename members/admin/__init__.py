"""The back office of this floor: members and their 360° page, the organisation, channels, events and jobs."""

from members.admin import events, members, organisation

__all__ = ["events", "members", "organisation"]
