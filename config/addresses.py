"""Server addresses (URLs of the environment) in the shape that Django wants."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


def database(url: str) -> dict[str, object]:
    """`postgres://user:password@host:port/name?sslmode=require` as an entry of DATABASES."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"DATABASE_URL must begin with postgres://, not {parts.scheme}://")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def redis_on(socket: Path, *, number: int) -> str:
    """Database `number` of a Redis on a unix socket, in Celery's spelling."""
    return f"redis+socket://{socket}?virtual_host={number}"


def cache(url: str) -> dict[str, object]:
    """A Redis address, also in Celery's spelling for a unix socket, as an entry of CACHES."""
    if url.startswith("redis+socket://"):
        parts = urlsplit(url)
        number = dict(parse_qsl(parts.query)).get("virtual_host", "0")
        url = f"unix://{parts.path}?db={number}"
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url, "KEY_PREFIX": "wutong"}
