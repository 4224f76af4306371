"""Writing many rows at once: text blocks for COPY, and sealing without asking for the key each time."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection

from members.personal_data import NONCE_BYTES, current_index_key, current_key

NULL = "\\N"
ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": " "})
BLOCK = hashlib.sha256().block_size


def copy_rows(table: str, columns: str, lines: Iterable[str]) -> None:
    """COPY lines in PostgreSQL's text format: columns with tabs between them, \\N for null."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        copy.write("".join(lines))


def escaped(text: str) -> str:
    return text if text.isalnum() else text.translate(ESCAPED)


def sealer(context: str) -> Callable[[str], str]:
    """Like EncryptedTextField.seal for the column `context`, as COPY wants it, a thousand times over."""
    key = base64.urlsafe_b64decode(settings.FIELD_ENCRYPTION_KEYS[current_key()])
    encrypt, mark, about = AESGCM(key).encrypt, current_key().encode() + b":", context.encode()
    nonces = _nonces()

    def seal(text: str) -> str:
        if not text:
            return NULL
        nonce = next(nonces)
        return "\\\\x" + (mark + nonce + encrypt(nonce, text.encode(), about)).hex()

    return seal


def _nonces() -> Iterator[bytes]:
    """Each used once, as AES-GCM demands; asked of the system by the thousand."""
    while True:
        drawn = os.urandom(NONCE_BYTES * 1_000)
        for start in range(0, len(drawn), NONCE_BYTES):
            yield drawn[start : start + NONCE_BYTES]


def indexer() -> Callable[[str, str], str]:
    """`blind_index` a thousand times over: HMAC-SHA256 (RFC 2104) whose two keyed states are made once."""
    key = base64.urlsafe_b64decode(settings.BLIND_INDEX_KEYS[current_index_key()])
    key = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))

    def index(kind: str, value: str) -> str:
        if not value:
            return ""
        first, second = inner.copy(), outer.copy()
        first.update(f"{kind}:{value}".encode())
        second.update(first.digest())
        return second.hexdigest()

    return index
