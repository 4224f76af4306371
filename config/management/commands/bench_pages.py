"""Ask for the pages that must stay quick in a group of any size, and look at how the database answers them."""

import statistics
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management.base import BaseCommand, CommandError
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse

from config.scale import plans
from members.models import Channel, Identity, Member, Operator, OrgUnit
from members.services.channels import make_key

ROUNDS = 5
PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"


@dataclass(frozen=True)
class Page:
    name: str
    get: Callable[[], Any]


class Command(BaseCommand):
    help = "Queries, plans and times of the pages over many members; fails where a big table is read whole."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--most", type=int, default=60, help="queries that a page may ask")

    # Pages name their style sheets, which need not have been collected for this.
    @override_settings(STORAGES=settings.STORAGES | {"staticfiles": {"BACKEND": PLAIN}})
    def handle(self, *args: Any, most: int, **options: Any) -> None:
        if Member.objects.order_by().first() is None:
            raise CommandError("There is nobody here: run seed_scale first.")
        failures = []
        self.stdout.write(f"{'page':44} {'queries':>7} {'ms':>7}  read whole")
        for page in pages():
            page.get()  # what a process asks once, it has asked
            statements = plans.asked_by(page.get)
            scans = plans.scans_of(statements)
            took = statistics.median(_seconds(page.get) for _ in range(ROUNDS)) * 1000
            self.stdout.write(
                f"{page.name:44} {len(statements):7} {took:7.1f}  {', '.join(sorted({scan.table for scan in scans}))}"
            )
            failures += [f"{page.name}: {scan.table}: {scan.statement[:2000]}" for scan in scans]
            if len(statements) > most:
                failures.append(f"{page.name}: {len(statements)} queries")
        if failures:
            raise CommandError("\n\n".join(failures))


def _seconds(get: Callable[[], Any]) -> float:
    began = time.perf_counter()
    get()
    return time.perf_counter() - began


def pages() -> Iterator[Page]:
    """Each page as headquarters, as a business, and as a store."""
    member = Member.objects.order_by("pk")[500]
    phone = member.identities.get(kind=Identity.Kind.PHONE).value
    store = member.registered_store
    for who, node in (("group", OrgUnit.objects.get(depth=1)), ("business", store.business), ("store", store)):
        yield from _back_office(who, _operator(who, node), member, phone)
    yield from _api(store.business, member, phone)


def _back_office(who: str, client: Client, member: Member, phone: str) -> Iterator[Page]:
    def page(name: str, view: str, *args: Any, **query: Any) -> Page:
        return Page(f"{who}: {name}", lambda: _answered(client.get(reverse(f"admin:{view}", args=args), query)))

    members = "members_member_changelist"
    yield page("member list", members)
    yield page("member list, page 100", members, p=100)
    yield page("frozen members", members, status__exact="frozen")
    for what, term in (
        ("phone", phone),
        ("number", member.member_no),
        ("name", member.name),
        ("last four", phone[-4:]),
    ):
        yield page(f"members by {what}", members, q=term)
    yield page("member 360", "members_member_360", member.pk)
    for panel in ("purchases", "transactions", "lots", "coupons", "tiers", "tags", "events", "cards", "reminders"):
        yield page(f"member 360: {panel}", "members_member_panel", member.pk, panel)
    desk = reverse("admin:members_desk")
    yield page("desk", "members_desk")
    yield Page(f"{who}: desk look-up", lambda: _answered(client.post(desk, {"q": phone}, follow=True)))
    yield page("to do", "members_todo")
    yield page("purchases", "loyalty_purchase_changelist")
    yield page("purchases of a member", "loyalty_purchase_changelist", q=member.member_no)
    yield page("transactions", "loyalty_transaction_changelist")
    yield page("events", "members_event_changelist")


def _api(business: OrgUnit, member: Member, phone: str) -> Iterator[Page]:
    channel, _ = Channel.objects.get_or_create(code="bench", defaults={"name": "bench", "org_unit": business})
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {make_key(channel).bearer}"}
    client = Client(HTTP_HOST="localhost")

    def asked(name: str, path: str, **query: Any) -> Page:
        return Page(f"API: {name}", lambda: _answered(client.get(f"/api/v1/{path}", query, **bearer)))

    yield asked("members?phone=", "members", phone=phone)
    yield asked("members/{no}", f"members/{member.member_no}")
    yield asked("members/{no}/purchases", f"members/{member.member_no}/purchases")
    yield asked("members/{no}/transactions", f"members/{member.member_no}/transactions")


def _operator(name: str, node: OrgUnit) -> Client:
    operator, _ = Operator.objects.get_or_create(username=f"bench-{name}", org_unit=node, is_staff=True)
    operator.user_permissions.set(Permission.objects.all())
    client = Client(HTTP_HOST="localhost")
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _answered(response: Any) -> None:
    if response.status_code != 200:
        raise CommandError(f"{response.request['PATH_INFO']} answered {response.status_code}")
