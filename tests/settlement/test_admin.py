"""The back office of settlement, through its pages: statements that open, periods that close, agreements that hold."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from members.models import Event, Operator
from members.services.organisation import own_origin
from settlement.models import IssueAgreement, Period, RedemptionAgreement, Statement
from settlement.services.periods import cut
from tests.benefits.shop import Shop
from tests.factories import MemberFactory
from tests.settlement.world import LONG_AGO, agree, book_of, fund


@pytest.fixture
def page(client):
    """`page(operator, "statement_change", key)`, with `data=` as a POST; redirects followed."""

    def ask(operator: Operator, name: str, *args, data: dict | None = None):
        client.force_login(operator)
        url = reverse(f"admin:settlement_{name}", args=args)
        return client.get(url) if data is None else client.post(url, data, follow=True)

    return ask


@pytest.fixture
def march(cast) -> Period:
    """The hotel has issued 1,000 points of ¥0.05; 500 of them paid ¥5.00 at the mall; a coupon of the group's too."""
    shop = Shop(cast)
    shop.member = MemberFactory(businesses=[cast.mall, cast.hotel])
    agree("A")
    shop.buy(100_000, store=cast.hotel_1)
    coupon = shop.coupon(shares=((cast.group, 50), (None, 50)))
    shop.buy(20_000, points=500, coupons=(coupon.code,))
    cut(_period_of(shop.at), origin=own_origin("clock"))
    return _period_of(shop.at)


def _period_of(at: datetime) -> Period:
    found = Period.objects.filter(starts_at__lte=at, ends_at__gt=at).first()
    return found or Period.objects.create(
        name="2026-03",
        starts_at=datetime(2026, 2, 28, 16, tzinfo=UTC),
        ends_at=datetime(2026, 3, 31, 16, tzinfo=UTC),
    )


def statement_of(book) -> Statement:
    return Statement.objects.get(book=book)


def _html(response) -> str:
    return response.content.decode()


def test_a_statement_is_told_in_yuan_and_every_number_opens(cast, page, client, march):
    statement = statement_of(book_of(cast.mall))
    response = page(cast.sees_mall, "statement_change", statement.pk)
    assert response.status_code == 200
    shown = [number for _, numbers in response.context["rows"] for number in numbers]
    shown += [response.context[name] for name in ("opening", "net", "closing")]
    assert statement.closing == response.context["closing"].fen != 0
    for number in filter(lambda number: number.fen, shown):
        listed = client.get(number.url).context["cl"]
        assert listed.result_count > 0
        exact = sum((posting.amount for posting in listed.queryset), Decimal(0))
        assert abs(exact - number.fen) <= 1


def test_the_sum_above_the_postings_is_the_number_that_led_there(cast, page, client, march):
    statement = statement_of(book_of(cast.mall))
    response = page(cast.sees_mall, "statement_change", statement.pk)
    assert "合计 ¥" in _html(client.get(response.context["net"].url))


def test_what_was_used_here_and_there_opens_to_who_may_look(cast, page, client, march):
    mall, hotel = statement_of(book_of(cast.mall)), statement_of(book_of(cast.hotel))
    of_hotel = dict(page(cast.sees_mall, "statement_change", mall.pk).context["counterparties"])["梧桐酒店"]
    assert of_hotel[0].fen == 500
    assert client.get(of_hotel[0].url).context["cl"].result_count == 1
    of_mall = dict(page(cast.sees_all, "statement_change", hotel.pk).context["counterparties"])["梧桐广场"]
    assert of_mall[1].fen == 500
    assert client.get(of_mall[1].url).context["cl"].result_count == 1


def test_one_sees_only_one_s_own_statements(cast, page, march):
    assert page(cast.sees_all, "statement_changelist").context["cl"].result_count == 4
    assert [row.book for row in page(cast.sees_mall, "statement_changelist").context["cl"].result_list] == [
        book_of(cast.mall)
    ]
    assert page(cast.sees_mall, "statement_change", statement_of(fund()).pk).status_code == 404
    assert page(cast.sees_nothing, "statement_changelist").context["cl"].result_count == 0


def test_a_journal_shows_only_one_s_own_postings(cast, page, march):
    burned = page(cast.sees_mall, "journal_changelist").context["cl"].queryset.get(event="burn")

    def books(operator: Operator) -> set:
        (postings,) = page(operator, "journal_change", burned.pk).context["inline_admin_formsets"]
        return {form.instance.book for form in postings.formset.initial_forms}

    assert books(cast.sees_mall) == {book_of(cast.mall)}
    assert books(cast.sees_all) == {book_of(cast.mall), fund()}


def test_a_period_is_cut_and_locked_by_headquarters_alone(cast, page, march):
    data = {"_form_submitted": "true"}
    for verb in ("cut", "lock"):
        assert page(cast.sees_mall, f"period_{verb}", march.pk, data=data).status_code == 403
    assert "不能撤销" in _html(page(cast.sees_all, "period_lock", march.pk))
    assert Period.objects.get(pk=march.pk).state == "open"
    page(cast.sees_all, "period_cut", march.pk, data=data)
    page(cast.sees_all, "period_lock", march.pk, data=data)
    assert Period.objects.get(pk=march.pk).state == "locked"
    assert Event.objects.get(type="settlement.period_locked").operator == cast.sees_all
    assert "锁定账期" not in _html(page(cast.sees_all, "period_change", march.pk))
    page(cast.sees_all, "period_lock", march.pk, data=data)  # from a list that was opened before
    assert "该账期已经截止" in _html(page(cast.sees_all, "period_change", march.pk))


def test_a_period_that_runs_on_can_t_be_locked(cast, page):
    now = timezone.now()
    period = Period.objects.create(name="now", starts_at=now - timedelta(1), ends_at=now + timedelta(1))
    page(cast.sees_all, "period_lock", period.pk, data={"_form_submitted": "true"})
    assert "账期尚未结束" in _html(page(cast.sees_all, "period_change", period.pk))
    assert Period.objects.get(pk=period.pk).state == "open"


def test_the_workbook_holds_one_s_own_books_and_is_logged(cast, page, march):
    response = page(cast.sees_mall, "period_export", march.pk)
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).worksheets[0]
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == ["梧桐广场"]
    assert Event.objects.get(type="settlement.exported").operator == cast.sees_mall


def agreement_data(**changes) -> dict:
    data = {"issuer": "", "model": "A", "breakage": "liable", "starts_at_0": "2026-01-01", "starts_at_1": "00:00:00"}
    return data | {"ends_at_0": "", "ends_at_1": "", "note": ""} | changes


def test_agreements_that_overlap_are_told(cast, page):
    page(cast.sees_all, "issueagreement_add", data=agreement_data())
    said = _html(page(cast.sees_all, "issueagreement_add", data=agreement_data(model="B", starts_at_0="2026-06-01")))
    assert "同一发行方的发行协议日期不能重叠" in said
    assert IssueAgreement.objects.count() == 1
    page(cast.sees_all, "issueagreement_add", data=agreement_data(issuer=cast.mall.pk))
    assert IssueAgreement.objects.count() == 2
    pair = agreement_data(redeemer=cast.cvs.pk, reimbursement="90")
    for _ in range(2):
        said = _html(page(cast.sees_all, "redemptionagreement_add", data=pair))
    assert "同一发行方与受理方的协议日期不能重叠" in said
    assert RedemptionAgreement.objects.count() == 1


@pytest.mark.parametrize("percent", ["-1", "101", "x"])
def test_a_reimbursement_that_is_no_percentage_is_told(cast, page, percent):
    data = agreement_data(redeemer="", reimbursement=percent)
    assert page(cast.sees_all, "redemptionagreement_add", data=data).context["adminform"].form.errors
    assert not RedemptionAgreement.objects.exists()


def test_an_agreement_in_use_may_only_end(cast, page, march):
    used = IssueAgreement.objects.get()
    ends = {"ends_at_0": "2026-05-01", "ends_at_1": "00:00:00", "note": "到期"}
    page(cast.sees_all, "issueagreement_change", used.pk, data=agreement_data(model="B", **ends))
    used.refresh_from_db()
    assert (used.model, used.starts_at, used.ends_at) == ("A", LONG_AGO, used.ends_at)
    assert used.note == "到期"
    too_soon = agreement_data(ends_at_0="2026-03-01", ends_at_1="00:00:00")
    assert "须晚于最近一次使用" in _html(page(cast.sees_all, "issueagreement_change", used.pk, data=too_soon))
    assert page(cast.sees_all, "issueagreement_delete", used.pk, data={"post": "yes"}).status_code == 403


def test_an_agreement_prolonged_into_the_next_is_told(cast, page, march):
    used = IssueAgreement.objects.get()
    IssueAgreement.objects.filter(pk=used.pk).update(ends_at=datetime(2026, 5, 1, tzinfo=UTC))
    agree("B", starts_at=datetime(2026, 5, 1, tzinfo=UTC))
    said = _html(page(cast.sees_all, "issueagreement_change", used.pk, data=agreement_data()))
    assert "日期不能重叠" in said


def test_a_business_sees_what_it_is_party_to_and_changes_nothing(cast, page):
    general, own, other = agree("A"), agree("B", cast.mall), agree("B", cast.hotel)
    listed = page(cast.sees_mall, "issueagreement_changelist").context["cl"].result_list
    assert {row.pk for row in listed} == {general.pk, own.pk}
    assert page(cast.sees_mall, "issueagreement_change", own.pk, data=agreement_data()).status_code == 403
    assert page(cast.sees_mall, "issueagreement_add").status_code == 403
    assert page(cast.sees_mall, "issueagreement_change", other.pk).status_code == 302
