"""A statement as shops read it: who used whose points, what is due from and to each, and the settlement amount."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Sum

from settlement.models import AccountCode, Book, Posting, Statement
from settlement.rules import in_fen
from settlement.services.books import Books


@dataclass(slots=True)
class Counterparty:
    """In fen. `used_here` / `used_there`: points of theirs used at ours, of ours used at theirs, at face value."""

    book: Book
    used_here: int = 0
    used_there: int = 0
    receivable: int = 0
    payable: int = 0

    @property
    def net(self) -> int:
        return self.receivable - self.payable


def counterparties(statement: Statement) -> list[Counterparty]:
    """本店使用他店 / 他店使用本店 / 应收 / 应付 / 结算额, by counterparty. Under A all is due from or to the fund."""
    books = {book.pk: book for book in Book.objects.select_related("org_unit")}
    found = {key: Counterparty(book) for key, book in books.items()}
    for (issuer, redeemer), face in used_points(statement).items():
        if issuer != redeemer and redeemer == statement.book_id:
            found[issuer].used_here = face
        elif issuer != redeemer and issuer == statement.book_id:
            found[redeemer].used_there = face
    for balance in statement.balances.all():
        found[balance.counterparty_id].receivable = max(balance.movement, 0)
        found[balance.counterparty_id].payable = max(-balance.movement, 0)
    return [one for one in found.values() if one.used_here or one.used_there or one.receivable or one.payable]


def used_points(statement: Statement) -> dict[tuple[int, int], int]:
    """Face value in fen of points used in the statement's period, by operating books of issuer and redeemer."""
    keeper = Books()
    face: dict[tuple[int, int], int] = defaultdict(int)
    used = Posting.objects.filter(journal__period=statement.period_id, account=AccountCode.POINTS_TENDER)
    for issuer, redeemer, amount in used.values_list("journal__entry__lot__issuer", "book").annotate(Sum("amount")):
        face[keeper.of(issuer), redeemer] -= in_fen(amount)
    return face
