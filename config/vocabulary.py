"""What rule trees may speak of: the one table, floor by floor."""

from loyalty import criteria as loyalty
from members import criteria

VOCABULARY = (
    *criteria.entries,
    *loyalty.entries,
)


def install() -> None:
    criteria.install(VOCABULARY)
