"""Member numbers, and the digit that checks a number."""

import secrets

MEMBER_NO_DIGITS = 12  # the last one checks the others


def new_member_no() -> str:
    """Twelve random digits that can't be guessed from a neighbour's; not yet known to be free."""
    lowest = 10 ** (MEMBER_NO_DIGITS - 2)
    body = str(lowest + secrets.randbelow(9 * lowest))
    return body + check_digit(body)


def is_member_no(text: str) -> bool:
    return len(text) == MEMBER_NO_DIGITS and text.isascii() and text.isdigit() and check_digit(text[:-1]) == text[-1]


def check_digit(digits: str) -> str:
    """Luhn's (ISO/IEC 7812-1): catches every wrong digit and nearly every swap of neighbours."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
