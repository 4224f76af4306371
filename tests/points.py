"""Points for tests that only show them: through the ledger's own primitives, under one reference."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from loyalty.models import Asset
from loyalty.services.ledger import burn, earn, lock_account
from members.interfaces import Answer
from members.models import Member, OrgUnit
from members.services.organisation import own_origin
from members.services.requests import idempotent


def give_points(member: Member, points: int, business: OrgUnit, *, at: datetime | None = None, **terms) -> None:
    """`terms`: expires_at, available_at, reason."""
    _give(member, points, terms, origin=own_origin("admin", business=business, at=at))


def spend_points(member: Member, points: int, business: OrgUnit, *, at: datetime | None = None) -> None:
    _spend(member, points, origin=own_origin("admin", business=business, at=at))


def in_days(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)


@idempotent("test.give_points")
def _give(member: Member, points: int, terms: dict, *, origin) -> Answer:
    earn(
        lock_account(member, Asset.POINTS),
        points,
        issuer=origin.business,
        unit_price=Decimal(1),
        origin=origin,
        **terms,
    )
    return {}


@idempotent("test.spend_points")
def _spend(member: Member, points: int, *, origin) -> Answer:
    burn(lock_account(member, Asset.POINTS), points, origin=origin)
    return {}
