"""What collection reads of the floors below: active entries of points, and charges."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from benefits.models import Charge
from loyalty.models import Asset, Bucket, Entry, Lot, Transaction


@dataclass(frozen=True, slots=True)
class Undone:
    """The entry that another undoes, and what is fixed about its lot."""

    pk: int
    quantity: int
    lot: int
    issuer: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class EntryFact:
    """One active entry of points, with what is fixed about its lot and its transaction."""

    pk: int
    quantity: int
    lot: int
    issuer: int
    price: Decimal  # fen a point
    lot_quantity: int
    transaction: int
    kind: str
    business: int | None
    store: int | None
    amount: int  # fen: what the whole transaction was worth
    at: datetime
    posted_at: datetime
    undoes: Undone | None = None

    @property
    def undone(self) -> Undone:
        if self.undoes is None:
            raise ValueError(f"entry {self.pk} undoes nothing")
        return self.undoes

    @property
    def value(self) -> Decimal:
        """What these points are worth at their lot's price, in fen, without sign."""
        return abs(self.quantity) * self.price

    @property
    def is_debt(self) -> bool:
        return self.lot_quantity < 0


UNDONE_COLUMNS = ("undoes", "undoes__quantity", "undoes__lot", "undoes__lot__issuer", "undoes__lot__unit_price")
ENTRY_COLUMNS = (
    *UNDONE_COLUMNS,
    "pk",
    "quantity",
    "lot",
    "lot__issuer",
    "lot__unit_price",
    "lot__quantity",
    "transaction",
    "transaction__kind",
    "transaction__business",
    "transaction__store",
    "transaction__amount",
    "transaction__at",
    "transaction__posted_at",
)


@dataclass(frozen=True, slots=True)
class ChargeFact:
    """One charge; `shares` are signed like it."""

    pk: int
    business: int
    store: int | None
    shares: list[dict[str, int]]
    at: datetime
    posted_at: datetime
    undoes: int | None


CHARGE_COLUMNS = ("pk", "business", "store", "shares", "at", "posted_at", "undoes")


def points_entries() -> QuerySet[Entry]:
    """Pending ones are never read: activation writes its own. Nor are merges: nobody owes more or less by them."""
    entries = Entry.objects.filter(bucket=Bucket.ACTIVE, lot__account__asset=Asset.POINTS)
    return entries.exclude(transaction__kind=Transaction.Kind.MERGE)


def uncollected_entries() -> QuerySet[Entry]:
    """The anti-join: never "above the last key seen", for a lower key may be committed later."""
    return points_entries().filter(journal=None)


def uncollected_charges() -> QuerySet[Charge]:
    return Charge.objects.filter(journal=None)


def entry_facts(entries: QuerySet[Entry]) -> list[EntryFact]:
    width = len(UNDONE_COLUMNS)
    return [
        EntryFact(*row[width:], undoes=Undone(*row[:width]) if row[0] else None)
        for row in entries.values_list(*ENTRY_COLUMNS)
    ]


def charge_facts(charges: QuerySet[Charge]) -> list[ChargeFact]:
    return [ChargeFact(*row) for row in charges.values_list(*CHARGE_COLUMNS)]


@dataclass(frozen=True, slots=True)
class Sibling:
    """An entry of the same transaction, as far as it matters to the others."""

    pk: int
    transaction: int
    quantity: int
    lot: int
    issuer: int


def siblings_of(transactions: Iterable[int]) -> dict[int, list[Sibling]]:
    """All entries of each of these transactions, in the order of their keys."""
    found: dict[int, list[Sibling]] = {transaction: [] for transaction in transactions}
    rows = Entry.objects.filter(transaction__in=found).order_by("pk")
    for row in rows.values_list("pk", "transaction", "quantity", "lot", "lot__issuer"):
        sibling = Sibling(*row)
        found[sibling.transaction].append(sibling)
    return found


def parents_of(lots: Iterable[int]) -> dict[int, int]:
    """Lot → parent, for these lots and for all from which they came."""
    found: dict[int, int] = {}
    level = set(lots)
    while level:
        born = Lot.objects.filter(pk__in=level, parent__isnull=False).values_list("pk", "parent")
        parents: dict[int, int] = dict(born)
        found |= parents
        level = set(parents.values()) - found.keys()
    return found


def undone_before(entries: Iterable[int]) -> dict[int, int]:
    """For each entry that undoes one of these: how much of it was undone before, in the order of keys."""
    totals: dict[int, int] = {}
    before = {}
    rows = Entry.objects.filter(undoes__in=entries, bucket=Bucket.ACTIVE).order_by("pk")
    for pk, undoes, quantity in rows.values_list("pk", "undoes", "quantity"):
        before[pk] = totals.get(undoes, 0)
        totals[undoes] = before[pk] + abs(quantity)
    return before
