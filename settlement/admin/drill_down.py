"""The address of what a number is made of: the list of postings, narrowed to it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import RelatedFieldListFilter
from django.db.models import Field
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from members.models import OrgUnit
from settlement.models import AccountCode, Period, Statement

# What links may ask of the list of postings beyond its own filters.
LOOKUPS = frozenset(
    {
        "journal__period__starts_at__lt",
        "journal__is_prior_period__exact",
        "journal__entry__lot__issuer__business__exact",
        "journal__entry__lot__issuer__exact",
    }
)


class InSightFilter(RelatedFieldListFilter):
    """Offers what the operator may see, without looking through all rows for what occurs."""

    def field_choices(self, field: Field, request: HttpRequest, model_admin) -> list[tuple[Any, str]]:
        rows = field.remote_field.model._default_manager.all().visible_to(request.user)
        return [(row.pk, str(row)) for row in rows]


def postings(**lookups: Any) -> str:
    return f"{reverse('admin:settlement_posting_changelist')}?{urlencode(lookups)}"


def inter_company(statement: Statement, **lookups: Any) -> str:
    """What the statement's book owes and is owed."""
    return postings(book__id__exact=statement.book_id, account__exact=AccountCode.INTER_COMPANY.value, **lookups)


def within(period: Period) -> dict[str, Any]:
    return {"journal__period__id__exact": period.pk}


def before(period: Period) -> dict[str, Any]:
    return {"journal__period__starts_at__lt": period.starts_at.isoformat()}


def until_end_of(period: Period) -> dict[str, Any]:
    return {"journal__period__starts_at__lt": period.ends_at.isoformat()}


def issued_by(keeper: OrgUnit) -> dict[str, Any]:
    """Lots whose issuer's books are kept by this business, or by the group."""
    part = "issuer__exact" if keeper.is_group else "issuer__business__exact"
    return {f"journal__entry__lot__{part}": keeper.pk}


def link_to(url: str, text: object) -> str:
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text)
