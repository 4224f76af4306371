"""A member's own points: sums, history with running balance, choice by month and business, the next rows."""

from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.urls import reverse

from loyalty.views import PAGE
from members.models import Member
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.member_session import enter
from tests.points import give_points, in_days, spend_points

URL = reverse("points:history")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def member(client: Client, cast: Cast) -> Member:
    """A member, signed in with `client`."""
    member = MemberFactory()
    enter(client, member)
    return member


def seen(page) -> list[tuple[str, int, int]]:
    """(kind, change in the spendable, balance after) of each row."""
    return [(row.kind, row.active, row.balance_after) for row in page.context["rows"]]


def test_history_runs_backwards_with_the_balance_after_each(client: Client, member: Member, cast: Cast) -> None:
    give_points(member, 500, cast.mall)
    spend_points(member, 120, cast.hotel)
    give_points(member, 30, cast.cvs)
    page = client.get(URL)
    assert seen(page) == [("earn", 30, 410), ("burn", -120, 380), ("earn", 500, 500)]
    assert "−120" in page.content.decode()


def test_pending_points_are_shown_and_not_counted(client: Client, member: Member, cast: Cast) -> None:
    give_points(member, 500, cast.mall)
    give_points(member, 80, cast.mall, available_at=in_days(7))
    page = client.get(URL)
    standing = page.context["standing"]
    assert (standing.balance, standing.pending) == (500, 80)
    newest = page.context["rows"][0]
    assert (newest.active, newest.pending, newest.balance_after) == (0, 80, 500)


def test_the_next_expiry_is_announced(client: Client, member: Member, cast: Cast) -> None:
    soon = in_days(20)
    give_points(member, 70, cast.mall, expires_at=soon)
    give_points(member, 30, cast.hotel, expires_at=soon)
    give_points(member, 900, cast.cvs, expires_at=in_days(400))
    spend_points(member, 10, cast.cvs)
    standing = client.get(URL).context["standing"]
    assert (standing.expiring, standing.expires_at) == (90, soon)
    assert "90 积分将于" in client.get(reverse("member:home")).content.decode()


def test_a_far_expiry_does_not_warn(client: Client, member: Member, cast: Cast) -> None:
    give_points(member, 900, cast.cvs, expires_at=in_days(400))
    assert "积分将于" not in client.get(reverse("member:home")).content.decode()


def test_a_business_can_be_chosen(client: Client, member: Member, cast: Cast) -> None:
    give_points(member, 500, cast.mall)
    give_points(member, 30, cast.cvs)
    page = client.get(URL, {"business": cast.mall.pk}, headers=HTMX)
    assert seen(page) == [("earn", 500, 500)]
    assert "<html" not in page.content.decode()


def test_a_month_is_the_groups_local_month(client: Client, member: Member, cast: Cast) -> None:
    give_points(member, 1, cast.mall, at=datetime(2026, 1, 31, 15, 59, tzinfo=UTC))  # 23:59 in Shanghai
    give_points(member, 2, cast.mall, at=datetime(2026, 1, 31, 16, 0, tzinfo=UTC))  # midnight: February
    page = client.get(URL)
    assert [f"{month:%Y-%m}" for month in page.context["months"]] == ["2026-02", "2026-01"]
    assert seen(client.get(URL, {"month": "2026-01"})) == [("earn", 1, 1)]
    assert seen(client.get(URL, {"month": "2026-02"})) == [("earn", 2, 3)]


def test_more_rows_follow_without_gap_or_repetition(client: Client, member: Member, cast: Cast) -> None:
    for points in range(1, PAGE + 4):
        give_points(member, points, cast.mall)
    first = client.get(URL, {"business": cast.mall.pk})
    following = client.get(URL, parse_qs(first.context["more"]), headers=HTMX)
    changes = [row.active for page in (first, following) for row in page.context["rows"]]
    assert changes == list(range(PAGE + 3, 0, -1))
    assert following.context["more"] == ""


@pytest.mark.parametrize("query", ["month=2026-13", "month=x", "business=x", "before=-1", "before=9" + "9" * 30])
def test_a_choice_that_makes_no_sense_is_no_choice(client: Client, member: Member, cast: Cast, query: str) -> None:
    give_points(member, 500, cast.mall)
    assert len(client.get(f"{URL}?{query}").context["rows"]) == 1


def test_nobody_sees_the_points_of_another(client: Client, member: Member, cast: Cast) -> None:
    give_points(MemberFactory(), 500, cast.mall)
    page = client.get(URL)
    assert (seen(page), page.context["standing"].balance) == ([], 0)
    assert list(page.context["businesses"]) == []


def test_without_signing_in_there_is_nothing_to_see(client: Client, cast: Cast) -> None:
    assert client.get(URL).status_code == 302
