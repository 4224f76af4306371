"""How a channel proves who it is: a bearer key, or a signature over each request. `request.user` is the Channel."""

from typing import ClassVar

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from members.errors import ChannelNotRecognised
from members.models import Channel, ChannelKey
from members.services.channels import SignedRequest, key_of_bearer, key_of_signature

Credentials = tuple[Channel, ChannelKey]


class ChannelAuthentication(BaseAuthentication):
    """Reads `Authorization: <scheme> …` and leaves other schemes to its neighbours."""

    scheme: ClassVar[str]

    def authenticate(self, request: Request) -> Credentials | None:
        scheme, _, rest = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != self.scheme.lower():
            return None
        try:
            key = self.recognise(request, rest.strip())
        except ChannelNotRecognised as reason:
            raise AuthenticationFailed(str(reason.message), code=reason.code) from reason
        return key.channel, key

    def authenticate_header(self, request: Request) -> str:
        return f'{self.scheme} realm="api"'

    def recognise(self, request: Request, rest: str) -> ChannelKey:
        raise NotImplementedError


class BearerAuthentication(ChannelAuthentication):
    """`Authorization: Bearer <key id>.<secret>`."""

    scheme = "Bearer"

    def recognise(self, request: Request, rest: str) -> ChannelKey:
        return key_of_bearer(rest)


class SignatureAuthentication(ChannelAuthentication):
    """`Authorization: Wutong-HMAC-SHA256 key=…, timestamp=…, nonce=…, signature=…`."""

    scheme = "Wutong-HMAC-SHA256"

    def recognise(self, request: Request, rest: str) -> ChannelKey:
        pairs = (part.strip().partition("=") for part in rest.split(","))
        parts = {name: value for name, _, value in pairs}
        signed = SignedRequest(
            key_id=parts.get("key", ""),
            timestamp=parts.get("timestamp", ""),
            nonce=parts.get("nonce", ""),
            method=request.method,
            path=request.get_full_path(),
            body=request.body,
        )
        return key_of_signature(signed, parts.get("signature", ""), now=timezone.now())
