"""From facts to journals before they are written: looks up what the rules need, for a whole batch at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from loyalty.models import Transaction
from settlement import rules
from settlement.models import EventType, Journal, Posting
from settlement.rules import Leg
from settlement.services.books import Books
from settlement.services.facts import ChargeFact, EntryFact, Sibling, parents_of, siblings_of, undone_before
from settlement.services.terms import Terms

Kind = Transaction.Kind


@dataclass(slots=True)
class Draft:
    """A journal to be: its legs, and under which terms."""

    fact: EntryFact | ChargeFact
    key: int  # of the journal
    event: str
    legs: list[Leg] = field(default_factory=list)
    model: str = ""
    issue_agreement: int | None = None
    redemption_agreement: int | None = None
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """What a lot keeps for its life from its first journal."""

    model: str
    journal: int


class EntryDrafts:
    """Drafts the journals of one batch of entries.

    Every fact that an entry rests on (the issue of its lot, the burn that it restores) has a lower key, and was
    committed before it: so, taken in the order of keys, it is journalled already or stands earlier in the batch.
    """

    def __init__(self, facts: Sequence[EntryFact]) -> None:
        self._books = Books()
        self._terms = Terms()
        self._siblings = siblings_of({fact.transaction for fact in facts if fact.kind in WITH_SIBLINGS})
        restored = [fact.undone.pk for fact in facts if fact.kind == Kind.RESTORE]
        self._before = undone_before(restored)
        self._originals = originals_of(restored)
        lots = self._lots(facts)
        self._parents = parents_of(lots)
        self._pins = pins_of({*lots, *self._parents.values()})

    def draft(self, fact: EntryFact, key: int) -> Draft:
        event, fill = BY_KIND[Kind(fact.kind)]
        draft = Draft(fact, key, event)
        fill(self, fact, draft)
        self._originals[fact.pk] = (key, draft.legs)
        return draft

    def issue(self, fact: EntryFact, draft: Draft) -> None:
        terms = self._terms.issue(fact.issuer, fact.at)
        self._pins[fact.lot] = Pin(terms.model, draft.key)
        draft.model, draft.issue_agreement = terms.model, terms.agreement
        draft.legs = rules.issue(issuer=self._books.of(fact.issuer), holder=self._holder(fact), value=fact.value)

    def burn(self, fact: EntryFact, draft: Draft) -> None:
        terms = self._terms.redemption(fact.issuer, fact.business, fact.at)
        draft.model, draft.redemption_agreement = self._pin(fact.lot).model, terms.agreement
        face = self._face(fact)
        draft.legs = rules.burn(
            holder=self._holder(fact),
            redeemer=self._books.of(fact.business),
            value=fact.value,
            face=face,
            reimbursed=rules.posted(face * terms.reimbursement / 100),
        )

    def expire(self, fact: EntryFact, draft: Draft) -> None:
        draft.model = self._pin(fact.lot).model
        draft.legs = rules.expire(holder=self._holder(fact), value=fact.value)

    def adjust(self, fact: EntryFact, draft: Draft) -> None:
        """Up like a grant, down like an expiry."""
        (self.issue if fact.quantity > 0 else self.expire)(fact, draft)

    def claw_back(self, fact: EntryFact, draft: Draft) -> None:
        """The entry names the issue that it undoes; its lot is where the points were found."""
        original = self._pin(fact.undone.lot)
        if fact.is_debt:
            self._pins[fact.lot] = Pin(original.model, draft.key)
        draft.model, draft.undoes = self._pin(fact.lot).model, original.journal
        issuer = self._books.of(fact.undone.issuer)
        holder = self._books.holder(original.model, fact.undone.issuer)
        value = -fact.quantity * fact.undone.price
        if fact.is_debt:
            draft.legs = rules.claw_back_into_debt(issuer=issuer, holder=holder, value=value)
        else:
            draft.legs = rules.claw_back(
                issuer=issuer, holder=holder, value=value, taken_from=self._holder(fact), taken_value=fact.value
            )

    def restore(self, fact: EntryFact, draft: Draft) -> None:
        """The burn's own postings, negated up to what is now restored in all; a child lot keeps its parent's model."""
        self._pins.setdefault(fact.lot, Pin(self._pin(fact.undone.lot).model, draft.key))
        draft.model = self._pin(fact.lot).model
        draft.undoes, legs = self._originals[fact.undone.pk]
        before = self._before[fact.pk]
        draft.legs = rules.reversal(legs, before=before, after=before + fact.quantity, whole=-fact.undone.quantity)

    def cure(self, fact: EntryFact, draft: Draft) -> None:
        """Of one transaction: lots that pay (−) and debts that they meet (+), matched in the order of keys."""
        draft.model = self._pin(fact.lot).model
        if fact.is_debt:
            draft.legs = rules.debt_cured(holder=self._holder(fact), value=fact.value)
            return
        legs = []
        for debt, quantity in self._debts_met_by(fact):
            creditor = self._books.holder(self._pin(debt.lot).model, debt.issuer)
            legs += rules.relieve(self._holder(fact), quantity * fact.price, creditor=creditor)
        draft.legs = rules.merged(legs)

    def _pin(self, lot: int) -> Pin:
        """A lot that a merge made has its parent's."""
        while lot not in self._pins:
            lot = self._parents[lot]
        return self._pins[lot]

    def _holder(self, fact: EntryFact) -> int:
        return self._books.holder(self._pin(fact.lot).model, fact.issuer)

    def _face(self, fact: EntryFact) -> Decimal:
        """What this entry's part of the transaction's amount comes to, to six decimals."""
        siblings = self._siblings[fact.transaction]
        before = -sum(sibling.quantity for sibling in siblings if sibling.pk < fact.pk)
        whole = -sum(sibling.quantity for sibling in siblings)
        return rules.share(fact.amount, before=before, after=before - fact.quantity, whole=whole)

    def _debts_met_by(self, fact: EntryFact) -> Iterator[tuple[Sibling, int]]:
        siblings = self._siblings[fact.transaction]
        start = -sum(sibling.quantity for sibling in siblings if sibling.quantity < 0 and sibling.pk < fact.pk)
        end, reached = start - fact.quantity, 0
        for debt in siblings:
            if debt.quantity > 0:
                met = min(end, reached + debt.quantity) - max(start, reached)
                reached += debt.quantity
                if met > 0:
                    yield debt, met

    def _lots(self, facts: Iterable[EntryFact]) -> set[int]:
        lots = {fact.lot for fact in facts} | {fact.undoes.lot for fact in facts if fact.undoes}
        return lots | {sibling.lot for siblings in self._siblings.values() for sibling in siblings}


BY_KIND: dict[Kind, tuple[EventType, Callable[[EntryDrafts, EntryFact, Draft], None]]] = {
    Kind.EARN: (EventType.ISSUE, EntryDrafts.issue),
    Kind.ACTIVATE: (EventType.ISSUE, EntryDrafts.issue),
    Kind.BURN: (EventType.BURN, EntryDrafts.burn),
    Kind.CAPTURE: (EventType.BURN, EntryDrafts.burn),
    Kind.EXPIRE: (EventType.EXPIRE, EntryDrafts.expire),
    Kind.CLAW_BACK: (EventType.CLAW_BACK, EntryDrafts.claw_back),
    Kind.RESTORE: (EventType.RESTORE, EntryDrafts.restore),
    Kind.ADJUST: (EventType.ADJUST, EntryDrafts.adjust),
    Kind.CURE: (EventType.CURE, EntryDrafts.cure),
}
WITH_SIBLINGS = {Kind.BURN, Kind.CAPTURE, Kind.CURE}


class ChargeDrafts:
    """Drafts the journals of one batch of charges. A charge that undoes another carries its shares, negative."""

    def __init__(self, facts: Sequence[ChargeFact]) -> None:
        self._books = Books()
        undone = [fact.undoes for fact in facts if fact.undoes]
        self._journals = dict(Journal.objects.filter(charge__in=undone).values_list("charge", "pk"))

    def draft(self, fact: ChargeFact, key: int) -> Draft:
        self._journals[fact.pk] = key
        shares = [(self._books.of(share["payer"]), share["amount"]) for share in fact.shares]
        return Draft(
            fact,
            key,
            EventType.COUPON_RETURN if fact.undoes else EventType.COUPON,
            rules.coupon(redeemer=self._books.of(fact.business), shares=shares),
            undoes=self._journals[fact.undoes] if fact.undoes else None,
        )


def pins_of(lots: Iterable[int]) -> dict[int, Pin]:
    """The pins of those lots that have a journal."""
    first = Journal.objects.filter(entry__lot__in=lots).order_by("entry__lot_id", "entry_id").distinct("entry__lot_id")
    return {lot: Pin(model, journal) for lot, model, journal in first.values_list("entry__lot", "model", "pk")}


def originals_of(entries: Iterable[int]) -> dict[int, tuple[int, list[Leg]]]:
    """The journals of these entries, as far as there are any: (key, legs)."""
    journals = dict(Journal.objects.filter(entry__in=entries).values_list("pk", "entry"))
    legs = legs_of(journals)
    return {entry: (journal, legs[journal]) for journal, entry in journals.items()}


def legs_of(journals: Iterable[int]) -> dict[int, list[Leg]]:
    """What these journals posted."""
    found: dict[int, list[Leg]] = {journal: [] for journal in journals}
    postings = Posting.objects.filter(journal__in=found).order_by("pk")
    for journal, *leg in postings.values_list("journal", "book", "account", "amount", "counterparty"):
        found[journal].append(Leg(*leg))
    return found
