"""The demo group, small: everything stands after it, adds up, and stays as it is when it is loaded again."""

import io
import os
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from benefits.models import Coupon, MemberTier
from config.complete_journey import load
from config.demo import logins, milestones, rules
from config.demo.channels import REPLAY
from config.demo.edition import Edition
from config.demo.keyring import Keyring
from config.management.commands import demo
from config.replay.selection import select
from loyalty.models import Award, Lot, Purchase, Transaction
from marketing.models import Campaign, MemberTag
from members.interfaces.approvals import approval_verbs
from members.models import Approval, ApprovalPolicy, Member, Operator, OrgUnit
from members.services.channels import key_of_bearer
from members.services.people import find
from settlement.models import AccountCode, Journal, Period, Posting, Statement
from tests.database import cloned_database

HOUSEHOLDS, VISITS = 1, 3


@pytest.fixture(scope="module")
def group(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[None]:
    """The demo of one household, loaded once."""
    keyring = tmp_path_factory.mktemp("var") / "demo.json"
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr(Keyring.__init__, "__defaults__", (keyring,))
        for name, value in {"SAMPLE": HOUSEHOLDS, "VISITS": VISITS, "WORKERS": 1}.items():
            patch.setattr(demo, name, value)
        with cloned_database(os.getpid(), "demo"):
            load_demo()
            yield
            connection.close()


def load_demo() -> None:
    call_command("demo", "sample", stdout=io.StringIO())


def test_whoever_tries_it_may_enter(group):
    printed = "\n".join(logins.lines(Keyring()))
    for username in ("admin", "hotel", "store", "finance"):
        password = Keyring().get("password", username)
        assert f"{username:<8} {password}" in printed
        assert Operator.objects.get(username=username).check_password(password)
    phone = Keyring().get("phone", "member")
    assert phone in printed
    assert find("phone", phone) is not None


def test_logins_that_var_has_lost_are_made_again(group):
    Keyring().path.unlink()
    load_demo()
    assert Operator.objects.get(username="hotel").check_password(Keyring().get("password", "hotel"))
    assert key_of_bearer(Keyring().get("key", "hotel-app")).channel.org_unit.code == "HOTEL"


def test_a_group_of_businesses_with_stores_and_people(group):
    assert set(rules.MULTIPLIERS) <= set(OrgUnit.objects.businesses().values_list("code", flat=True))
    assert OrgUnit.objects.get(depth=1).name == "梧桐集团"
    assert Member.objects.count() == 2_469
    store = OrgUnit.objects.stores().filter(business__code="GROC").first()
    assert store.name.startswith("梧桐超市·")
    assert store.terminals.exists()


def test_the_year_ends_yesterday_or_a_few_days_before(group):
    edition = Edition.standing()
    age = timezone.now() - edition.ends
    assert timedelta(0) <= age < timedelta(days=8)


def test_the_purchases_earn_by_rule_b(group):
    chosen = select(load(), Edition.standing(), households=HOUSEHOLDS)
    receipts = chosen.receipts(chosen.positions)
    expected = sum(receipt.amount // 100 * rules.MULTIPLIERS.get(receipt.format, 0) for receipt in receipts)
    given = Award.objects.filter(purchase__channel__code=REPLAY).aggregate(n=Sum("given"))["n"]
    assert given == expected
    assert not Purchase.objects.filter(business__code="OTHER", awards__isnull=False).exists()


def test_the_ledger_is_clean(group):
    call_command("verify_ledger", stdout=io.StringIO())


def test_settlement_sums_to_nothing_and_holds_what_members_may_still_spend(group):
    assert Posting.objects.aggregate(n=Sum("amount"))["n"] == 0
    left = Lot.objects.filter(activated_at__isnull=False).aggregate(n=Sum(F("remaining") * F("unit_price")))["n"]
    owed = Posting.objects.filter(account=AccountCode.POINTS_LIABILITY).aggregate(n=Sum("amount"))["n"]
    assert left == -owed > Decimal(0)
    assert Period.objects.exclude(state=Period.State.OPEN).count() >= 10
    assert Statement.objects.filter(book__role="fund").exists()


def test_points_are_spent_and_given_back_at_the_neighbours(group):
    kinds = set(Transaction.objects.values_list("kind", flat=True))
    assert {"earn", "burn", "claw_back"} <= kinds
    assert Coupon.objects.filter(state=Coupon.State.REDEEMED).exists()
    assert Journal.objects.filter(charge__isnull=False).exists()


def test_members_have_tiers_tags_and_a_campaign(group):
    assert MemberTier.objects.open().count() == 2_469
    assert MemberTag.objects.filter(tag__code="sleeping").exists()
    assert Campaign.objects.get().state == Campaign.State.DONE


def test_what_is_large_waits_for_a_second_person_and_the_demo_itself_is_not(group):
    thresholds = dict(ApprovalPolicy.objects.filter(org_unit__depth=1).values_list("verb", "threshold"))
    assert thresholds == {"loyalty.adjust": 10_000, "members.import": 5_000}
    assert set(thresholds) <= {verb.name for verb in approval_verbs}
    assert not Approval.objects.exists()


def test_loading_it_again_changes_nothing(group):
    def standing() -> tuple[int, ...]:
        return tuple(
            model.objects.count() for model in (OrgUnit, Member, Purchase, Transaction, Journal, Campaign, Operator)
        )

    before = standing()
    milestones.reached("sample").delete()  # as if it had been killed just before the end
    load_demo()
    assert standing() == before
