"""Keys from the environment or, for a first try without any set-up, made once and kept in var/secrets."""

import base64
import os
import secrets
import tempfile
from pathlib import Path

from config.folders import VAR

SECRETS = VAR / "secrets"


def secret(name: str, *, size: int = 32) -> str:
    """The key `name`; one that we make is the URL-safe base64 of `size` random bytes."""
    return os.environ.get(name) or _kept(name, size)


def secrets_by_id(name: str, *, alone: str = "") -> dict[str, str]:
    """Keys by their id, in the order of `k2:<key>,k1:<key>`; the one that we make is k1.

    `alone` is the older name of a setting with one key only: that is k1.
    """
    listed = os.environ.get(name) or f"k1:{secret(alone or name)}"
    return dict(pair.strip().split(":", 1) for pair in listed.split(","))


def _kept(name: str, size: int) -> str:
    path = SECRETS / name
    if not path.exists():
        _make(path, size)
    return path.read_text().strip()


def _make(path: Path, size: int) -> None:
    SECRETS.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=SECRETS)  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(size)).decode())
    try:
        os.link(draft, path)  # of several processes that start at once, one wins
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
