"""The demo's businesses, regions, stores and terminals."""

from collections.abc import Iterable, Iterator

from config.complete_journey import Journey
from config.demo.businesses import FORMATS, GROUP, NEIGHBOURS, OPERATING_COMPANY, TRADES, WHOLE_BASKETS
from config.demo.edition import Edition, Rule
from config.demo.places import REGIONS, Place, place
from members.models import OrgUnit, Terminal, Trade
from members.services.organisation import add_business, add_group, add_region, add_store, add_terminal


def found(edition: Edition, *, time_zone: str) -> OrgUnit:
    """Found the group with its businesses and their regions; stores of the data follow with their purchases."""
    group = add_group(*GROUP, time_zone=time_zone)
    Trade.objects.bulk_create(Trade(code=code.lower(), name=name) for code, name in TRADES.items())
    if edition.rule == Rule.A:
        _add_business_with_regions(group, WHOLE_BASKETS, FORMATS[WHOLE_BASKETS])
        return group
    for code, name in FORMATS.items():
        _add_business_with_regions(group, code, name)
    for code, (name, stores) in NEIGHBOURS.items():
        business = add_business(group, code, name)
        for number, store in enumerate(stores, start=1):
            add_till(add_store(business, f"{code}-{number}", f"{name}·{store}", trade=trade(code)))
    add_business(group, OPERATING_COMPANY, "梧桐会员运营公司")
    return group


def add_till(store: OrgUnit) -> Terminal:
    return add_terminal(store, "01", "一号收银台")


def trade(format: str) -> Trade | None:
    """What the stores of a format trade in; None in a demo that was founded before there were trades."""
    return Trade.objects.filter(code=format.lower()).first()


def business(code: str) -> OrgUnit:
    return OrgUnit.objects.select_related("business").get(code=code)


class Stores:
    """The store units of the data: one for each (store, format) that sells, added when first asked for."""

    def __init__(self, journey: Journey) -> None:
        numbers = sorted(set(journey.store.tolist()))
        self._places = {number: place(position) for position, number in enumerate(numbers)}
        known = OrgUnit.objects.stores().select_related("business")
        self._units = {store.code: store for store in known}

    def missing(self, pairs: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
        """Those (store number, format) that are not open yet."""
        return [pair for pair in pairs if code(*pair) not in self._units]

    def open(self, pairs: Iterable[tuple[int, str]]) -> Iterator[OrgUnit]:
        for number, format in pairs:
            yield self._open(number, format)

    def __getitem__(self, pair: tuple[int, str]) -> OrgUnit:
        return self._units[code(*pair)]

    def place(self, number: int) -> Place:
        return self._places[number]

    def _open(self, number: int, format: str) -> OrgUnit:
        where = self._places[number]
        region = OrgUnit.objects.get(code=f"{format}-{where.region}")
        store = add_store(region, code(number, format), f"{FORMATS[format]}·{where}店", trade=trade(format))
        add_till(store)
        self._units[store.code] = store
        return store


def code(store: int, format: str) -> str:
    return f"{format}-{store:05d}"


def _add_business_with_regions(group: OrgUnit, code: str, name: str) -> None:
    business = add_business(group, code, name)
    for region, title in REGIONS.items():
        add_region(business, f"{code}-{region}", f"{name}{title}")
