from members.api.views.events import EventsView
from members.api.views.members import MembersView, MemberView

__all__ = ["EventsView", "MemberView", "MembersView"]
