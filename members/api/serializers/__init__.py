"""What goes in and out at members' addresses. Personal data goes out masked unless the channel may see it."""

from members.api.serializers.attributes import AttributeAnswer, AttributesAnswer, AttributesInput
from members.api.serializers.events import EventAnswer, EventQuery
from members.api.serializers.members import (
    PERSONAL_DATA,
    EnrolAnswer,
    EnrolInput,
    FoundMembers,
    IdentityAnswer,
    MemberAnswer,
    MemberQuery,
    UpdateAnswer,
    UpdateInput,
)

__all__ = [
    "PERSONAL_DATA",
    "AttributeAnswer",
    "AttributesAnswer",
    "AttributesInput",
    "EnrolAnswer",
    "EnrolInput",
    "EventAnswer",
    "EventQuery",
    "FoundMembers",
    "IdentityAnswer",
    "MemberAnswer",
    "MemberQuery",
    "UpdateAnswer",
    "UpdateInput",
]
