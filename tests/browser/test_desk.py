"""The service desk in a real browser, by keyboard alone: a scanner types and presses Enter, and so do these."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from members.models import Call, Member
from tests.cast import Cast, build_cast
from tests.factories import MemberFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONES = ("13800138000", "13900139000")


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return build_cast()


@pytest.fixture
def at_the_desk(page: Page, live_server, cast: Cast, client) -> Page:
    client.force_login(cast.sees_mall)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(live_server.url + reverse("admin:members_desk"))
    return page


def scan(page: Page, written: str) -> None:
    expect(page.locator(".wt-find [name=q]")).to_be_focused()
    page.keyboard.type(written)
    page.keyboard.press("Enter")


def test_from_caller_to_caller_without_a_mouse(at_the_desk: Page, cast: Cast):
    first, second = (MemberFactory(businesses=[cast.mall], phone=f"+86{phone}") for phone in PHONES)
    scan(at_the_desk, PHONES[0])
    expect(at_the_desk.locator(".wt-number")).to_have_text(first.member_no)
    scan(at_the_desk, "2")
    expect(at_the_desk.locator(".wt-taken")).to_contain_text("优惠券")
    scan(at_the_desk, second.member_no)
    expect(at_the_desk.locator(".wt-number")).to_have_text(second.member_no)
    expect(at_the_desk.locator(".wt-taken")).to_have_count(0)
    width = at_the_desk.evaluate("document.documentElement.scrollWidth")
    assert width <= at_the_desk.viewport_size["width"]
    call = Call.objects.get()
    assert (call.member, call.reason, call.last_four) == (first, "优惠券", PHONES[0][-4:])
    assert Member.objects.count() == 2
