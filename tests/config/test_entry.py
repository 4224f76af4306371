"""How long an operator stays logged in; a member in the same browser stays."""

from django.test import Client
from django.urls import reverse

from config import entry
from members import sessions
from tests.cast import Cast
from tests.factories import MemberFactory

INDEX = reverse("admin:index")
HOUR = 3600


def at(monkeypatch, seconds: float) -> None:
    monkeypatch.setattr(entry, "time", lambda: 1_000_000 + seconds)


def enters(client: Client, **headers: str) -> bool:
    return client.get(INDEX, headers=headers).status_code == 200


def test_who_is_away_for_an_hour_logs_in_again(cast: Cast, client: Client, monkeypatch):
    client.force_login(cast.sees_all)
    for minutes in (0, 59, 118):
        at(monkeypatch, minutes * 60)
        assert enters(client)
    at(monkeypatch, 179 * 60)
    answer = client.get(INDEX)
    assert answer.url == f"{reverse('admin:login')}?next=%2Fadmin%2F"
    assert not enters(client)


def test_a_page_that_asks_by_itself_keeps_nobody_logged_in(cast: Cast, client: Client, monkeypatch):
    client.force_login(cast.sees_all)
    for minutes in (0, 30, 60):
        at(monkeypatch, minutes * 60)
        assert enters(client, **({"HX-Request": "true"} if minutes else {}))
    at(monkeypatch, 61 * 60)
    assert not enters(client)


def test_nobody_stays_for_longer_than_a_working_day(cast: Cast, client: Client, monkeypatch):
    client.force_login(cast.sees_all)
    for half_hours in range(25):
        at(monkeypatch, half_hours * HOUR / 2)
        assert enters(client)
    at(monkeypatch, 12 * HOUR + 1)
    assert not enters(client)


def test_the_member_in_the_same_browser_stays(cast: Cast, client: Client, monkeypatch):
    member = MemberFactory(businesses=[cast.mall])
    client.force_login(cast.sees_all)
    at(monkeypatch, 0)
    client.get(INDEX)
    session = client.session
    session[sessions.MEMBER] = member.pk
    session.save()
    at(monkeypatch, 3 * HOUR)
    assert not enters(client)
    assert client.session[sessions.MEMBER] == member.pk
    assert client.get(reverse("member:home")).status_code == 200


def test_either_limit_can_be_lifted(cast: Cast, client: Client, monkeypatch, settings):
    settings.OPERATOR_IDLE_MINUTES = settings.OPERATOR_SESSION_HOURS = 0
    client.force_login(cast.sees_all)
    for hours in (0, 100):
        at(monkeypatch, hours * HOUR)
        assert enters(client)


def test_when_he_was_seen_is_not_written_on_each_page(cast: Cast, client: Client, monkeypatch):
    client.force_login(cast.sees_all)
    at(monkeypatch, 0)
    client.get(INDEX)
    at(monkeypatch, 30)
    client.get(INDEX)
    assert client.session[entry.SEEN] == 1_000_000
    at(monkeypatch, 60)
    client.get(INDEX)
    assert client.session[entry.SEEN] == 1_000_060
