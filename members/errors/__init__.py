"""Why a request was refused: one family (`Refused`), by noun."""

from members.errors.approvals import (
    ApprovalDecided,
    ApprovalOverdue,
    AskerGone,
    ChangedMeanwhile,
    OnlyTheAsker,
    SecondPersonNeeded,
)
from members.errors.edge import (
    IdempotencyKeyMissing,
    OrgUnitNotFound,
    StoreMissing,
    StoreNotFound,
    TerminalNotFound,
)
from members.errors.entering import (
    ChannelNotRecognised,
    CodeExpired,
    MemberCodeInvalid,
    TooManyCodes,
    TooManyTries,
    WrongCode,
)
from members.errors.people import (
    IdentityTaken,
    InvalidBirthday,
    InvalidDate,
    InvalidEmail,
    InvalidGender,
    InvalidIdentity,
    InvalidPhone,
    MemberClosed,
    MemberNotFound,
    NotChangeable,
)
from members.errors.refusal import (
    NotYours,
    ReferenceReused,
    Refused,
)
from members.errors.spreadsheets import (
    UnreadableFile,
    UploadLost,
)

__all__ = [
    "ApprovalDecided",
    "ApprovalOverdue",
    "AskerGone",
    "ChangedMeanwhile",
    "ChannelNotRecognised",
    "CodeExpired",
    "IdempotencyKeyMissing",
    "IdentityTaken",
    "InvalidBirthday",
    "InvalidDate",
    "InvalidEmail",
    "InvalidGender",
    "InvalidIdentity",
    "InvalidPhone",
    "MemberClosed",
    "MemberCodeInvalid",
    "MemberNotFound",
    "NotChangeable",
    "NotYours",
    "OnlyTheAsker",
    "OrgUnitNotFound",
    "ReferenceReused",
    "Refused",
    "SecondPersonNeeded",
    "StoreMissing",
    "StoreNotFound",
    "TerminalNotFound",
    "TooManyCodes",
    "TooManyTries",
    "UnreadableFile",
    "UploadLost",
    "WrongCode",
]
