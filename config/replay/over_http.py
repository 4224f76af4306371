"""The same purchases through the API of a running server: one keep-alive connection a lane."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from config.complete_journey import Receipt
from config.demo.keyring import Keyring
from config.replay.selection import REFUND_DELAY
from config.replay.senders import Books, NotTaken, refund_of, refuse_errors

TIMEOUT = 120  # seconds: a batch of 500 takes a while


class HttpSender:
    """A client of its own. Purchases enter the books when the server gets them, not at their own time."""

    def __init__(self, books: Books, url: str) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self.books = books
        self._connection = kind(parts.netloc, timeout=TIMEOUT)
        self._bearer = f"Bearer {Keyring().get('key', books.channel.code)}"

    def missing(self, references: Sequence[str]) -> set[str]:
        return self.books.missing(references)

    def buy(self, receipts: Sequence[Receipt]) -> None:
        bodies = [self.books.body(receipt) for receipt in receipts]
        if len(receipts) == 1:
            self._post("purchases", bodies[0], receipts[0].reference)
            return
        items = [body | {"reference": body["external_number"]} for body in bodies]
        answer = self._post("purchases/batch", {"purchases": items})
        refuse_errors(answer["results"])

    def refund(self, receipt: Receipt) -> None:
        at = self.books.at(receipt) + REFUND_DELAY
        body = {"whole": True, "at": at.isoformat()}
        self._post(f"purchases/{self.books.purchase(receipt).pk}/refunds", body, refund_of(receipt))

    def _post(self, resource: str, body: Any, reference: str = "") -> Any:
        headers = {"Authorization": self._bearer, "Content-Type": "application/json"}
        if reference:
            headers["Idempotency-Key"] = reference
        try:
            self._connection.request("POST", f"/api/v1/{resource}", json.dumps(body), headers)
            response = self._connection.getresponse()
            content = response.read()
        except OSError as problem:
            address = f"{self._connection.host}:{self._connection.port}"
            raise NotTaken(f"{address} does not answer ({problem}). Is the server running? make run") from problem
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise NotTaken(f"{response.status} {content.decode(errors='replace')}")
        return json.loads(content)
