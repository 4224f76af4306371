"""Keys of channels: made once, shown once, and what proves that a request comes from its channel."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.core.cache import cache

from members.errors import ChannelNotRecognised
from members.models import Channel, ChannelKey
from members.services.memory import Memory

CLOCK_TOLERANCE = 300  # seconds that the caller's clock may be off
NONCE_LENGTHS = range(8, 65)

_memory = Memory(seconds=3)  # how long a revoked key may live on in other processes


@dataclass(frozen=True)
class NewKey:
    """What the channel's owner must keep: it can't be shown again."""

    key: ChannelKey
    secret: str

    @property
    def bearer(self) -> str:
        return f"{self.key.key_id}.{self.secret}"


@dataclass(frozen=True)
class SignedRequest:
    """The parts of a request that its signature covers."""

    key_id: str
    timestamp: str
    nonce: str
    method: str
    path: str  # with the query, as sent
    body: bytes

    @property
    def text(self) -> bytes:
        """One part a line: timestamp, nonce, METHOD, /path?query, SHA-256 of the body in hex."""
        digest = sha256(self.body).hexdigest()
        return "\n".join((self.timestamp, self.nonce, self.method.upper(), self.path, digest)).encode()


def make_key(channel: Channel) -> NewKey:
    """Give a channel one more key; the old ones stay valid until they are revoked, so that apps can change over."""
    secret = secrets.token_urlsafe(32)
    key = ChannelKey.objects.create(
        channel=channel, key_id=f"wt_{secrets.token_hex(8)}", secret_hash=_hash(secret), signing_secret=secret
    )
    return NewKey(key, secret)


def revoke_key(key: ChannelKey, *, at: datetime) -> None:
    """At once in this process, within three seconds in the others."""
    key.revoked_at = at
    key.save(update_fields=["revoked_at"])
    _memory.forget()


def sign(request: SignedRequest, secret: str) -> str:
    """HMAC-SHA256 in hex over `request.text`; what callers do, and what we compare with."""
    return hmac.new(secret.encode(), request.text, sha256).hexdigest()


def key_of_bearer(bearer: str) -> ChannelKey:
    """Raises ChannelNotRecognised; a channel that must sign is refused here."""
    key_id, _, secret = bearer.partition(".")
    key = _usable_key(key_id)
    if not hmac.compare_digest(_hash(secret), key.secret_hash):
        raise ChannelNotRecognised()
    if key.channel.requires_signature:
        raise ChannelNotRecognised.must_sign()
    return key


def key_of_signature(request: SignedRequest, signature: str, *, now: datetime) -> ChannelKey:
    """Raises ChannelNotRecognised for a false, late or repeated request."""
    key = _usable_key(request.key_id)
    if not request.timestamp.isascii() or not request.timestamp.isdigit() or len(request.nonce) not in NONCE_LENGTHS:
        raise ChannelNotRecognised()
    if abs(now.timestamp() - int(request.timestamp)) > CLOCK_TOLERANCE:
        raise ChannelNotRecognised.late()
    if not hmac.compare_digest(sign(request, key.signing_secret).encode(), signature.encode()):
        raise ChannelNotRecognised()
    # Last, so that nobody without the secret can use up a nonce. Kept for the whole window, past and future.
    if not cache.add(f"nonce:{request.key_id}:{request.nonce}", 1, timeout=2 * CLOCK_TOLERANCE):
        raise ChannelNotRecognised.repeated()
    return key


def _usable_key(key_id: str) -> ChannelKey:
    is_possible = key_id.isidentifier()  # the database would choke on a NUL
    key = _memory.get(key_id, lambda: _load(key_id)) if is_possible else None
    if key is None:
        raise ChannelNotRecognised()
    return key


def _load(key_id: str) -> ChannelKey | None:
    keys = ChannelKey.objects.select_related("channel__org_unit__business")
    return keys.filter(key_id=key_id, revoked_at=None, channel__is_active=True).first()


def _hash(secret: str) -> str:
    # Fast on purpose: the secret is 256 random bits, so there is nothing to guess.
    return sha256(secret.encode()).hexdigest()
