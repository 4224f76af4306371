"""The pages over members ask as many queries for thirty members as for three, and few."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.scale import plans
from loyalty.services import points
from members.interfaces.big_lists import COUNTED, AtLeast, CappedPaginator
from members.models import Member
from members.services import searching
from members.services.memory import Memory
from members.services.organisation import own_origin
from tests.benefits.shop import Shop
from tests.cast import Cast
from tests.factories import IdentityFactory, MemberFactory

MOST = 40  # queries of one page


@pytest.fixture(autouse=True)
def nothing_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers for seconds it remembers for the whole test, on a slow machine too."""
    monkeypatch.setattr("members.services.memory.time", SimpleNamespace(monotonic=lambda: 0.0))


@pytest.fixture
def more(cast: Cast) -> Callable[[int], list[Member]]:
    """So many more members of the mall, all of one name and one last four digits, each with points and a purchase."""
    shop = Shop(cast)

    def more(count: int) -> list[Member]:
        members = []
        for _ in range(count):
            number = Member.objects.count()
            member = MemberFactory(businesses=[cast.mall], phone=f"+86138{number:04d}8000")
            points.earn(member, 100, issuer=cast.mall, origin=own_origin("admin", business=cast.mall))
            shop.member = member
            shop.buy(10_000)
            members.append(member)
        return members

    return more


PAGES = {
    "list": lambda member: (reverse("admin:members_member_changelist"), {}),
    "name": lambda member: (reverse("admin:members_member_changelist"), {"q": member.name}),
    "phone": lambda member: (reverse("admin:members_member_changelist"), {"q": "13800008000"}),
    "number": lambda member: (reverse("admin:members_member_changelist"), {"q": member.member_no}),
    "last four": lambda member: (reverse("admin:members_member_changelist"), {"q": "8000"}),
    "360": lambda member: (reverse("admin:members_member_360", args=[member.pk]), {}),
    "desk": lambda member: (reverse("admin:members_desk"), {}),
    "purchases": lambda member: (reverse("admin:loyalty_purchase_changelist"), {}),
}


def queries_of(client: Client, page: str, member: Member) -> list[str]:
    path, query = PAGES[page](member)
    client.get(path, query)  # what a process asks once, it has asked
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path, query).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_no_more_for_more_members(cast, more, client, page):
    client.force_login(cast.sees_mall)
    [member, *_] = more(3)
    few = queries_of(client, page, member)
    more(10)
    many = queries_of(client, page, member)
    assert len(many) == len(few), [one for one in many if one not in few]
    assert len(few) <= MOST


def test_the_desk_finds_a_caller_in_one_step(cast, more, client):
    client.force_login(cast.sees_mall)
    [member, *_] = more(3)
    phone = member.identities.get().value
    with CaptureQueriesContext(connection) as captured:
        page = client.post(reverse("admin:members_desk"), {"q": phone}, follow=True)
    assert member.member_no in page.content.decode()
    assert len(captured) <= MOST + 10  # two requests: the look-up and the page


def test_the_api_finds_a_person_in_a_handful(cast, more, client):
    [member, *_] = more(3)
    IdentityFactory(member=member, kind="email", value="a@example.com")
    Memory.forget_all()
    query = {"phone": member.identities.get(kind="phone").value}
    client.get("/api/v1/members", query, **cast.bearer(cast.mall_app))
    with CaptureQueriesContext(connection) as captured:
        found = client.get("/api/v1/members", query, **cast.bearer(cast.mall_app))
    assert found.json()["results"][0]["member_no"] == member.member_no
    assert len(captured) <= 8


def test_searching_finds_each_way_and_only_what_is_in_sight(cast, more):
    [member, *_] = members = more(2)
    stranger = MemberFactory(businesses=[cast.hotel], phone="+8613911118000")
    card = IdentityFactory(member=member, kind="card", value="60001234")
    everybody = sorted(one.pk for one in members)
    for term, found in {
        member.member_no: [member.pk],
        "张三": sorted(cast.mall.memberships.values_list("member", flat=True)),  # with the shop's own first customer
        "8000": everybody,
        member.identities.get(kind="phone").value.removeprefix("+86"): [member.pk],
        card.value: [member.pk],
        "李四": [],
        "": [],
        stranger.member_no: [],
    }.items():
        assert searching.keys_of(term, actor=cast.sees_mall) == found, term
    assert stranger.pk in searching.keys_of("8000", actor=cast.sees_all)
    assert searching.keys_of("8000", actor=cast.sees_nothing) == []


def test_counting_stops(cast, monkeypatch):
    monkeypatch.setattr("members.interfaces.big_lists.COUNTED", 3)
    MemberFactory.create_batch(2)
    assert CappedPaginator(Member.objects.all(), 50).count == 2
    MemberFactory.create_batch(2)
    many = CappedPaginator(Member.objects.all(), 2)
    assert (many.count, str(many.count), many.num_pages) == (3, "3+", 2)
    assert str(AtLeast(COUNTED)) == "10,000+"


def test_a_plan_that_reads_everything_is_seen(cast, more, monkeypatch):
    more(3)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members_member")
    monkeypatch.setattr(plans, "BIG", 2)
    whole = plans.asked_by(lambda: list(Member.objects.filter(source="never")))
    assert [scan.table for scan in plans.scans_of(whole)] == ["members_member"]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    by_key = plans.asked_by(lambda: list(Member.objects.filter(pk=1)))
    assert plans.scans_of(by_key) == []
