"""A channel's app, as the tests see it. Every answer that it gets is held against the OpenAPI document."""

import json
from typing import Any
from uuid import uuid4

from django.test import Client

from members.models import Channel
from tests.api import documented
from tests.cast import Cast

BASE = "/api/v1/"


class App:
    def __init__(self, cast: Cast, channel: Channel | None) -> None:
        self.headers = cast.bearer(channel) if channel else {}
        self.client = Client(raise_request_exception=True)

    def get(self, path: str, query: dict[str, Any] | None = None):
        return self._checked("GET", path, self.client.get(BASE + path, query or {}, **self.headers))

    def post(self, path: str, body: Any = None, *, key: str | None = "", **headers: str):
        return self.send("POST", path, body, key=key, **headers)

    def patch(self, path: str, body: Any = None, *, key: str | None = ""):
        return self.send("PATCH", path, body, key=key)

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = "", **headers: str):
        """`key=None` sends no Idempotency-Key; left out, each call has a new one."""
        if key is not None:
            headers["HTTP_IDEMPOTENCY_KEY"] = key or uuid4().hex
        response = self.client.generic(
            method,
            BASE + path,
            json.dumps({} if body is None else body),
            content_type="application/json",
            **{**self.headers, **headers},
        )
        return self._checked(method, path, response)

    def _checked(self, method: str, path: str, response):
        documented.check(response, method, (BASE + path).partition("?")[0])
        return response
