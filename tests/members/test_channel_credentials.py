"""How a channel proves who it is: its keys and its signatures (over HTTP: tests/api/test_signature.py)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from members.errors import ChannelNotRecognised
from members.services.channels import (
    NewKey,
    SignedRequest,
    key_of_bearer,
    key_of_signature,
    make_key,
    revoke_key,
    sign,
)
from members.services.memory import Memory
from tests.cast import Cast

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def key(cast: Cast) -> NewKey:
    return cast.keys["mall-app"]


@pytest.fixture
def request_(key: NewKey) -> SignedRequest:
    return SignedRequest(
        key_id=key.key.key_id,
        timestamp=str(int(NOW.timestamp())),
        nonce="0123456789abcdef",
        method="POST",
        path="/api/v1/members?dry_run=1",
        body='{"name": "王小明"}'.encode(),
    )


def test_a_bearer_key_names_its_channel(cast: Cast, key: NewKey, django_assert_num_queries) -> None:
    assert key_of_bearer(key.bearer).channel == cast.mall_app
    with django_assert_num_queries(0):  # the channel is remembered, with the node on which it stands
        assert key_of_bearer(key.bearer).channel.reach == cast.mall


def test_false_bearers_are_refused(key: NewKey) -> None:
    key_id = key.key.key_id
    for bearer in (
        "",
        ".",
        "nonsense",
        key_id,
        f"{key_id}.",
        f"{key_id}.false",
        f"{key_id}.密钥",
        f"wt_0.{key.secret}",
    ):
        with pytest.raises(ChannelNotRecognised):
            key_of_bearer(bearer)


def test_no_secret_is_readable_in_the_database(key: NewKey) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(row::text, ' ') FROM members_channelkey AS row")
        text = cursor.fetchone()[0]
    assert key.secret not in text
    assert key.secret.encode().hex() not in text


def test_a_revoked_key_is_refused_at_once_and_the_new_one_works(cast: Cast, key: NewKey) -> None:
    new = make_key(cast.mall_app)
    key_of_bearer(key.bearer)
    revoke_key(key.key, at=NOW)
    with pytest.raises(ChannelNotRecognised):
        key_of_bearer(key.bearer)
    assert key_of_bearer(new.bearer).channel == cast.mall_app


def test_a_channel_that_is_off_or_must_sign_has_no_use_for_a_bearer(
    cast: Cast, key: NewKey, request_: SignedRequest
) -> None:
    cast.mall_app.requires_signature = True
    cast.mall_app.save()
    with pytest.raises(ChannelNotRecognised):
        key_of_bearer(key.bearer)
    assert key_of_signature(request_, sign(request_, key.secret), now=NOW).channel == cast.mall_app
    cast.mall_app.is_active = False
    cast.mall_app.save()
    Memory.forget_all()
    with pytest.raises(ChannelNotRecognised):
        key_of_signature(replace(request_, nonce="another-nonce"), "0" * 64, now=NOW)


def test_a_signature_is_good_once(key: NewKey, request_: SignedRequest) -> None:
    signature = sign(request_, key.secret)
    key_of_signature(request_, signature, now=NOW)
    with pytest.raises(ChannelNotRecognised, match="nonce"):
        key_of_signature(request_, signature, now=NOW + timedelta(seconds=299))


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_clock_may_be_off_by_five_minutes(key: NewKey, request_: SignedRequest, seconds: int) -> None:
    assert key_of_signature(request_, sign(request_, key.secret), now=NOW + timedelta(seconds=seconds)) == key.key


@pytest.mark.parametrize("seconds", [-301, 301])
def test_but_not_by_more(key: NewKey, request_: SignedRequest, seconds: int) -> None:
    with pytest.raises(ChannelNotRecognised, match="时钟"):
        key_of_signature(request_, sign(request_, key.secret), now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PATCH"},
        {"path": "/api/v1/members?dry_run=0"},
        {"body": b"{}"},
        {"nonce": "fedcba9876543210"},
        {"timestamp": str(int(NOW.timestamp()) + 1)},
    ],
)
def test_what_is_signed_can_not_be_changed(key: NewKey, request_: SignedRequest, changed: dict) -> None:
    signature = sign(request_, key.secret)
    with pytest.raises(ChannelNotRecognised):
        key_of_signature(replace(request_, **changed), signature, now=NOW)
    key_of_signature(request_, signature, now=NOW)  # and a false request has not used up the nonce


@pytest.mark.parametrize(
    "nonsense",
    [{"timestamp": ""}, {"timestamp": "now"}, {"timestamp": "１７"}, {"timestamp": "-5"}, {"nonce": "short"}],
)
def test_nonsense_is_refused_and_breaks_nothing(key: NewKey, request_: SignedRequest, nonsense: dict) -> None:
    request = replace(request_, **nonsense)
    with pytest.raises(ChannelNotRecognised):
        key_of_signature(request, sign(request, key.secret), now=NOW)
    with pytest.raises(ChannelNotRecognised):
        key_of_signature(request_, "不是签名", now=NOW)


def test_memory_does_not_keep_what_is_not_there() -> None:
    memory, answers = Memory(seconds=60), iter([None, "first", "second"])
    assert [memory.get("key", lambda: next(answers)) for _ in range(3)] == [None, "first", "first"]
    memory.forget()
    assert memory.get("key", lambda: next(answers)) == "second"
