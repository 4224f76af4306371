"""Prove settlement: every invariant in SQL, and the rebuild; offenders printed, exit 1 where there are any."""

import sys
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from loyalty.services.verify import SHOWN, violations
from settlement.services.facts import uncollected_charges, uncollected_entries
from settlement.services.rebuild import differences
from settlement.services.verify import INVARIANTS


class Command(BaseCommand):
    help = "Check every invariant of settlement; print what breaks it and exit 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="also draft every journal again and compare")

    def handle(self, *args: Any, rebuild: bool, **options: Any) -> None:
        broken = sum(self.show(invariant, violation) for invariant, violation in violations(INVARIANTS))
        if rebuild:
            broken += self.show_rebuild()
        entries, charges = uncollected_entries().count(), uncollected_charges().count()
        self.stdout.write(f"not collected yet: {entries} entries, {charges} charges")
        if broken:
            sys.exit(1)

    def show(self, invariant, violation) -> bool:
        if violation is None:
            self.stdout.write(self.style.SUCCESS(f"holds   {invariant.sentence}"))
            return False
        self.stdout.write(self.style.ERROR(f"BROKEN  {invariant.sentence}: {violation.count} rows"))
        for row in violation.rows:
            facts = zip(violation.columns, row, strict=True)
            self.stdout.write("        " + ", ".join(f"{column} {value}" for column, value in facts))
        return True

    def show_rebuild(self) -> bool:
        sentence = "Every journal is what the ledger and the agreements make it"
        journals = list(islice(differences(), SHOWN))
        if not journals:
            self.stdout.write(self.style.SUCCESS(f"holds   {sentence}"))
            return False
        self.stdout.write(self.style.ERROR(f"BROKEN  {sentence}: journals {', '.join(map(str, journals))} …"))
        return True
