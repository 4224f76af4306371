"""Founding the group in an empty database: all of it in one transaction, or nothing."""

from django.core.management.base import CommandError
from django.db import transaction

from config.complete_journey import Journey
from config.demo import (
    approvals,
    benefits,
    books,
    care,
    channels,
    identity,
    marketing,
    operators,
    organisation,
    people,
    rules,
)
from config.demo.businesses import WHOLE_BASKETS
from config.demo.edition import Edition, Rule
from config.demo.keyring import Keyring
from members.models import Operator, OrgUnit

ZONES = {Rule.A: "America/New_York", Rule.B: "Asia/Shanghai"}


def standing_or_founded(wanted: Edition, keyring: Keyring) -> Edition:
    """The edition that stands here; the wanted one where nothing does. Raises CommandError where rules differ."""
    standing = Edition.standing()
    if standing is None:
        found(wanted, keyring)
        return wanted
    if standing.rule != wanted.rule:
        raise CommandError(
            f"This database holds the demo by rule {standing.rule}; rule {wanted.rule} needs an empty one: set "
            "DATABASE_URL to a fresh database, or stop everything and remove var/pg."
        )
    return standing


@transaction.atomic
def found(edition: Edition, keyring: Keyring) -> None:
    """Rule A founds only what its figures need: one business, one rule, no tiers and no caps."""
    organisation.found(edition, time_zone=ZONES[edition.rule])
    rules.lay_down(edition)
    edition.remember()
    if edition.rule == Rule.A:
        return
    benefits.found_tiers(edition)
    benefits.write_coupon_templates(edition)
    books.agree(edition)
    operators.appoint(keyring)
    approvals.demand()
    care.found_ticket_types()
    identity.found()
    marketing.define_tags(Operator.objects.get(username="admin"))


def staff(edition: Edition, keyring: Keyring) -> None:
    """Logins and keys; made again where var/ has lost them."""
    channels.open_replay_channel(keyring)
    channels.open_all(keyring)
    if edition.rule == Rule.B:
        operators.appoint(keyring)


def populate(journey: Journey, edition: Edition) -> int:
    """Enrol whoever is not there yet; returns how many members the households are."""
    business = OrgUnit.objects.get(code=WHOLE_BASKETS)
    members = people.by_household(journey, business=business)
    if len(members) < len(set(journey.household.tolist())):
        people.enrol(journey, edition, business=business, operator=operators.importer())
        members = people.by_household(journey, business=business)
    return len(members)
