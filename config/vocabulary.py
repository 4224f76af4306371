"""What rule trees may speak of: the one table, floor by floor."""

from benefits import criteria as benefits
from loyalty import criteria as loyalty
from marketing import criteria as marketing
from members import criteria

VOCABULARY = (
    *criteria.entries,
    *loyalty.entries,
    *benefits.entries,
    *marketing.entries,
)


def install() -> None:
    criteria.install(VOCABULARY)
