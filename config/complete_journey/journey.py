"""All baskets in a few columns: small enough to keep, shared by forked workers, taken in any order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from config.complete_journey.baskets import Basket, Line
from config.complete_journey.products import FORMATS, Products
from config.complete_journey.tables import rows, stream

COLUMNS = ("household_id", "store_id", "basket_id", "product_id", "sales_value", "transaction_timestamp")


@dataclass(frozen=True)
class Journey:
    """Columns of lines, and columns of baskets, which are in the order of time.

    The lines of basket i are `starts[i]:starts[i + 1]`. `seconds` count from 1970 in UTC; `cents` are of
    sales_value; `row` is the product's row in `products`.
    """

    products: Products
    product: np.ndarray
    row: np.ndarray
    cents: np.ndarray
    number: np.ndarray
    household: np.ndarray
    store: np.ndarray
    seconds: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.number)

    @property
    def formats(self) -> np.ndarray:
        """The format of each line, as a position in FORMATS."""
        return self.products.formats[self.row]

    @property
    def totals(self) -> np.ndarray:
        """Cents of each basket."""
        return np.add.reduceat(self.cents, self.starts[:-1], dtype=np.int64)

    @property
    def basket_of_line(self) -> np.ndarray:
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))

    def of_households(self, households: Iterable[int]) -> np.ndarray:
        """Positions of all baskets of these households."""
        return np.flatnonzero(np.isin(self.household, list(households)))

    def baskets(self, positions: Iterable[int]) -> Iterator[Basket]:
        return map(self.basket, positions)

    def basket(self, position: int) -> Basket:
        lines = range(self.starts[position], self.starts[position + 1])
        return Basket(
            number=int(self.number[position]),
            household=int(self.household[position]),
            store=int(self.store[position]),
            at=datetime.fromtimestamp(int(self.seconds[position]), UTC),
            lines=tuple(map(self._line, lines)),
        )

    def _line(self, position: int) -> Line:
        products, row = self.products, self.row[position]
        return Line(
            product=int(self.product[position]),
            amount=int(self.cents[position]),
            format=FORMATS[products.formats[row]],
            name=products.name[row],
            category=products.category[row],
            brand=products.brand[row],
        )


def load() -> Journey:
    """Read the year, in about a second. The file has a basket's lines together, baskets in order of time."""
    products, count = Products.load(), rows("transactions")
    product, row, cents, household, store = (np.empty(count, np.int32) for _ in range(5))
    number, seconds = (np.empty(count, np.int64) for _ in range(2))
    done = 0
    for batch in stream("transactions", COLUMNS):
        part = slice(done, done := done + batch.num_rows)
        product[part] = batch["product_id"]
        row[part] = products.rows(product[part])
        # Binary fractions: 0.29 × 100 is 28.999…, so round; every value of the file has two decimals.
        cents[part] = np.rint(batch["sales_value"].to_numpy() * 100)
        household[part], store[part] = batch["household_id"], batch["store_id"]
        number[part] = batch["basket_id"]
        seconds[part] = batch["transaction_timestamp"].to_numpy().astype("datetime64[s]").astype(np.int64)
    first = np.flatnonzero(np.diff(number, prepend=-1))
    return Journey(
        products, product, row, cents, number[first], household[first], store[first], seconds[first],
        starts=np.append(first, count),
    )  # fmt: skip
