"""Draft every journal again, from the ledger and the agreements, and compare it with what stands. Writes nothing.

The period is left out: it was assigned once, by the day of collection.
"""

from collections.abc import Callable, Iterator

from django.db.models import QuerySet

from benefits.models import Charge
from settlement.models import Journal
from settlement.services.drafts import ChargeDrafts, EntryDrafts, legs_of
from settlement.services.facts import charge_facts, entry_facts, points_entries

BATCH = 2_000
TERMS = ("event", "model", "issue_agreement", "redemption_agreement", "undoes")


def differences() -> Iterator[int]:
    """The keys of journals that would be written otherwise today."""
    yield from _differences("entry", points_entries().exclude(journal=None), entry_facts, EntryDrafts)
    yield from _differences("charge", Charge.objects.exclude(journal=None), charge_facts, ChargeDrafts)


def _differences(source: str, journalled: QuerySet, read: Callable, drafts: Callable) -> Iterator[int]:
    after = 0
    while facts := read(journalled.filter(pk__gt=after).order_by("pk")[:BATCH]):
        after = facts[-1].pk
        journals = Journal.objects.filter(**{f"{source}__in": [fact.pk for fact in facts]})
        stands = {fact: (key, terms) for fact, key, *terms in journals.values_list(source, "pk", *TERMS)}
        legs = legs_of(key for key, _ in stands.values())
        batch = drafts(facts)
        for fact in facts:
            key, terms = stands[fact.pk]
            draft = batch.draft(fact, key)
            if terms != [getattr(draft, term) for term in TERMS] or set(draft.legs) != set(legs[key]):
                yield key
