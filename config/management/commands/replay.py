import sys
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.demo.edition import Edition, Rule, weeks_until
from config.replay.lanes import LaneFailed, Lanes, Tally
from config.replay.over_http import HttpSender
from config.replay.preparation import Preparation
from config.replay.progress import ProgressBar
from config.replay.report import Totals, lines
from config.replay.selection import Selection, select
from config.replay.senders import Books, Sender, ServiceSender


class Command(BaseCommand):
    help = (
        "Send the purchases of 84.51° Complete Journey through checkout, or through the API of a running server. "
        "Founds the demo group in an empty database. What is there already is skipped: stop and start as you like."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rule", type=Rule, choices=list(Rule), help="A: whole baskets at one business; B: split by format"
        )
        parser.add_argument("--until", type=date.fromisoformat, help="shift the year by weeks, to end by this day")
        parser.add_argument("--households", type=int, default=0, metavar="N", help="only those of N households")
        parser.add_argument("--baskets", type=int, default=0, metavar="N", help="only the first N baskets")
        parser.add_argument("--workers", type=int, default=1, metavar="N", help="parallel processes")
        parser.add_argument("--shuffle", type=int, metavar="SEED", help="in an order of chance")
        parser.add_argument("--http", type=int, metavar="N", help="N parallel clients of a running server")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="of that server")
        parser.add_argument("--batch", type=int, default=1, metavar="N", help="N purchases in a request (500 at most)")
        parser.add_argument("--relaxed", action="store_true", help="don't wait for the disk at each commit")
        parser.add_argument("--refunds", action="store_true", help="refund one basket in fifty, three days later")
        parser.add_argument("--profile", default="", metavar="FILE", help="keep a cProfile of the first process")

    def handle(self, **options: Any) -> None:
        preparation = Preparation.make(self._wanted(options), sys.stderr)
        if options["until"] and preparation.edition.weeks != weeks_until(options["until"]):
            raise CommandError(f"This database holds the year that ends on {preparation.edition.last_day}.")
        selection = select(
            preparation.journey,
            preparation.edition,
            households=options["households"],
            baskets=options["baskets"],
            refunds_until=timezone.now() if options["refunds"] else None,
        )
        if options["shuffle"] is not None:
            selection = selection.shuffled(options["shuffle"])
        self._send(selection, preparation.books(selection), options)

    def _wanted(self, options: dict[str, Any]) -> Edition:
        standing = Edition.standing()
        weeks = weeks_until(options["until"]) if options["until"] else 0
        return Edition(options["rule"] or (standing.rule if standing else Rule.B), weeks)

    def _send(self, selection: Selection, books: Books, options: dict[str, Any]) -> None:
        make_sender: Callable[[], Sender] = partial(ServiceSender, books)
        if options["http"]:
            make_sender = partial(HttpSender, books, options["url"])
        lanes = selection.lanes(options["http"] or options["workers"], by_household=options["shuffle"] is None)
        before, sent = Totals.of(books.channel), Tally()
        bar = ProgressBar("Purchases", selection.purchases, sys.stderr)

        def report(step: Tally) -> None:
            sent.add(step)
            bar.advance(step.purchases + step.skipped)

        try:
            sending = Lanes(make_sender, options["batch"], options["relaxed"], options["profile"])
            sending.send(selection, lanes, report)
        except LaneFailed as failure:
            raise CommandError(f"Not taken: {failure}") from failure
        except KeyboardInterrupt as stopped:
            raise CommandError("Stopped. The same command goes on from here.") from stopped
        seconds = bar.finish()
        for line in lines(sent, seconds, before, Totals.of(books.channel)):
            self.stdout.write(line)
