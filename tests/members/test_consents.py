"""The latest word that covers a question is the answer; withdrawing works at once, for one and for all."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members import criteria
from members.errors import ConsentOutdated, ConsentReceiverInvalid, TermsNotWithdrawable
from members.models import Consent, ConsentText, Event, Member, OrgUnit
from members.services import consents
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall, cast.hotel])


def give(member: Member, receiver: OrgUnit, medium: str = "any", purpose: str = "marketing", **said) -> dict:
    return consents.give(member, receiver=receiver, purpose=purpose, medium=medium, origin=own_origin("member"), **said)


def withdraw(member: Member, receiver: OrgUnit, medium: str = "any", purpose: str = "marketing") -> dict:
    return consents.withdraw(member, receiver=receiver, purpose=purpose, medium=medium, origin=own_origin("member"))


def may(member: Member, business: OrgUnit, medium: str = "sms", purpose: str = "marketing") -> bool:
    return consents.allows(member, business=business, purpose=purpose, medium=medium)


def test_nothing_is_allowed_before_it_is_given(cast: Cast, member: Member) -> None:
    assert not may(member, cast.mall)
    give(member, cast.mall, "sms")
    assert (may(member, cast.mall), may(member, cast.mall, "email"), may(member, cast.hotel)) == (True, False, False)
    assert not may(member, cast.mall, "sms", "profiling")


def test_all_ways_covers_each_and_the_group_each_business(cast: Cast, member: Member) -> None:
    give(member, cast.group)
    assert [may(member, business, medium) for business in (cast.mall, cast.hotel) for medium in ("sms", "phone")] == [
        True
    ] * 4


def test_one_business_and_one_way_can_be_taken_out(cast: Cast, member: Member) -> None:
    give(member, cast.group)
    withdraw(member, cast.mall)
    assert (may(member, cast.mall), may(member, cast.hotel)) == (False, True)
    withdraw(member, cast.hotel, "sms")
    assert (may(member, cast.hotel, "sms"), may(member, cast.hotel, "email")) == (False, True)
    give(member, cast.hotel, "sms")
    assert may(member, cast.hotel, "sms")


def test_withdrawing_from_the_group_takes_it_from_all(cast: Cast, member: Member) -> None:
    give(member, cast.mall)
    give(member, cast.hotel, "sms")
    assert withdraw(member, cast.group)["ended"] == 2
    assert not may(member, cast.mall)
    assert not may(member, cast.hotel)
    assert not Consent.objects.in_force().exists()
    give(member, cast.hotel)
    assert (may(member, cast.mall), may(member, cast.hotel)) == (False, True)


def test_another_version_takes_the_place_and_both_stay_as_evidence(cast: Cast, member: Member) -> None:
    first = give(member, cast.mall, version="1", evidence={"page": "app"})
    assert give(member, cast.mall, version="1")["id"] == first["id"]
    give(member, cast.mall, version="2")
    rows = [(row.version, row.withdrawn_at is None, row.evidence) for row in Consent.objects.order_by("pk")]
    assert rows == [("1", False, {"page": "app"}), ("2", True, {})]
    assert may(member, cast.mall)


def test_the_text_in_force_gives_the_version(cast: Cast, member: Member) -> None:
    now = timezone.now()
    for receiver, version, days in ((cast.group, "G-1", -2), (cast.mall, "M-1", -2), (cast.mall, "M-2", 2)):
        ConsentText.objects.create(
            receiver=receiver, purpose="marketing", version=version, text="…", starts_at=now + timedelta(days=days)
        )
    assert give(member, cast.mall)["version"] == "M-1"
    assert give(member, cast.hotel)["version"] == "G-1"
    assert give(member, cast.hotel, purpose="profiling")["version"] == "2026-01"


def test_a_late_consent_does_not_undo_a_withdrawal(cast: Cast, member: Member) -> None:
    give(member, cast.mall)
    withdraw(member, cast.mall)
    before = Consent.objects.count(), Event.objects.count()
    late = replace(own_origin("member"), at=timezone.now() - timedelta(hours=1))
    with pytest.raises(ConsentOutdated):
        consents.give(member, receiver=cast.mall, purpose="marketing", origin=late)
    assert (Consent.objects.count(), Event.objects.count()) == before
    assert not may(member, cast.mall)


def test_terms_stay_and_stores_receive_nothing(cast: Cast, member: Member) -> None:
    give(member, cast.group, purpose="terms")
    with pytest.raises(TermsNotWithdrawable):
        withdraw(member, cast.group, purpose="terms")
    with pytest.raises(ConsentReceiverInvalid):
        give(member, cast.mall_1)
    assert Consent.objects.in_force().get().purpose == "terms"


def test_sharing_goes_on_until_it_is_taken_back(cast: Cast, member: Member) -> None:
    def shared(business: OrgUnit) -> bool:
        return Member.objects.filter(consents.shared_with(business), pk=member.pk).exists()

    assert shared(cast.mall)
    withdraw(member, cast.mall, purpose="sharing")
    assert (shared(cast.mall), shared(cast.hotel)) == (False, True)
    give(member, cast.mall, purpose="sharing")
    assert shared(cast.mall)
    withdraw(member, cast.group, purpose="sharing")
    assert (shared(cast.mall), shared(cast.hotel)) == (False, False)


def test_segments_ask_in_one_query_and_see_a_withdrawal_at_once(
    cast: Cast, member: Member, django_assert_num_queries
) -> None:
    other = MemberFactory(businesses=[cast.mall])
    give(member, cast.mall, "sms")
    give(other, cast.group)
    rule = {"consent": "marketing", "business": "MALL", "medium": "sms"}
    criteria.validate(rule)

    def found(tree: dict) -> set[Member]:
        return set(Member.objects.filter(criteria.compile(tree, as_of=timezone.now())))

    assert found(rule) == {member, other}
    withdraw(other, cast.mall, "sms")
    assert found(rule) == {member}
    assert found({**rule, "not": True}) == {other}
    assert found({"consent": "marketing"}) == {other}
    assert found({"consent": "marketing", "medium": "sms"}) == {member, other}
    with django_assert_num_queries(1):
        list(Member.objects.filter(consents.allowing(cast.mall, "marketing", "sms")))


def test_what_a_rule_says_is_checked_and_described(cast: Cast) -> None:
    assert criteria.describe({"consent": "marketing", "business": "MALL", "medium": "sms"}) == (
        "已同意 营销信息·短信（梧桐广场）"
    )
    with pytest.raises(criteria.InvalidRule):
        criteria.validate({"consent": "marketing", "business": "NOWHERE"})
    with pytest.raises(criteria.InvalidRule):
        criteria.validate({"consent": "anything"})


# Statements in any order, against the rule in one sentence: the latest one that covers the question.

RECEIVERS, MEDIA = ("group", "mall", "hotel"), ("any", "sms", "email")
STATEMENTS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(RECEIVERS), st.sampled_from(MEDIA)), min_size=4, max_size=10
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(statements=STATEMENTS)
def test_the_latest_word_that_covers_the_question_is_the_answer(cast: Cast, statements: list[tuple]) -> None:
    member, start = MemberFactory(), timezone.now() - timedelta(days=1)
    for minute, (is_given, receiver, medium) in enumerate(statements):
        at = start + timedelta(minutes=minute)
        origin = replace(own_origin("member"), at=at, posted_at=at)
        verb = consents.give if is_given else consents.withdraw
        verb(member, receiver=getattr(cast, receiver), purpose="marketing", medium=medium, origin=origin)

    def latest(business: str, medium: str) -> bool:
        covering = [word for word, who, way in statements if who in ("group", business) and way in ("any", medium)]
        return bool(covering) and covering[-1]

    questions = [(business, medium) for business in ("mall", "hotel") for medium in ("sms", "email")]
    answers = {question: may(member, getattr(cast, question[0]), question[1]) for question in questions}
    assert answers == {question: latest(*question) for question in questions}
