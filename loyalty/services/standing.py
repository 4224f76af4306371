"""What a member has in points right now: what can be spent, what comes later, what lapses next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Sum

from loyalty.models import Account, Asset, Lot
from members.models import Member


@dataclass(frozen=True)
class PointsStanding:
    """`expiring` points lapse at `expires_at`, the next moment at which any do; None if none ever will."""

    balance: int = 0
    pending: int = 0
    held: int = 0
    expiring: int = 0
    expires_at: datetime | None = None

    def expires_within(self, days: int, *, of: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= of + timedelta(days=days)


def points_standing(member: Member, *, at: datetime) -> PointsStanding:
    account = Account.objects.filter(member=member, asset=Asset.POINTS).first()
    if account is None:
        return PointsStanding()
    left = Lot.objects.filter(account=account).spendable(at).filter(expires_at__isnull=False)
    soonest = (
        left.order_by()
        .values("expires_at")
        .annotate(points=Sum(F("remaining") - F("held")))
        .order_by("expires_at")
        .first()
    ) or {"points": 0, "expires_at": None}
    return PointsStanding(
        balance=account.balance,
        pending=account.pending,
        held=account.held,
        expiring=soonest["points"],
        expires_at=soonest["expires_at"],
    )
