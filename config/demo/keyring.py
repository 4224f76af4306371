"""Passwords and keys of the demo: made for this installation and kept in var/; never for production."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from config.folders import VAR

PATH = VAR / "demo.json"


class Keyring:
    """What `make run` prints. A file that only its owner reads; lost, the demo makes new ones."""

    def __init__(self, path: Path = PATH) -> None:
        self.path = path
        self._kept: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}

    def get(self, kind: str, name: str) -> str:
        """The secret kept under a kind (`password`, `key`, `phone`) and name; empty if there is none."""
        return self._kept.get(kind, {}).get(name, "")

    def all(self, kind: str) -> dict[str, str]:
        return dict(self._kept.get(kind, {}))

    def keep(self, kind: str, name: str, secret: str) -> str:
        self._kept.setdefault(kind, {})[name] = secret
        _write_privately(self.path, self._kept)
        return secret

    def password(self, name: str) -> str:
        """The password of a login, made when first asked for."""
        return self.get("password", name) or self.keep("password", name, new_password())


def new_password() -> str:
    return secrets.token_urlsafe(9)


def _write_privately(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
