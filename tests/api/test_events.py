"""The feed: what happened within a channel's reach, in order, to be read on from where one stopped."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from members.api.views import events as views


@pytest.fixture(autouse=True)
def _without_delay(monkeypatch):
    monkeypatch.setattr(views, "FEED_DELAY", timedelta())


def test_a_reader_goes_on_from_where_he_stopped(app, cast, shop, member):
    mall = app(cast.mall_app)
    for quantity in (1, 2, 3):
        mall.post("points/earns", {"member": member.member_no, "quantity": quantity}, key=f"r-{quantity}")
    first = mall.get("events", {"type": "points.earned", "page_size": 2}).json()
    assert [event["reference"] for event in first["results"]] == ["r-1", "r-2"]
    rest = mall.get("events", {"type": "points.earned", "cursor": first["cursor"]}).json()
    assert [event["data"]["quantity"] for event in rest["results"]] == [3]
    nothing = mall.get("events", {"type": "points.earned", "cursor": rest["cursor"]}).json()
    assert nothing == {"results": [], "cursor": rest["cursor"], "next": None}
    mall.post("points/earns", {"member": member.member_no, "quantity": 4}, key="r-4")
    news = mall.get("events", {"type": "points.earned", "cursor": nothing["cursor"]}).json()
    assert [event["reference"] for event in news["results"]] == ["r-4"]


def test_each_business_hears_of_its_own(app, cast, shop, member):
    app(cast.mall_app).post("points/earns", {"member": member.member_no, "quantity": 1, "store": "MALL-2"})
    [event] = app(cast.mall_app).get("events").json()["results"]
    assert (event["business"], event["store"], event["channel"]) == ("MALL", "MALL-2", "mall-app")
    assert app(cast.hotel_app).get("events").json()["results"] == []
    assert len(app(cast.group_app).get("events").json()["results"]) == 1


def test_no_personal_data_leaves_by_the_feed(app, cast, member):
    identities = [{"kind": "phone", "value": "13911112222"}]
    app(cast.mall_app).post("members", {"identities": identities, "name": "李时珍"})
    feed = json.dumps(app(cast.mall_app).get("events").json(), ensure_ascii=False)
    assert "member.enrolled" in feed
    assert "李时珍" not in feed
    assert "13911112222" not in feed


def test_the_last_half_minute_may_not_be_complete(app, cast, shop, member, monkeypatch):
    monkeypatch.setattr(views, "FEED_DELAY", timedelta(seconds=30))
    app(cast.mall_app).post("points/earns", {"member": member.member_no, "quantity": 1})
    assert app(cast.mall_app).get("events").json()["results"] == []
    later = timezone.now() + timedelta(seconds=31)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert len(app(cast.mall_app).get("events").json()["results"]) == 1
