"""Keys from the environment or, for a first try without any set-up, made once and kept in var/secrets."""

import base64
import os
import secrets
import tempfile
from pathlib import Path

from config.folders import VAR

SECRETS = VAR / "secrets"


def secret(name: str) -> str:
    """The key `name` (base64 of 32 bytes when we make it)."""
    return os.environ.get(name) or _kept(name)


def encryption_keys(name: str) -> dict[str, bytes]:
    """Keys by their id, the one that encrypts first: `k2:<base64>,k1:<base64>`; the others only decrypt."""
    pairs = (pair.strip().split(":", 1) for pair in (os.environ.get(name) or f"k1:{_kept(name)}").split(","))
    return {key_id: base64.b64decode(key) for key_id, key in pairs}


def _kept(name: str) -> str:
    path = SECRETS / name
    if not path.exists():
        _make(path)
    return path.read_text().strip()


def _make(path: Path) -> None:
    SECRETS.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=SECRETS)  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(32)).decode())
    try:
        os.link(draft, path)  # of several processes that start at once, one wins
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
