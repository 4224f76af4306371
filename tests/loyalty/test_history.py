"""All purchases of one member on member 360: filtered, summed, by pages, within reach; and the same rows as a file."""

import io
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from python_calamine import load_workbook

from loyalty.models import Purchase
from members.models import Event, Member, Operator, RolePolicy
from members.models import Request as Claim
from members.services.organisation import own_channel
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall, cast.hotel])


@pytest.fixture
def bought(cast: Cast, member: Member):
    """`bought("n-1", 100_00, day=3)`: on that day of March 2026 at noon in Shanghai, at the first store of the mall."""

    def bought(number: str, amount: int, *, at: datetime | None = None, day: int = 1, store=None, **said) -> Purchase:
        channel, store = own_channel("desk"), store or cast.mall_1
        claim = Claim.objects.create(channel=channel, reference=uuid4().hex, verb="x", input_hash="", answer={})
        at = at or datetime(2026, 3, day, 4, tzinfo=UTC)
        said = {"list_amount": amount, "net_amount": amount, "posted_at": at, "member": member} | said
        return Purchase.objects.create(
            request=claim, business=store.business, store=store, channel=channel, external_number=number, at=at, **said
        )

    return bought


@pytest.fixture
def tab(client, member):
    def tab(operator: Operator, **query):
        client.force_login(operator)
        return client.get(reverse("admin:loyalty_history", args=[member.pk]), query)

    return tab


@pytest.fixture
def file(client, member):
    def file(operator: Operator, query: str = ""):
        client.force_login(operator)
        return client.post(reverse("admin:loyalty_history_export", args=[member.pk]) + query, follow=False)

    return file


def numbers(response) -> list[str]:
    return [purchase.external_number for purchase in response.context["page"]]


def cells(response) -> list[list]:
    return load_workbook(io.BytesIO(b"".join(response.streaming_content))).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["d", "c", "b", "a"]),
        ({"since": "2026-03-02"}, ["d", "c", "b"]),
        ({"until": "2026-03-03"}, ["c", "b", "a"]),
        ({"since": "2026-03-02", "until": "2026-03-02"}, ["b"]),
        ({"least": "20.00"}, ["d", "c", "b"]),
        ({"most": "20.00"}, ["b", "a"]),
        ({"least": "20.01", "most": "30"}, ["c"]),
        ({"refunded": "yes"}, ["c"]),
        ({"refunded": "no", "most": "20"}, ["b", "a"]),
        ({"business": "HOTEL"}, ["d"]),
        ({"store": "MALL-2"}, ["b"]),
        ({"since": "yesterday"}, []),
        ({"business": "CVS"}, []),
    ],
)
def test_it_is_narrowed_by_all_that_one_asks(cast, bought, tab, query, expected):
    bought("a", 10_00, day=1)
    bought("b", 20_00, day=2, store=cast.mall_2)
    bought("c", 30_00, day=3, refunded_amount=5_00)
    bought("d", 40_00, day=4, store=cast.hotel_1)
    places = {"HOTEL": cast.hotel, "CVS": cast.cvs, "MALL-2": cast.mall_2}
    query = {name: places[said].pk if said in places else said for name, said in query.items()}
    assert numbers(tab(cast.sees_all, **query)) == expected


def test_a_day_is_the_day_of_the_clock_on_the_page(cast, bought, tab):
    bought("before", 1_00, at=datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC))  # 23:59:59 in Shanghai
    bought("after", 1_00, at=datetime(2026, 3, 1, 16, 0, tzinfo=UTC))  # midnight
    assert numbers(tab(cast.sees_all, until="2026-03-01")) == ["before"]
    assert numbers(tab(cast.sees_all, since="2026-03-02")) == ["after"]


def test_the_sums_are_of_all_that_was_found_not_of_the_page(cast, bought, tab):
    for number in range(25):
        bought(f"n-{number:02}", 10_00, refunded_amount=1_00, points_used=100, points_amount=1_00)
    first, second = tab(cast.sees_all), tab(cast.sees_all, page="2")
    assert (len(numbers(first)), len(numbers(second))) == (20, 5)
    assert not set(numbers(first)) & set(numbers(second))
    sums = {"count": 25, "net": 250_00, "refunded": 25_00, "kept": 225_00, "points": 2_500}
    assert first.context["sums"] == second.context["sums"] == sums


def test_each_sees_what_happened_within_his_reach(cast, member, bought, tab):
    bought("at the mall", 10_00)
    bought("beside", 15_00, store=cast.mall_2)
    bought("at the hotel", 20_00, store=cast.hotel_1)
    clerk = OperatorFactory(org_unit=cast.mall_1)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_purchase"))
    assert numbers(tab(cast.sees_mall)) == ["beside", "at the mall"]
    assert numbers(tab(clerk)) == ["at the mall"]
    assert [unit.code for unit in tab(clerk).context["form"].fields["store"].queryset] == ["MALL-1"]
    assert tab(cast.sees_nothing).status_code == 404
    assert tab(OperatorFactory(org_unit=cast.mall)).status_code == 403


def test_the_tab_of_member_360_is_its_first_page(client, cast, member, bought):
    bought("n-1", 10_00)
    client.force_login(cast.sees_mall)
    page = client.get(reverse("admin:members_member_panel", args=[member.pk, "purchases"]))
    assert numbers(page) == ["n-1"]
    assert "¥10.00" in page.content.decode()


def test_the_file_has_what_was_found_and_is_recorded(cast, member, bought, file):
    bought("a", 10_00, day=1, refunded_amount=1_00)
    bought("=HYPERLINK(1)", 20_00, day=2, points_used=100, points_amount=1_00)
    bought("c", 30_00, day=3)
    header, *rows = cells(file(cast.sees_mall, "?until=2026-03-02"))
    assert header[:3] == ["会员号", "时间", "业态"]
    assert rows == [
        [member.member_no, "2026-03-02 12:00", "梧桐广场", "广场一店", "'=HYPERLINK(1)", "¥20.00", 100, "¥1.00",
         "¥0.00", "收银台"],
        [member.member_no, "2026-03-01 12:00", "梧桐广场", "广场一店", "a", "¥10.00", 0, "¥0.00", "¥1.00", "收银台"],
    ]  # fmt: skip
    event = Event.objects.get(type="list.exported")
    assert (event.operator, event.data["rows"], event.data["is_masked"]) == (cast.sees_mall, 2, True)
    assert event.data["filters"] == {"member": member.member_no, "until": "2026-03-02"}


def test_the_file_stays_within_reach_and_within_the_role(cast, member, bought, file):
    bought("a", 10_00)
    bought("hotel", 10_00, store=cast.hotel_1)
    assert [row[4] for row in cells(file(cast.sees_mall))[1:]] == ["a"]
    assert file(cast.sees_nothing).status_code == 404
    without = OperatorFactory(org_unit=cast.mall)
    without.user_permissions.set(Permission.objects.filter(codename="view_purchase"))
    assert file(without).status_code == 403
    assert Event.objects.filter(type="list.exported").count() == 1


def test_more_than_the_role_allows_is_not_exported(cast, member, bought, file):
    for number in ("a", "b"):
        bought(number, 10_00)
    group = cast.sees_mall.groups.create(name="小额")
    RolePolicy.objects.create(group=group, export_rows=1)
    refused = file(cast.sees_mall)
    assert refused["Location"] == reverse("admin:members_member_360", args=[member.pk])
    assert not Event.objects.filter(type="list.exported").exists()
    assert len(cells(file(cast.sees_mall, "?page=2&most=0"))) == 1  # nothing found is nothing over the limit


def test_its_queries_do_not_grow_with_the_history(client, cast, member, bought, tab, django_assert_max_num_queries):
    tab(cast.sees_all)
    for many in (5, 40):
        for number in range(many):
            bought(f"{many}-{number}", 10_00, store=(cast.mall_1, cast.hotel_1)[number % 2])
        with django_assert_max_num_queries(12):  # who asks and may he, the member, choices, sums, rows
            client.get(reverse("admin:loyalty_history", args=[member.pk]))
