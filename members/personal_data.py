"""Personal data at rest: AES-256-GCM in the column, HMAC-SHA256 to find it again.

Encryption keys and the index key are separate settings, so that either can be rotated alone.
"""

import base64
import hmac
import os
from functools import cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

NONCE_BYTES = 12


@cache
def _cipher(key_id: str) -> AESGCM:
    return AESGCM(base64.urlsafe_b64decode(settings.FIELD_ENCRYPTION_KEYS[key_id]))


def encrypt(text: str, *, context: str) -> bytes:
    """Return `key id : nonce ciphertext`; `context` (the column) is authenticated, so that values can't be moved."""
    key_id = current_key()
    nonce = os.urandom(NONCE_BYTES)
    return key_id.encode() + b":" + nonce + _cipher(key_id).encrypt(nonce, text.encode(), context.encode())


def decrypt(stored: bytes, *, context: str) -> str:
    key_id, _, sealed = bytes(stored).partition(b":")
    nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    return _cipher(key_id.decode()).decrypt(nonce, ciphertext, context.encode()).decode()


def blind_index(kind: str, value: str) -> str:
    """A keyed digest by which an encrypted value is found: equal in, equal out, nothing to read. 64 hex digits."""
    return _digest(current_index_key(), kind, value)


def blind_indexes(kind: str, value: str) -> list[str]:
    """The digests under every key in force, the current one first: while keys are rotated, look for all of them."""
    return [_digest(key_id, kind, value) for key_id in settings.BLIND_INDEX_KEYS]


def current_key() -> str:
    """The id of the key that encrypts."""
    return next(iter(settings.FIELD_ENCRYPTION_KEYS))


def current_index_key() -> str:
    return next(iter(settings.BLIND_INDEX_KEYS))


def key_of(stored: bytes) -> str:
    """The id of the key under which a stored value is encrypted."""
    return bytes(stored).partition(b":")[0].decode()


def _digest(key_id: str, kind: str, value: str) -> str:
    return hmac.digest(_index_key(key_id), f"{kind}:{value}".encode(), "sha256").hex()


@cache
def _index_key(key_id: str) -> bytes:
    return base64.urlsafe_b64decode(settings.BLIND_INDEX_KEYS[key_id])


class EncryptedTextField(models.BinaryField):
    """Text in Python, ciphertext in the database. It can't be searched: keep a blind index beside it."""

    def __init__(self, *args, **kwargs) -> None:
        kwargs["editable"] = kwargs.get("editable", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, "members.personal_data.EncryptedTextField", args, kwargs

    @property
    def context(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def seal(self, text: str) -> bytes | None:
        """What the column holds for `text`; for rows that are written without the ORM (COPY)."""
        return encrypt(text, context=self.context) if text else None

    def get_db_prep_value(self, value, connection, prepared=False):
        return super().get_db_prep_value(self.seal(value), connection, prepared)

    def from_db_value(self, value, expression, connection) -> str:
        return decrypt(value, context=self.context) if value else ""

    def value_to_string(self, obj) -> str:
        return str(self.value_from_object(obj) or "")

    def to_python(self, value) -> str:
        return value or ""

    def get_default(self) -> str:
        return ""
