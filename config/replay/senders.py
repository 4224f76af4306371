"""How receipts enter the system: through the same service as the API's, or (over_http) through the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from benefits.interfaces import Checkout
from benefits.services import checkout
from config.complete_journey import Line, Receipt
from config.demo.edition import Edition
from config.demo.organisation import Stores
from config.replay.selection import REFUND_DELAY
from loyalty.interfaces import DraftLine, PurchaseDraft
from loyalty.models import Purchase
from members.interfaces import Answer, Origin
from members.models import Channel, Member, OrgUnit, Request
from members.services.requests import hash_input

ADDRESS = "/api/v1/purchases"
TENDERS = ("wechat", "alipay", "bank_card", "cash")


class Sender(Protocol):
    def missing(self, references: Sequence[str]) -> set[str]:
        """Those references that the system does not know yet."""

    def buy(self, receipts: Sequence[Receipt]) -> None:
        """Send purchases: one by itself, several as a batch."""

    def refund(self, receipt: Receipt) -> None:
        """Give a whole purchase back."""


class NotTaken(Exception):
    """The system refused a purchase of the data; its answer says why."""


@dataclass(frozen=True)
class Books:
    """What receipts are matched with: households with members, stores of the data with ours, its days with ours."""

    channel: Channel
    edition: Edition
    members: Mapping[int, Member]
    stores: Stores

    def missing(self, references: Sequence[str]) -> set[str]:
        known = Request.objects.filter(channel=self.channel, reference__in=references)
        return set(references) - set(known.values_list("reference", flat=True))

    def at(self, receipt: Receipt) -> datetime:
        return self.edition.at(receipt.at)

    def member(self, receipt: Receipt) -> Member:
        return self.members[receipt.household]

    def store(self, receipt: Receipt) -> OrgUnit:
        return self.stores[receipt.store, receipt.format]

    def purchase(self, receipt: Receipt) -> Purchase:
        return Purchase.objects.select_related("member").get(
            store=self.store(receipt), external_number=receipt.reference
        )

    def body(self, receipt: Receipt) -> dict[str, Any]:
        """The purchase as the API takes it."""
        return {
            "member": self.member(receipt).member_no,
            "store": self.store(receipt).code,
            "external_number": receipt.reference,
            "at": self.at(receipt).isoformat(),
            "lines": [_line(line) for line in receipt.lines],
            "tenders": [{"kind": kind, "amount": amount} for kind, amount in tenders(receipt)],
        }


@dataclass(frozen=True)
class ServiceSender:
    """Calls checkout in this process; a purchase enters the books at its own time."""

    books: Books

    def missing(self, references: Sequence[str]) -> set[str]:
        return self.books.missing(references)

    def buy(self, receipts: Sequence[Receipt]) -> None:
        if len(receipts) == 1:
            basket, origin = self._checkout(receipts[0])
            checkout.commit(basket, origin=origin)
            return
        refuse_errors(checkout.record_batch([self._checkout(receipt) for receipt in receipts]))

    def refund(self, receipt: Receipt) -> None:
        origin = self._origin(receipt, refund_of(receipt), self.books.at(receipt) + REFUND_DELAY, {"whole": True})
        checkout.refund(self.books.purchase(receipt), whole=True, origin=origin)

    def _checkout(self, receipt: Receipt) -> tuple[Checkout, Origin]:
        at = self.books.at(receipt)
        draft = PurchaseDraft(
            member=self.books.member(receipt),
            store=self.books.store(receipt),
            at=at,
            lines=tuple(DraftLine(**_line(line)) for line in receipt.lines),
            external_number=receipt.reference,
            tenders=tenders(receipt),
        )
        # Hashed as the API hashes it, so that either way of sending knows what the other has sent.
        return Checkout(draft), self._origin(
            receipt, receipt.reference, at, ["POST", ADDRESS, self.books.body(receipt)]
        )

    def _origin(self, receipt: Receipt, reference: str, at: datetime, body: Any) -> Origin:
        store = self.books.store(receipt)
        return Origin(
            channel=self.books.channel,
            reference=reference,
            at=at,
            posted_at=at,
            store=store,
            business=store.business,
            input_hash=hash_input(body),
        )


def refuse_errors(answers: Sequence[Answer]) -> None:
    """Raises NotTaken for the first item of a batch that was not taken."""
    for answer in answers:
        if "error" in answer:
            raise NotTaken(answer)


def tenders(receipt: Receipt) -> tuple[tuple[str, int], ...]:
    kind = TENDERS[receipt.basket % len(TENDERS)]
    return ((kind, receipt.amount),) if receipt.amount else ()


def refund_of(receipt: Receipt) -> str:
    """The reference of a purchase's refund."""
    return f"{receipt.reference}:refund"


def _line(line: Line) -> dict[str, Any]:
    return {
        "sku": str(line.product),
        "name": line.name,
        "category": line.category,
        "brand": line.brand,
        "amount": line.amount,
    }
