"""Which accounts an event moves: pure functions from facts and terms to legs. No database, no clock.

A *leg* is one posting to be: (book, account, counterparty, amount), in fen, debit +, at most six decimals. Books are
opaque here (keys of Book rows; names in tests). The two models differ in one thing only: who *holds* the liability
for a lot — the fund under A, its issuer under B. Everything else follows, inter-company legs included.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import TypeVar

from settlement.models.journals import AccountCode

Book = Hashable
Business = TypeVar("Business", bound=Hashable)
POSTED = Decimal("0.000001")  # postings are NUMERIC(20, 6)


@dataclass(frozen=True, slots=True)
class Leg:
    book: Book
    account: str
    amount: Decimal
    counterparty: Book | None = None


# What each event posts ------------------------------------------------------------------------------------------


def issue(*, issuer: Book, holder: Book, value: Decimal) -> list[Leg]:
    """The issuer bears the cost of the points; who holds the liability is owed for it."""
    return merged(
        [
            Leg(issuer, AccountCode.POINTS_COST, value),
            *owe(issuer, holder, value),
            Leg(holder, AccountCode.POINTS_LIABILITY, -value),
        ]
    )


def burn(*, holder: Book, redeemer: Book, value: Decimal, face: Decimal, reimbursed: Decimal) -> list[Leg]:
    """The redeemer took `face` worth of points and is owed what is `reimbursed`; the liability of `value` is gone."""
    return merged(
        [
            Leg(redeemer, AccountCode.POINTS_TENDER, -face),
            Leg(redeemer, AccountCode.PROMOTION_COST, face - reimbursed),
            *owe(holder, redeemer, reimbursed),
            Leg(holder, AccountCode.POINTS_LIABILITY, value),
            Leg(holder, AccountCode.MARGIN, reimbursed - value),
        ]
    )


def expire(*, holder: Book, value: Decimal) -> list[Leg]:
    """The holder of the liability keeps the breakage."""
    return merged([Leg(holder, AccountCode.POINTS_LIABILITY, value), Leg(holder, AccountCode.BREAKAGE, -value)])


def claw_back(*, issuer: Book, holder: Book, value: Decimal, taken_from: Book, taken_value: Decimal) -> list[Leg]:
    """The issue is negated, but what is relieved is the liability for the lot where the points were found.

    Whoever held that (`taken_from`) owes for what it no longer owes to members; the difference between original and
    taken value stays with the original holder. Found in their own lot, all this comes to the issue negated.
    """
    return merged(
        [
            *_without_relief(issuer, holder, value),
            *relieve(taken_from, taken_value, creditor=holder),
            Leg(holder, AccountCode.MARGIN, value),
        ]
    )


def claw_back_into_debt(*, issuer: Book, holder: Book, value: Decimal) -> list[Leg]:
    """Nothing left to take: the member owes it, to the one who would have been relieved."""
    return merged(
        [
            *_without_relief(issuer, holder, value),
            Leg(holder, AccountCode.MEMBER_RECEIVABLE, value),
        ]
    )


def _without_relief(issuer: Book, holder: Book, value: Decimal) -> list[Leg]:
    """The issuer's cost is taken back at the holder's expense: the holder's book still lacks `value` on the debit."""
    return [Leg(issuer, AccountCode.POINTS_COST, -value), *owe(holder, issuer, value)]


def relieve(holder: Book, value: Decimal, *, creditor: Book) -> list[Leg]:
    """A lot pays for something that its holder owes to `creditor`, into the creditor's margin."""
    return merged(
        [
            Leg(holder, AccountCode.POINTS_LIABILITY, value),
            *owe(holder, creditor, value),
            Leg(creditor, AccountCode.MARGIN, -value),
        ]
    )


def debt_cured(*, holder: Book, value: Decimal) -> list[Leg]:
    """The other half of `relieve`: what stays in the margin is the difference between new and old price."""
    return merged([Leg(holder, AccountCode.MARGIN, value), Leg(holder, AccountCode.MEMBER_RECEIVABLE, -value)])


def coupon(*, redeemer: Book, shares: Iterable[tuple[Book, int]]) -> list[Leg]:
    """The redeemer gave a discount; each payer owes its share, and bears it as promotion."""
    legs = []
    for payer, fen in shares:
        share = Decimal(fen)
        legs += [
            Leg(redeemer, AccountCode.COUPON_TENDER, -share),
            *owe(payer, redeemer, share),
            Leg(payer, AccountCode.PROMOTION_COST, share),
        ]
    return merged(legs)


def owe(debtor: Book, creditor: Book, amount: Decimal) -> list[Leg]:
    """One inter-company debt, seen from both sides; nobody owes himself."""
    if debtor == creditor:
        return []
    return [
        Leg(debtor, AccountCode.INTER_COMPANY, -amount, creditor),
        Leg(creditor, AccountCode.INTER_COMPANY, amount, debtor),
    ]


def reversal(legs: Sequence[Leg], *, before: int, after: int, whole: int) -> list[Leg]:
    """Undo a journal from `before` to `after` of its `whole` quantity: by its own amounts, never priced again.

    Targets are cumulative, so any cutting into parts ends at exactly the negated original. Each is rounded to what a
    posting holds; one account of each book that is nobody else's business takes the rest, so that books balance.
    """
    return merged([*_undone(legs, after, whole), *_negated(_undone(legs, before, whole))])


def _undone(legs: Sequence[Leg], part: int, whole: int) -> list[Leg]:
    targets = []
    for book in dict.fromkeys(leg.book for leg in legs):
        *others, filler = sorted((leg for leg in legs if leg.book == book), key=_rounded_at)
        own = [replace(leg, amount=posted(-leg.amount * part / whole)) for leg in others]
        targets += [*own, replace(filler, amount=-sum((leg.amount for leg in own), Decimal(0)))]
    return targets


def _rounded_at(leg: Leg) -> int:
    """First what the counterparty mirrors, then what members are owed; any other account may take the rest."""
    first = (AccountCode.INTER_COMPANY, AccountCode.POINTS_LIABILITY)
    return first.index(leg.account) if leg.account in first else len(first)


def _negated(legs: Iterable[Leg]) -> list[Leg]:
    return [replace(leg, amount=-leg.amount) for leg in legs]


def merged(legs: Iterable[Leg]) -> list[Leg]:
    """One leg for each account and counterparty of a book; those that come to nothing are left out."""
    totals: dict[tuple, Decimal] = defaultdict(Decimal)
    for leg in legs:
        totals[leg.book, leg.account, leg.counterparty] += leg.amount
    return [
        Leg(book, account, amount, counterparty) for (book, account, counterparty), amount in totals.items() if amount
    ]


# Shares and rounding --------------------------------------------------------------------------------------------


def posted(amount: Decimal) -> Decimal:
    """Round to what a posting holds."""
    return amount.quantize(POSTED, rounding=ROUND_HALF_UP)


def in_fen(amount: Decimal) -> int:
    """Round a cumulative balance to what a statement shows; the same from either side of a pair."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def share(amount: int, *, before: int, after: int, whole: int) -> Decimal:
    """What falls to the part from `before` to `after` of `whole`; the parts of any cutting sum to `amount`."""
    if not whole:
        return Decimal(0)
    return posted(Decimal(amount) * after / whole) - posted(Decimal(amount) * before / whole)


def footed(movement: int, parts: Sequence[Decimal]) -> list[int]:
    """Whole fen for each part, by largest remainder (ties to the earlier), summing to `movement`.

    `movement` is the difference of two rounded cumulative balances, so it lies less than one fen from Σ parts.
    """
    floors = [int(part.to_integral_value(ROUND_FLOOR)) for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i], i))
    for i in by_remainder[: movement - sum(floors)]:
        floors[i] += 1
    return floors


# Netting --------------------------------------------------------------------------------------------------------


def payments(nets: Mapping[Business, int]) -> list[tuple[Business, Business, int]]:
    """(payer, payee, fen) so that every net is settled. The nets sum to zero; + is to receive.

    Equal debts and claims are matched first; then the largest debt pays the largest claim, which settles at least
    one of the two each time: at most one payment fewer than there are businesses with a net.
    """
    owing = {who: -net for who, net in nets.items() if net < 0}
    due = {who: net for who, net in nets.items() if net > 0}
    made = []
    while owing:
        payer, payee = _next_pair(owing, due)
        amount = min(owing[payer], due[payee])
        made.append((payer, payee, amount))
        for side, who in ((owing, payer), (due, payee)):
            side[who] -= amount
            if not side[who]:
                del side[who]
    return made


def _next_pair(owing: Mapping[Business, int], due: Mapping[Business, int]) -> tuple[Business, Business]:
    claims = {amount: who for who, amount in due.items()}
    equal = next(((payer, claims[amount]) for payer, amount in owing.items() if amount in claims), None)
    return equal or (max(owing, key=owing.__getitem__), max(due, key=due.__getitem__))
