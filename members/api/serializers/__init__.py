"""What goes in and out at members' addresses. Personal data goes out masked unless the channel may see it."""

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
