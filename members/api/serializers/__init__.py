"""What goes in and out at members' addresses. Personal data goes out masked unless the channel may see it."""

from members.api.serializers.attributes import AttributeAnswer, AttributesAnswer, AttributesInput
from members.api.serializers.closures import ClosureAnswer, ClosureInput
from members.api.serializers.consents import (
    AgreementInput,
    ConsentAnswer,
    ConsentInput,
    ConsentsAnswer,
    GivenAnswer,
    WithdrawalAnswer,
    WithdrawalInput,
)
from members.api.serializers.events import EventAnswer, EventQuery
from members.api.serializers.identities import (
    IdentitiesAnswer,
    IdentityAdded,
    IdentityAnswer,
    IdentityRemoved,
    IdentityToAdd,
)
from members.api.serializers.members import (
    PERSONAL_DATA,
    EnrolAnswer,
    EnrolInput,
    FoundMembers,
    MemberAnswer,
    MemberQuery,
    UpdateAnswer,
    UpdateInput,
)
from members.api.serializers.merges import MergeAnswer, MergeInput

__all__ = [
    "PERSONAL_DATA",
    "AgreementInput",
    "AttributeAnswer",
    "AttributesAnswer",
    "AttributesInput",
    "ClosureAnswer",
    "ClosureInput",
    "ConsentAnswer",
    "ConsentInput",
    "ConsentsAnswer",
    "EnrolAnswer",
    "EnrolInput",
    "EventAnswer",
    "EventQuery",
    "FoundMembers",
    "GivenAnswer",
    "IdentitiesAnswer",
    "IdentityAdded",
    "IdentityAnswer",
    "IdentityRemoved",
    "IdentityToAdd",
    "MemberAnswer",
    "MemberQuery",
    "MergeAnswer",
    "MergeInput",
    "UpdateAnswer",
    "UpdateInput",
    "WithdrawalAnswer",
    "WithdrawalInput",
]
