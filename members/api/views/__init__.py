from members.api.views.attributes import AttributesView
from members.api.views.events import EventsView
from members.api.views.members import MembersView, MemberView

__all__ = ["AttributesView", "EventsView", "MemberView", "MembersView"]
