import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from benefits.services import day_roll
from config.demo import books, founding, marketing, milestones
from config.demo.care import Care
from config.demo.edition import Edition, Rule, weeks_until
from config.demo.identity import People
from config.demo.keyring import Keyring
from config.demo.stories import Stories
from config.replay.lanes import LaneFailed, Lanes, Tally
from config.replay.preparation import Preparation
from config.replay.progress import ProgressBar
from config.replay.selection import EXAMPLES, Selection, sample, select
from config.replay.senders import Books, ServiceSender
from members.models import Identity, Operator

SAMPLE = 36  # households whose purchases are replayed in about a minute on two cores
VISITS = 6  # a month, at the businesses that the data does not know
WORKERS = min(os.cpu_count() or 1, 4)
MORNING = timedelta(hours=8)


class Command(BaseCommand):
    help = (
        "Load the demo group: organisation, members, rules, and purchases of 84.51° Complete Journey. "
        "What stands already stays; a second run does nothing twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("size", nargs="?", choices=["sample", "full", "none"], default="sample")

    def handle(self, *, size: str, **options: Any) -> None:
        if size == "none":
            return
        standing = Edition.standing()
        if standing and milestones.reached(size):
            founding.staff(standing, Keyring())
            return
        now = timezone.now()
        preparation = Preparation.make(Edition(Rule.B, weeks_until(now.date() - timedelta(days=1))), sys.stdout)
        selection = self._selection(preparation, size, now)
        matched = preparation.books(selection)
        self._keep_a_phone(preparation, matched)
        self._replay(selection, matched, now)
        self._wake_up(matched, now)
        milestones.mark(size, "演示消费重放", purchases=selection.purchases)

    def _selection(self, preparation: Preparation, size: str, now: datetime) -> Selection:
        households = SAMPLE if size == "sample" else 0
        return select(preparation.journey, preparation.edition, households=households, refunds_until=now)

    def _keep_a_phone(self, preparation: Preparation, matched: Books) -> None:
        """A member to sign in as: household 900 of the data, who buys a lot."""
        phone = Identity.objects.get(member=matched.members[EXAMPLES[1]], kind=Identity.Kind.PHONE)
        preparation.keyring.keep("phone", "member", phone.value.removeprefix("+86"))

    def _replay(self, selection: Selection, matched: Books, now: datetime) -> None:
        """Month by month, each with its visits after it, so that every balance is that of its day."""
        stories = Stories(matched.members, sample(selection.journey, SAMPLE), now=now)
        bar = ProgressBar("Purchases", selection.purchases, sys.stdout)

        def report(step: Tally) -> None:
            bar.advance(step.purchases + step.skipped)

        lanes = Lanes(partial(ServiceSender, matched), relaxed=True)
        for part, morning in months(selection, now):
            try:
                lanes.send(part, part.lanes(WORKERS, by_household=True), report)
            except LaneFailed as failure:
                raise CommandError(f"Not taken: {failure}") from failure
            if morning:
                stories.tell(morning, visits=VISITS)
        bar.finish()

    def _wake_up(self, matched: Books, now: datetime) -> None:
        """What the clock and people would have done meanwhile."""
        admin = Operator.objects.get(username="admin")
        day_roll.roll(now)
        books.settle(admin, now=now)
        if milestones.reached("marketing"):
            return
        marketing.tag_by_hand([matched.members[household] for household in EXAMPLES], admin)
        marketing.compute_tags(at=now)
        marketing.run_campaign(admin, at=now)
        milestones.mark("marketing", "演示营销活动")
        Care(now=now).tell()
        People(now=now).tell()


def months(selection: Selection, now: datetime) -> Iterator[tuple[Selection, datetime | None]]:
    """The baskets before each first morning of a month, with that morning; then the rest."""
    edition, positions = selection.edition, selection.positions
    done = 0
    for morning in mornings(edition, now):
        until = int(selection.journey.seconds[positions].searchsorted(edition.seconds_of(morning)))
        yield replace(selection, positions=positions[done:until]), morning
        done = until
    yield replace(selection, positions=positions[done:]), None


def mornings(edition: Edition, now: datetime) -> Iterator[datetime]:
    morning = (edition.begins + timedelta(days=31)).replace(day=1) + MORNING
    while morning < now:
        yield morning
        morning = (morning + timedelta(days=31)).replace(day=1)
