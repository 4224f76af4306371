from members.models.channels import Channel, ChannelKey
from members.models.events import Delivery, Event
from members.models.imports import ImportIdentity, ImportRow
from members.models.jobs import Job
from members.models.operators import Operator
from members.models.organisation import OrgUnit, Terminal
from members.models.people import Identity, Member, Membership
from members.models.requests import Request

__all__ = [
    "Channel",
    "ChannelKey",
    "Delivery",
    "Event",
    "Identity",
    "ImportIdentity",
    "ImportRow",
    "Job",
    "Member",
    "Membership",
    "Operator",
    "OrgUnit",
    "Request",
    "Terminal",
]
