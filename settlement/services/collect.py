"""Settlement as a function of the ledger: one journal for each fact that has none yet."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import QuerySet

from settlement.models import Journal, Posting
from settlement.services.calendar import Calendar
from settlement.services.drafts import ChargeDrafts, Draft, EntryDrafts
from settlement.services.facts import (
    ChargeFact,
    EntryFact,
    charge_facts,
    entry_facts,
    uncollected_charges,
    uncollected_entries,
)
from settlement.services.turn import take_turn

BATCH = 2_000  # measured: larger is no quicker
NEW_KEYS = "SELECT nextval(pg_get_serial_sequence('settlement_journal', 'id')) FROM generate_series(1, %s)"


@dataclass(frozen=True)
class Collected:
    entries: int
    charges: int


def collect(*, on_batch: Callable[[int], None] = lambda done: None, batch: int = BATCH) -> Collected:
    """Journal what is not journalled yet, in batches, each a transaction: may be stopped anywhere and run again.

    Two at once take turns, and each finds only what the other has left. `on_batch` hears how many were done.
    """
    return Collected(
        entries=_drain(uncollected_entries(), entry_facts, EntryDrafts, batch, on_batch),
        charges=_drain(uncollected_charges(), charge_facts, ChargeDrafts, batch, on_batch),
    )


def _drain(uncollected: QuerySet, read: Callable, drafts: Callable, batch: int, on_batch: Callable[[int], None]) -> int:
    total = after = 0
    while True:
        with transaction.atomic():
            take_turn()
            # Within one run each batch starts where the last ended, or the join would go over all of it again.
            facts = read(uncollected.filter(pk__gt=after).order_by("pk")[:batch])
            if facts:
                write(drafted(facts, drafts(facts)))
        if not facts:
            return total
        total, after = total + len(facts), facts[-1].pk
        on_batch(len(facts))


def drafted(facts: Sequence[EntryFact | ChargeFact], drafts: EntryDrafts | ChargeDrafts) -> list[Draft]:
    with connection.cursor() as cursor:
        cursor.execute(NEW_KEYS, [len(facts)])
        keys = [key for (key,) in cursor.fetchall()]
    return [drafts.draft(fact, key) for fact, key in zip(facts, keys, strict=True)]


def write(drafts: Iterable[Draft]) -> None:
    """All postings of a journal go in by one statement: the trigger that balances them looks at each statement."""
    calendar = Calendar()
    Journal.objects.bulk_create(_journal(draft, calendar) for draft in drafts)
    Posting.objects.bulk_create(
        Posting(
            journal_id=draft.key,
            book_id=leg.book,
            account=leg.account,
            counterparty_id=leg.counterparty,
            amount=leg.amount,
        )
        for draft in drafts
        for leg in draft.legs
    )


def _journal(draft: Draft, calendar: Calendar) -> Journal:
    fact = draft.fact
    period = calendar.period_for(fact.at)
    source = {"entry_id": fact.pk} if isinstance(fact, EntryFact) else {"charge_id": fact.pk}
    return Journal(
        pk=draft.key,
        **source,
        event=draft.event,
        period=period,
        is_prior_period=fact.at < period.starts_at,
        model=draft.model,
        issue_agreement_id=draft.issue_agreement,
        redemption_agreement_id=draft.redemption_agreement,
        undoes_id=draft.undoes,
        store_id=fact.store,
        at=fact.at,
        posted_at=fact.posted_at,
    )
