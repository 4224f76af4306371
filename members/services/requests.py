"""Idempotency is data: a reference is claimed in the transaction of its verb, and keeps the first answer."""

import json
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from members.errors import ReferenceReused
from members.interfaces import Answer, Origin
from members.models import Request

CLAIM = """
    INSERT INTO members_request (channel_id, reference, verb, input_hash, created_at)
    VALUES (%s, %s, %s, %s, now())
    ON CONFLICT ON CONSTRAINT request_reference_is_unique_in_its_channel DO NOTHING
    RETURNING id
"""


def hash_input(sent: Any) -> str:
    """A digest of the input as it was sent, without defaults; the order of keys does not matter. 64 hex digits."""
    return sha256(json.dumps(sent, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()


def claim(origin: Origin, verb: str) -> tuple[Request, bool]:
    """Take the reference for this transaction; a concurrent twin waits here. Returns (request, is it new).

    Raises ReferenceReused where the reference stands for another verb or other content.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [origin.channel.pk, origin.reference, verb, origin.input_hash])
        row = cursor.fetchone()
    if row:
        return Request(
            pk=row[0], channel=origin.channel, reference=origin.reference, verb=verb, input_hash=origin.input_hash
        ), True
    request = Request.objects.get(channel=origin.channel, reference=origin.reference)
    if (request.verb, request.input_hash) != (verb, origin.input_hash):
        raise ReferenceReused(reference=origin.reference)
    return request, False


def idempotent(verb: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Make a service an outermost verb: one transaction, one effect per reference, and the same answer every time."""

    def decorate(service: Callable[..., Answer]) -> Callable[..., Answer]:
        @wraps(service)
        @transaction.atomic
        def once(*args, origin: Origin, **kwargs) -> Answer:
            request, is_new = claim(origin, verb)
            if not is_new:
                return request.answer
            answer = service(*args, origin=origin.with_request(request), **kwargs)
            request.answer = json.loads(json.dumps(answer, cls=DjangoJSONEncoder))
            Request.objects.filter(pk=request.pk).update(answer=request.answer)
            return request.answer

        return once

    return decorate
