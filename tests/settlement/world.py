"""What settlement's tests need beside the cast: prices, rules, agreements, and what the books say."""

from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import Sum

from loyalty.models import BurnRule, EarnRule, PointsPrice
from loyalty.services import terms
from loyalty.services.verify import violations
from members.models import OrgUnit
from members.services.organisation import own_origin
from settlement.models import AccountCode, Book, IssueAgreement, Period, Posting, SettlementModel, Statement
from settlement.services.facts import uncollected_charges, uncollected_entries
from settlement.services.periods import cut
from settlement.services.rebuild import differences
from settlement.services.verify import INVARIANTS

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def price_points(issuer: OrgUnit, price: int | Decimal) -> None:
    PointsPrice.objects.create(issuer=issuer, price=price, starts_at=LONG_AGO)
    terms.forget()


def points_per_yuan(business: OrgUnit, *, multiplier: int = 1) -> None:
    EarnRule.objects.create(name="消费得积分", org_unit=business, multiplier=multiplier, starts_at=LONG_AGO)
    terms.forget()


def points_pay(business: OrgUnit, fen: int) -> None:
    """One point pays `fen` at this business."""
    BurnRule.objects.create(name="积分抵现", org_unit=business, points=1, amount=fen, starts_at=LONG_AGO)
    terms.forget()


def agree(model: SettlementModel, issuer: OrgUnit | None = None, starts_at: datetime = LONG_AGO) -> IssueAgreement:
    return IssueAgreement.objects.create(issuer=issuer, model=model, starts_at=starts_at)


def book_of(org_unit: OrgUnit) -> Book:
    return Book.objects.get(org_unit=org_unit, role=Book.Role.OPERATING)


def fund() -> Book:
    return Book.objects.get(role=Book.Role.FUND)


def cut_all() -> Period:
    """Cut every period up to the last, which is returned."""
    last = Period.objects.order_by("starts_at").last()
    return last if last.is_final else cut(last, origin=own_origin("clock"))


def nets(period: Period) -> dict[str, int]:
    """What every book is to receive (+) or to pay (−) since the beginning, in fen; the fund by its role."""
    statements = Statement.objects.filter(period=period).select_related("book__org_unit")
    return {
        "FUND" if statement.book.role == Book.Role.FUND else statement.book.org_unit.code: statement.closing
        for statement in statements
    }


def balance(account: AccountCode, book: Book | None = None) -> Decimal:
    """Debit − credit on an account, of one book or of all."""
    postings = Posting.objects.filter(account=account)
    if book:
        postings = postings.filter(book=book)
    return postings.aggregate(total=Sum("amount", default=Decimal(0)))["total"]


def assert_sound() -> None:
    """All is collected, every invariant holds, and the rebuild is what stands."""
    assert not uncollected_entries().exists()
    assert not uncollected_charges().exists()
    assert [violation for _, violation in violations(INVARIANTS) if violation] == []
    assert list(differences()) == []
