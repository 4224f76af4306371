"""Values as people read them: 1,234 and ¥1,234.56, also where the locale groups nothing; the last day, not the end."""

from datetime import datetime, timedelta

from django import template

from members.interfaces.event_words import in_words
from members.interfaces.money import bare_yuan, exact_yuan, yuan
from members.rules import mask_card_number, mask_name

register = template.Library()


@register.filter
def thousands(number: int | None) -> str:
    return f"{number or 0:,}"


@register.filter
def signed(number: int) -> str:
    """+1,234 or −1,234, with a true minus."""
    return f"{number:+,}".replace("-", "−")


register.filter(yuan)
register.filter(bare_yuan)
register.filter(exact_yuan)
register.filter(mask_name)
register.filter(in_words)
register.filter(mask_card_number)


@register.filter
def spaced_phone(phone: str) -> str:
    """139 1234 5678; a number from abroad as it is."""
    national = phone.removeprefix("+86")
    return f"{national[:3]} {national[3:7]} {national[7:]}" if len(national) == 11 else phone


@register.filter
def last_day(end: datetime | None) -> datetime | None:
    """A moment within the last day before an exclusive end: what people call the day of expiry."""
    return end and end - timedelta(microseconds=1)
