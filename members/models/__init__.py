from members.models.approvals import Approval, ApprovalPolicy, RolePolicy
from members.models.attributes import Attribute, AttributeValue
from members.models.audit import AuditEntry
from members.models.cards import Card, CardBatch, CardChange, CardType
from members.models.care import Call, FollowUp, Ticket, TicketNote, TicketType
from members.models.channels import Channel, ChannelKey
from members.models.consents import Consent, ConsentText, Medium, Purpose
from members.models.events import Delivery, Event
from members.models.imports import ImportChunk, ImportLine, ImportRow
from members.models.jobs import Job
from members.models.merging import Device, Duplicate, FormerIdentity, Merge
from members.models.operators import Operator
from members.models.organisation import OrgUnit, Terminal, Trade
from members.models.people import Identity, Member, Membership
from members.models.reminders import ImportantDate, Reminder, ReminderKind, ReminderSetting
from members.models.requests import Request

__all__ = [
    "Approval",
    "ApprovalPolicy",
    "Attribute",
    "AttributeValue",
    "AuditEntry",
    "Call",
    "Card",
    "CardBatch",
    "CardChange",
    "CardType",
    "Channel",
    "ChannelKey",
    "Consent",
    "ConsentText",
    "Delivery",
    "Device",
    "Duplicate",
    "Event",
    "FollowUp",
    "FormerIdentity",
    "Identity",
    "ImportChunk",
    "ImportLine",
    "ImportRow",
    "ImportantDate",
    "Job",
    "Medium",
    "Member",
    "Membership",
    "Merge",
    "Operator",
    "OrgUnit",
    "Purpose",
    "Reminder",
    "ReminderKind",
    "ReminderSetting",
    "Request",
    "RolePolicy",
    "Terminal",
    "Ticket",
    "TicketNote",
    "TicketType",
    "Trade",
]
