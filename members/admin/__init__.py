"""The back office of this floor: members and their 360° page, the organisation, channels, events and jobs."""

from members.admin.approvals import ApprovalAdmin, ApprovalPolicyAdmin
from members.admin.attributes import AttributeAdmin
from members.admin.events import DeliveryAdmin, EventAdmin
from members.admin.jobs import JobAdmin
from members.admin.members import MemberAdmin, MembershipAdmin
from members.admin.organisation import ChannelAdmin, OperatorAdmin, OrgUnitAdmin

__all__ = [
    "ApprovalAdmin",
    "ApprovalPolicyAdmin",
    "AttributeAdmin",
    "ChannelAdmin",
    "DeliveryAdmin",
    "EventAdmin",
    "JobAdmin",
    "MemberAdmin",
    "MembershipAdmin",
    "OperatorAdmin",
    "OrgUnitAdmin",
]
