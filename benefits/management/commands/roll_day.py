"""Roll the day by hand, or see beforehand what it would do: beat does the same each hour."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from benefits.services import day_roll


class Command(BaseCommand):
    help = "Activate what was pending, review tiers, expire what is due; with --dry-run only say what would happen."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change nothing")
        parser.add_argument("--at", help="as of that moment: 2026-12-01T00:00+08:00 (default: now)")

    def handle(self, *args: Any, dry_run: bool, at: str | None, **options: Any) -> None:
        now = _moment(at) if at else timezone.now()
        done = day_roll.preview(now) if dry_run else day_roll.roll(now)
        for what, result in done.items():
            self.stdout.write(f"{what.replace('_', ' ')}: {result}")


def _moment(written: str) -> datetime:
    moment = parse_datetime(written)
    if moment is None or timezone.is_naive(moment):
        raise CommandError(f"--at wants a moment with an offset, such as 2026-12-01T00:00+08:00, not {written!r}")
    return moment
