"""Prove the ledger: every invariant in SQL, offenders printed, exit 1 where there are any."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from loyalty.services.verify import violations


class Command(BaseCommand):
    help = "Check every invariant of the ledger; print what breaks it and exit 1."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for invariant, violation in violations():
            if violation is None:
                self.stdout.write(self.style.SUCCESS(f"holds   {invariant.sentence}"))
                continue
            broken += 1
            self.stdout.write(self.style.ERROR(f"BROKEN  {invariant.sentence}: {violation.count} rows"))
            for row in violation.rows:
                facts = zip(violation.columns, row, strict=True)
                self.stdout.write("        " + ", ".join(f"{column} {value}" for column, value in facts))
        if broken:
            sys.exit(1)
