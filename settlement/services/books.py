from members.models import OrgUnit
from members.services.organisation import group
from settlement.models import Book, SettlementModel


class Books:
    """The keys of books by who keeps them; a book is opened by the first fact that needs it."""

    def __init__(self) -> None:
        self._keeper = dict(OrgUnit.objects.values_list("pk", "business_id"))
        self._books = {
            (org_unit, role): key for key, org_unit, role in Book.objects.values_list("pk", "org_unit", "role")
        }
        self._fund = next((key for (_, role), key in self._books.items() if role == Book.Role.FUND), None)

    def of(self, org_unit: int | None) -> int:
        """The operating book of an org unit's business; what belongs to no business is the group's."""
        keeper = org_unit and self._keeper[org_unit]
        return self._open(keeper or group().pk, Book.Role.OPERATING)

    @property
    def fund(self) -> int:
        if self._fund is None:
            self._fund = self._open(group().pk, Book.Role.FUND)
        return self._fund

    def holder(self, model: str, issuer: int) -> int:
        """Who holds the liability for a lot: the only thing in which the models differ."""
        return self.fund if model == SettlementModel.CENTRAL_FUND else self.of(issuer)

    def _open(self, keeper: int, role: str) -> int:
        if (keeper, role) not in self._books:
            book, _ = Book.objects.get_or_create(org_unit_id=keeper, role=role)
            self._books[keeper, role] = book.pk
        return self._books[keeper, role]
