"""Short messages to people's phones; who carries them is a setting: MEMBERS_SMS_BACKEND."""

from typing import ClassVar, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class SmsBackend(Protocol):
    def send(self, phone: str, text: str) -> None:
        """Hand over `text` for an E.164 number; raise if the carrier does not take it."""


class ConsoleSmsBackend:
    """Writes to standard output, for development and the demo."""

    def send(self, phone: str, text: str) -> None:
        print(f"[SMS {phone}] {text}", flush=True)


class MemorySmsBackend:
    """Keeps what was sent, for tests."""

    outbox: ClassVar[list[tuple[str, str]]] = []

    def send(self, phone: str, text: str) -> None:
        self.outbox.append((phone, text))


def send_sms(phone: str, text: str) -> None:
    import_string(settings.MEMBERS_SMS_BACKEND)().send(phone, text)
