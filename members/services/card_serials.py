"""Serials of a card type: handed out once, however many ask."""

from django.db import connection

from members.errors import CardNumbersExhausted
from members.models import CardType
from members.rules import Numbering

RESERVE = """
    UPDATE members_cardtype SET next_serial = next_serial + %(count)s
    WHERE id = %(type)s AND next_serial + %(count)s - 1 <= %(last)s
    RETURNING next_serial - %(count)s
"""


def numbering_of(card_type: CardType) -> Numbering:
    return Numbering(card_type.prefix, card_type.length, card_type.has_check_digit)


def left_of(card_type: CardType) -> int:
    """How many numbers the type has still to give."""
    return max(numbering_of(card_type).capacity - card_type.next_serial + 1, 0)


def reserve(card_type: CardType, count: int) -> int:
    """Take `count` serials in a row; returns the first. What a rolled back change has taken is free again.

    The type's row stays locked until the commit: takers of one type wait for each other, and leave no gaps.
    Raises CardNumbersExhausted.
    """
    last = numbering_of(card_type).capacity
    with connection.cursor() as cursor:
        cursor.execute(RESERVE, {"type": card_type.pk, "count": count, "last": last})
        row = cursor.fetchone()
    if row is None:
        card_type.refresh_from_db(fields=["next_serial"])
        raise CardNumbersExhausted.only(left_of(card_type))
    return row[0]
