"""A member who is already signed in: for tests of what comes after."""

from django.test import Client

from members import sessions
from members.models import Member


def enter(client: Client, member: Member) -> None:
    session = client.session
    session[sessions.MEMBER] = member.pk
    session.save()
