from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members.models import Channel, OrgUnit
from members.services.channels import make_key


class Command(BaseCommand):
    help = "Make one more key for a channel and print it; it can't be shown again. Older keys stay valid."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="the channel's code")
        parser.add_argument("--org-unit", help="code of the node on which a new channel stands")
        parser.add_argument("--scopes", nargs="*", default=[], help="for example points.read; none: everything")

    def handle(self, *, code: str, org_unit: str | None, scopes: list[str], **options: Any) -> None:
        channel = Channel.objects.filter(code=code).first()
        if channel is None:
            channel = self._open(code, org_unit, scopes)
        self.stdout.write(make_key(channel).bearer)

    def _open(self, code: str, org_unit: str | None, scopes: list[str]) -> Channel:
        if org_unit is None:
            raise CommandError(f"There is no channel {code}. To open it, say where it stands: --org-unit CODE")
        node = OrgUnit.objects.filter(code=org_unit).first()
        if node is None:
            raise CommandError(f"There is no org unit {org_unit}")
        return Channel.objects.create(code=code, name=code, org_unit=node, scopes=scopes)
