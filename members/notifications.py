"""Short messages to people's phones; who carries them is a setting: MEMBERS_SMS_BACKEND."""

import logging
from typing import ClassVar, Protocol

from django.conf import settings
from django.core.mail import send_mail
from django.utils.module_loading import import_string

from members.models import Identity, Medium, Member, OrgUnit
from members.services import consents

logger = logging.getLogger(__name__)


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


def notify(member: Member, *, business: OrgUnit, purpose: str, text: str, medium: str = Medium.SMS) -> str:
    """Tell a member something in a business's name, where he has agreed to that.

    Returns what became of it: "sent", "no_consent", "no_address", or "failed" where the carrier refused.
    """
    if not consents.allows(member, business=business, purpose=purpose, medium=medium):
        return "no_consent"
    phone = member.identities.filter(kind=Identity.Kind.PHONE).preferred().first()
    if medium != Medium.SMS or phone is None:
        return "no_address"
    try:
        send_sms(phone.value, text)
    except Exception as error:  # whatever a carrier raises must not stop the others' messages
        # Without its words, which may quote the number or the text.
        logger.error("A message to member %s could not be handed over: %s", member.pk, type(error).__qualname__)
        return "failed"
    return "sent"


def send_email(address: str, subject: str, text: str) -> None:
    """Hand over to EMAIL_BACKEND; raises if it does not take it."""
    send_mail(subject, text, None, [address])


def send_sms(phone: str, text: str) -> None:
    import_string(settings.MEMBERS_SMS_BACKEND)().send(phone, text)
