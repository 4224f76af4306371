"""How often a channel may call: each has a rate of its own."""

import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from members.models import Channel

if TYPE_CHECKING:  # at run time it would import the settings that name this class
    from rest_framework.views import APIView

WINDOWS = {"s": 1, "min": 60, "h": 3600, "day": 86400}


class ChannelRateThrottle(BaseThrottle):
    """Counts calls in fixed windows: one increment a call, where DRF's own would rewrite a list of all of them."""

    _wait: float | None = None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        channel = request.user
        if not isinstance(channel, Channel):
            return True
        allowed, _, unit = channel.rate.partition("/")
        seconds = WINDOWS[unit]
        window, into = divmod(time.time(), seconds)
        self._wait = seconds - into
        return _count(f"rate:{channel.pk}:{unit}:{int(window)}", seconds) <= int(allowed)

    def wait(self) -> float | None:
        return self._wait


def _count(key: str, seconds: int) -> int:
    cache.add(key, 0, timeout=2 * seconds)
    return cache.incr(key)
