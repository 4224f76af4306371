"""Fill a database until it is as large as a real group's: see docs/scale.md."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction
from django.db.models import F

from config.scale.population import add_members
from config.scale.purchases import add_points, add_purchases, without_foreign_key_checks, without_indexes
from members.models import OrgUnit, Request
from members.services import organisation
from members.services.organisation import own_channel

BUSINESSES = 12
REGIONS = 5  # of each business
TABLES = ("members_member", "members_identity", "members_membership", "loyalty_lot", "loyalty_transaction")


class Command(BaseCommand):
    help = "Load members, purchases and org nodes in bulk, for benchmarks. Needs an empty database of its own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--members", type=int, default=1_000_000)
        parser.add_argument("--purchases", type=int, default=10_000_000)
        parser.add_argument("--nodes", type=int, default=1_000)

    def handle(self, *args: Any, members: int, purchases: int, nodes: int, **options: Any) -> None:
        if OrgUnit.objects.exists():
            raise CommandError("This database is in use: seed_scale fills one that has only been migrated.")
        self.began = time.monotonic()
        stores, businesses = _found(nodes)
        self._tell(f"{OrgUnit.objects.count():,} org nodes")
        try:
            self._fill(members, purchases, stores, businesses)
        except ProgrammingError as error:
            raise CommandError(f"{error}: seed_scale needs a database user who may do everything.") from error

    def _fill(self, members: int, purchases: int, stores: list[tuple[int, int]], businesses: list[int]) -> None:
        channel = own_channel("import")
        request = Request.objects.create(channel=channel, reference="seed-scale", verb="seed_scale", answer={})
        with without_foreign_key_checks():
            with without_indexes(*TABLES):
                first = add_members(members, stores, businesses, lambda done: self._tell(f"{done:,} members"))
                add_points(first, channel, request)
                self._tell("memberships, and points for everybody")
            self._tell("their indexes")
            with without_indexes("loyalty_purchase"):
                for done in add_purchases(purchases, members, first, channel, request):
                    self._tell(f"{done:,} purchases")
            self._tell("their indexes")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self._tell("statistics: done")

    def _tell(self, what: str) -> None:
        self.stdout.write(f"{time.monotonic() - self.began:6.0f} s  {what}")


@transaction.atomic
def _found(nodes: int) -> tuple[list[tuple[int, int]], list[int]]:
    """A group with so many nodes. Returns (store, business) of every store, and the businesses."""
    top = organisation.add_group("SCALE", "规模集团")
    businesses = [organisation.add_business(top, f"B{n:02d}", f"业态{n}") for n in range(1, BUSINESSES + 1)]
    regions = [
        organisation.add_region(business, f"{business.code}-R{n}", f"{business.name}{n}区")
        for business in businesses
        for n in range(1, REGIONS + 1)
    ]
    for number in range(nodes - 1 - len(businesses) - len(regions)):
        region = regions[number % len(regions)]
        organisation.add_store(region, f"{region.code}-S{number:04d}", f"门店{number}")
    stores = OrgUnit.objects.stores().annotate(its_business=F("business_id"))
    return list(stores.values_list("pk", "its_business")), [business.pk for business in businesses]
