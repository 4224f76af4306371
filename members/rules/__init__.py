"""Pure rules of this floor: canonical forms, numbers, masks. No database, no clock."""

from members.rules.attributes import WANTED, is_empty, read_attribute
from members.rules.cards import (
    TAKEN_LENGTHS,
    Numbering,
    canonical_card_number,
    in_groups,
    mask_card_number,
    valid_until,
)
from members.rules.cells import check_birthday, read_date, read_gender
from members.rules.days import yearly_day_within
from members.rules.identities import canonical_email, canonical_identity, canonical_phone
from members.rules.masks import mask_birthday, mask_email, mask_identity, mask_name, mask_phone
from members.rules.numbers import check_digit, is_member_no, new_member_no
from members.rules.pacing import back_off, pace
from members.rules.reasons import required_reason

__all__ = [
    "TAKEN_LENGTHS",
    "WANTED",
    "Numbering",
    "back_off",
    "canonical_card_number",
    "canonical_email",
    "canonical_identity",
    "canonical_phone",
    "check_birthday",
    "check_digit",
    "in_groups",
    "is_empty",
    "is_member_no",
    "mask_birthday",
    "mask_card_number",
    "mask_email",
    "mask_identity",
    "mask_name",
    "mask_phone",
    "new_member_no",
    "pace",
    "read_attribute",
    "read_date",
    "read_gender",
    "required_reason",
    "valid_until",
    "yearly_day_within",
]
