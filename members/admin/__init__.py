"""The back office of this floor: members and their 360° page, the organisation, channels, events and jobs."""

from members.admin.approvals import ApprovalAdmin, ApprovalPolicyAdmin
from members.admin.attributes import AttributeAdmin
from members.admin.audit import AuditEntryAdmin
from members.admin.card_pages import CardAdmin
from members.admin.cards import CardBatchAdmin, CardTypeAdmin
from members.admin.consents import ConsentAdmin, ConsentTextAdmin
from members.admin.desk import CallAdmin
from members.admin.events import DeliveryAdmin, EventAdmin
from members.admin.follow_ups import FollowUpAdmin
from members.admin.jobs import JobAdmin
from members.admin.members import MemberAdmin, MembershipAdmin
from members.admin.merging import DuplicateAdmin, MergeAdmin
from members.admin.operators import OperatorAdmin
from members.admin.organisation import ChannelAdmin, OrgUnitAdmin, TradeAdmin
from members.admin.reminders import ReminderAdmin, ReminderSettingAdmin
from members.admin.tickets import TicketAdmin, TicketTypeAdmin

__all__ = [
    "ApprovalAdmin",
    "ApprovalPolicyAdmin",
    "AttributeAdmin",
    "AuditEntryAdmin",
    "CallAdmin",
    "CardAdmin",
    "CardBatchAdmin",
    "CardTypeAdmin",
    "ChannelAdmin",
    "ConsentAdmin",
    "ConsentTextAdmin",
    "DeliveryAdmin",
    "DuplicateAdmin",
    "EventAdmin",
    "FollowUpAdmin",
    "JobAdmin",
    "MemberAdmin",
    "MembershipAdmin",
    "MergeAdmin",
    "OperatorAdmin",
    "OrgUnitAdmin",
    "ReminderAdmin",
    "ReminderSettingAdmin",
    "TicketAdmin",
    "TicketTypeAdmin",
    "TradeAdmin",
]
