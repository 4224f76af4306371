"""What a replay came to: what was sent, how fast, and what now stands in the books."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from django.db.models import Sum

from config.replay.lanes import Tally
from loyalty.models import Asset, Award, Purchase, PurchaseLine, Transaction
from members.models import Channel


@dataclass(frozen=True)
class Totals:
    """What came through one channel and stands: `points` were given, `clawed_back` taken back by refunds."""

    purchases: int
    lines: int
    points: int
    clawed_back: int

    @classmethod
    def of(cls, channel: Channel) -> Self:
        awards = Award.objects.filter(purchase__channel=channel, rule__asset=Asset.POINTS)
        taken = Transaction.objects.filter(
            channel=channel, kind=Transaction.Kind.CLAW_BACK, account__asset=Asset.POINTS
        )
        return cls(
            purchases=Purchase.objects.filter(channel=channel).count(),
            lines=PurchaseLine.objects.filter(purchase__channel=channel).count(),
            points=awards.aggregate(n=Sum("given", default=0))["n"],
            clawed_back=-taken.aggregate(n=Sum("quantity", default=0))["n"],
        )


def lines(sent: Tally, seconds: float, before: Totals, after: Totals) -> Iterator[str]:
    rate = sent.purchases / seconds if seconds else 0.0
    yield f"sent       {sent.purchases:,} purchases, {sent.lines:,} lines, {sent.refunds:,} refunds"
    yield f"gave       {after.points - before.points:,} points"
    yield f"took       {seconds:,.1f} s, {rate:,.1f} purchases/s, {sent.memory:,} MB in the largest process"
    yield f"was there  {sent.skipped:,} purchases"
    yield f"stand now  {after.purchases:,} purchases, {after.lines:,} lines, {after.points:,} points given"
    if after.clawed_back:
        yield f"           {after.clawed_back:,} of them clawed back"
