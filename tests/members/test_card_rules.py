"""Card numbers: made by a type's rule, recognised by it, and by no other."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.rules import Numbering, canonical_card_number, check_digit, in_groups, mask_card_number, valid_until

SHANGHAI = ZoneInfo("Asia/Shanghai")
numberings = st.builds(
    Numbering,
    prefix=st.from_regex(r"\A[0-9]{0,6}\Z"),
    length=st.integers(8, 24),
    has_check_digit=st.booleans(),
)


@st.composite
def made(draw) -> tuple[Numbering, int]:
    rule = draw(numberings)
    return rule, draw(st.integers(1, rule.capacity))


@given(made())
def test_a_number_says_which_serial_it_is(card):
    rule, serial = card
    number = rule.number(serial)
    assert len(number) == rule.length
    assert number.startswith(rule.prefix)
    assert rule.serial_of(number) == serial


@given(made(), st.integers(0, 23), st.integers(1, 9))
def test_a_wrong_digit_is_never_another_card(card, place, by):
    rule, serial = card
    number = rule.number(serial)
    place %= rule.length
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    if rule.has_check_digit:
        assert rule.serial_of(wrong) is None
    else:
        assert rule.serial_of(wrong) != serial


@given(made(), numberings)
def test_rules_that_do_not_overlap_share_no_number(card, other):
    rule, serial = card
    if not rule.overlaps(other):
        assert other.serial_of(rule.number(serial)) is None


def test_the_numbers_of_a_type():
    rule = Numbering("6200", 16)
    assert rule.number(1) == "6200000000000013"
    assert check_digit("620000000000001") == "3"
    assert rule.capacity == 99_999_999_999
    assert Numbering("88", 6, has_check_digit=False).number(9_999) == "889999"
    assert Numbering("88888", 6).capacity == 0  # the check digit takes the last place


def test_the_last_serial_is_the_last():
    rule = Numbering("88", 6, has_check_digit=False)
    for beyond in (0, 10_000):
        with pytest.raises(ValueError, match=str(beyond)):
            rule.number(beyond)
    assert rule.serial_of("880000") is None


@pytest.mark.parametrize(
    "written", ["6200000000000014", "620000000000001", "62000000000000133", "7200000000000013", "x"]
)
def test_what_a_type_does_not_make_is_not_recognised(written):
    assert Numbering("6200", 16).serial_of(written) is None


def test_overlapping():
    assert Numbering("62", 16).overlaps(Numbering("6200", 16))
    assert not Numbering("62", 16).overlaps(Numbering("6200", 15))
    assert not Numbering("61", 16).overlaps(Numbering("62", 16))


def test_as_people_write_and_see_them():
    assert canonical_card_number(" 6200 0000-0000 ００13 ") == "6200000000000013"
    assert mask_card_number("6200000000000013") == "**** 0013"
    assert in_groups("62000000000000131") == "6200 0000 0000 0013 1"


def test_validity_ends_with_a_local_day():
    evening = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai, still the first
    assert valid_until(evening, 1, SHANGHAI) == datetime(2026, 3, 3, tzinfo=SHANGHAI)
    assert valid_until(datetime(2026, 3, 1, 16, tzinfo=UTC), 1, SHANGHAI) == datetime(2026, 3, 4, tzinfo=SHANGHAI)
