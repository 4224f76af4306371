"""Signed requests, over HTTP: what the signature covers can't be changed, and nothing signed is good twice."""

import json
import secrets
import time
import urllib.error
import urllib.request

import pytest

from members.models import Channel
from members.services.channels import SignedRequest, sign

PATH = "/api/v1/points/earns"


@pytest.fixture
def send(transactional_db, live_server, cast, shop, member):
    """Send an earn, signed as the documentation says; what is given is changed after signing."""
    new_key = cast.keys[cast.mall_app.code]
    Channel.objects.filter(pk=cast.mall_app.pk).update(requires_signature=True)
    body = json.dumps({"member": member.member_no, "quantity": 5}).encode()

    def sent(*, nonce: str = "", at: int = 0, **changed: bytes | str) -> tuple[int, dict]:
        signed = SignedRequest(
            key_id=new_key.key.key_id,
            timestamp=str(at or int(time.time())),
            nonce=nonce or secrets.token_hex(8),
            method="POST",
            path=PATH,
            body=body,
        )
        parts = f"key={signed.key_id}, timestamp={signed.timestamp}, nonce={signed.nonce}"
        authorization = f"Wutong-HMAC-SHA256 {parts}, signature={sign(signed, new_key.secret)}"
        request = urllib.request.Request(
            live_server.url + changed.get("path", PATH),
            changed.get("body", body),
            {
                "Authorization": changed.get("authorization", authorization),
                "Content-Type": "application/json",
                "Idempotency-Key": secrets.token_hex(8),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    return sent


def test_a_signed_request_is_served_once(send):
    assert send(nonce="0123456789abcdef")[0] == 201
    status, problem = send(nonce="0123456789abcdef")
    assert (status, problem["code"]) == (401, "not_authenticated")


def test_what_is_signed_can_not_be_changed(send, cast):
    bearer = cast.bearer(cast.mall_app)["HTTP_AUTHORIZATION"]
    refused = [
        send(body=b'{"member": "13800138000", "quantity": 500}'),
        send(path=PATH + "?x=1"),
        send(at=int(time.time()) - 400),
        send(at=int(time.time()) + 400),
        send(authorization=bearer),
    ]
    assert [(status, problem["code"]) for status, problem in refused] == [(401, "not_authenticated")] * 5
    assert send()[0] == 201
