"""Discounts and their terms as people say them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext

from members.interfaces.money import bare_yuan, yuan


def worth(amount: int, threshold: int) -> str:
    """满100减20, or 立减20. Both in fen."""
    if not threshold:
        return gettext("立减%s") % bare_yuan(amount)
    return gettext("满%(threshold)s减%(amount)s") % {"threshold": bare_yuan(threshold), "amount": bare_yuan(amount)}


def shares_in_words(shares: Iterable[Mapping[str, Any]], names: Mapping[int, str]) -> str:
    """Who bears how much of a charge."""
    return " · ".join(f"{names.get(share['payer'], share['payer'])} {yuan(share['amount'])}" for share in shares)


def link_to(url: str, text: object) -> str:
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text)
