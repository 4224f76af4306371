"""People with purchases, as plain values and as rows: what rules are asked of in tests."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty.models import Account, Asset, Purchase
from members.models import Member, Request
from members.services.organisation import own_channel
from tests.cast import Cast
from tests.factories import MemberFactory

ZONE = ZoneInfo("Asia/Shanghai")


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZONE)


@dataclass
class Bought:
    at: datetime
    business: str
    amount: int  # fen
    refunded: int = 0

    @property
    def kept(self) -> int:
        return self.amount - self.refunded

    @property
    def stands(self) -> bool:
        return self.kept > 0 or self.amount == 0


@dataclass
class Person:
    registered_at: datetime = field(default_factory=lambda: local(2024, 1, 1))
    birthday: date | None = None
    gender: str = ""
    points: int | None = None
    businesses: tuple[str, ...] = ()
    bought: tuple[Bought, ...] = ()


def save(person: Person, cast: Cast) -> Member:
    units = {unit.code: unit for unit in (cast.mall, cast.hotel, cast.cvs)}
    stores = {"MALL": cast.mall_1, "HOTEL": cast.hotel_1, "CVS": cast.cvs_1}
    member = MemberFactory(
        registered_at=person.registered_at,
        birthday=person.birthday,
        gender=person.gender,
        businesses=[units[code] for code in person.businesses],
    )
    if person.points is not None:
        Account.objects.create(member=member, asset=Asset.POINTS, balance=person.points)
    channel = own_channel("desk")
    for number, bought in enumerate(person.bought):
        reference = f"{member.pk}-{number}"
        Purchase.objects.create(
            request=Request.objects.create(channel=channel, reference=reference, verb="purchase"),
            member=member,
            business=units[bought.business],
            store=stores[bought.business],
            channel=channel,
            external_number=reference,
            at=bought.at,
            posted_at=bought.at,
            list_amount=bought.amount,
            net_amount=bought.amount,
            refunded_amount=bought.refunded,
        )
    return member


def random_person(dice: random.Random) -> Person:
    """Values lie near the limits that random rules use, so that both sides of each limit are met."""
    return Person(
        registered_at=datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=dice.randrange(24 * 150)),
        birthday=dice.choice([None, date(1990, dice.randint(1, 12), dice.randint(1, 28))]),
        gender=dice.choice(["", "m", "f"]),
        points=dice.choice([None, 0, 50, 100, 150]),
        businesses=tuple(code for code in ("MALL", "HOTEL", "CVS") if dice.random() < 0.5),
        bought=tuple(random_purchase(dice) for _ in range(dice.choice([0, 0, 1, 2, 3, 5]))),
    )


def random_purchase(dice: random.Random) -> Bought:
    amount = dice.choice([0, 1000, 5000, 9999, 10000])
    return Bought(
        at=datetime(2024, 5, 1, tzinfo=UTC) + timedelta(hours=dice.randrange(24 * 35)),
        business=dice.choice(["MALL", "HOTEL", "CVS"]),
        amount=amount,
        refunded=dice.choice([0, 0, 0, amount // 2, amount]),
    )
