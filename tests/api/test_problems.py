"""Whatever goes wrong is told in one form: application/problem+json with a stable code."""

import pytest
from django.test import Client, override_settings
from django.urls import path

from config.urls import urlpatterns as everything
from members.errors import Refused
from members.models import Channel
from members.services.memory import Memory


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/api/", {}, 404, "not_found"),
        ("/api/v1/", {}, 404, "not_found"),
        ("/api/v1/membres", {}, 404, "not_found"),
        ("/api/v1/members/", {}, 404, "not_found"),
        ("/api/v1/members", {}, 401, "not_authenticated"),
        ("/api/v1/members", {"HTTP_AUTHORIZATION": "Bearer wt_1.x"}, 401, "not_authenticated"),
        ("/api/v1/members", {"HTTP_AUTHORIZATION": "Bearer \x00\xff"}, 401, "not_authenticated"),
        ("/api/v1/members", {"HTTP_AUTHORIZATION": "Wutong-HMAC-SHA256 nonsense"}, 401, "not_authenticated"),
        ("/api/v1/points/burns", {"HTTP_AUTHORIZATION": "key"}, 405, "method_not_allowed"),
        ("/api/v1/members", {"HTTP_AUTHORIZATION": "key", "HTTP_ACCEPT": "text/html"}, 406, "not_acceptable"),
    ],
)
def test_each_failure_has_a_code(cast, path, headers, status, code):
    if headers.get("HTTP_AUTHORIZATION") == "key":
        headers = headers | cast.bearer(cast.mall_app)
    response = Client().get(path, **headers)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    problem = response.json()
    assert (problem["code"], problem["status"], problem["type"]) == (code, status, f"urn:wutong:problem:{code}")
    assert problem["detail"]
    if status == 401:
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "parse_error"),
        (b"\xff", "application/json", 400, "parse_error"),
        (b'{"quantity": NaN}', "application/json", 400, "parse_error"),
        (b"[" * 100_000, "application/json", 400, "parse_error"),
        (b"quantity=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b'"' + b"x" * 11 * 2**20 + b'"', "application/json", 413, "body_too_big"),
        (b"null", "application/json", 400, "invalid_input"),
        (b'{"member": "\\ud800", "quantity": 1}', "application/json", 400, "invalid_input"),
    ],
)
def test_a_body_that_is_not_ours_is_refused(cast, body, content_type, status, code):
    headers = cast.bearer(cast.mall_app) | {"HTTP_IDEMPOTENCY_KEY": "k"}
    response = Client().generic("POST", "/api/v1/points/burns", body, content_type=content_type, **headers)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["OPTIONS", "DELETE", "TRACE", "NONSENSE"])
def test_another_method_is_refused(cast, method):
    response = Client().generic(method, "/api/v1/members", **cast.bearer(cast.mall_app))
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("key", [None, " ", "x" * 121, "参考号"])
def test_what_moves_value_needs_a_key(app, cast, member, key):
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    body = {"member": member.member_no, "quantity": 5}
    problem = app(cast.mall_app).send("POST", "points/earns", body, key=None, **headers)
    assert (problem.status_code, problem.json()["code"]) == (400, "idempotency_key_missing")


@pytest.mark.parametrize("page_size", ["0", "201", "-1", "null", "１０", "9" * 30])
def test_a_page_has_a_size(app, cast, page_size):
    problem = app(cast.mall_app).get("events", {"page_size": page_size})
    assert (problem.status_code, problem.json()["errors"][0]["field"]) == (400, "page_size")


@pytest.mark.parametrize(
    "cursor", ["null", "1", "AAAAAAAAAA*", "页页页页页页页页页页页", "__________8", "AAAAAAAAAAAA"]
)
def test_a_cursor_is_one_of_ours(app, cast, cursor):
    problem = app(cast.mall_app).get("events", {"cursor": cursor})
    assert (problem.status_code, problem.json()["errors"][0]["field"]) == (400, "cursor")


def test_a_channel_may_call_what_its_scopes_say(app, cast, member):
    Channel.objects.filter(pk=cast.mall_app.pk).update(scopes=["points.read"])
    mall = app(cast.mall_app)
    assert mall.get(f"members/{member.member_no}/assets").status_code == 200
    forbidden = mall.post("points/earns", {"member": member.member_no, "quantity": 1})
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "permission_denied")
    assert mall.get(f"members/{member.member_no}").status_code == 403


def test_a_channel_has_its_rate(app, cast, member):
    Channel.objects.filter(pk=cast.mall_app.pk).update(rate="2/day")
    answers = [app(cast.mall_app).get(f"members/{member.member_no}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "throttled"
    assert int(answers[2].headers["Retry-After"]) > 0
    assert app(cast.hotel_app).get(f"members/{member.member_no}").status_code == 200


def test_a_key_that_is_revoked_or_a_channel_that_is_off_is_nobody(app, cast):
    Channel.objects.filter(pk=cast.mall_app.pk).update(is_active=False)
    Memory.forget_all()
    assert app(cast.mall_app).get("events").status_code == 401


def broken(request):
    raise RuntimeError("the secret of the database")


urlpatterns = [path("api/broken", broken), path("broken", broken), *everything]
handler500 = "config.problems.server_error"


@override_settings(ROOT_URLCONF=__name__)
def test_a_fault_of_ours_tells_nothing():
    client = Client(raise_request_exception=False)
    response = client.get("/api/broken")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "secret" not in response.text
    assert client.get("/broken").headers["Content-Type"].startswith("text/html")


def every_refusal(kind: type[Refused] = Refused) -> list[type[Refused]]:
    return [kind, *(deeper for below in kind.__subclasses__() for deeper in every_refusal(below))]


def test_a_code_means_one_thing():
    meanings: dict[str, set[tuple[int, str]]] = {}
    for refusal in every_refusal():
        meanings.setdefault(refusal.code, set()).add((refusal.status, str(refusal.message)))
    assert {code: found for code, found in meanings.items() if len(found) > 1} == {}
