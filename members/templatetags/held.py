"""How what is held on a member reads on a page."""

import re
from typing import Any

from django import template

register = template.Library()

MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\S*")


@register.filter
def in_words(value: Any) -> str:
    """Moments to the minute, yes and no as marks, several things one after the other."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, dict):
        return " · ".join(f"{name} {in_words(one)}" for name, one in value.items())
    if isinstance(value, list):
        return "; ".join(in_words(one) for one in value) or "—"
    moment = MOMENT.fullmatch(str(value))
    return f"{moment[1]} {moment[2]}" if moment else str(value)
