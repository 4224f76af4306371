from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config import roles


class Command(BaseCommand):
    help = "Make the roles that are missing (config/roles.py); roles that stand are edited in the back office."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reset", action="store_true", help="put the roles that stand back to config/roles.py")
        parser.add_argument("--without-totp", action="store_true", help="demand no second factor of any of them")

    def handle(self, *, reset: bool, without_totp: bool, **options: Any) -> None:
        made = roles.set_up(demand_totp=not without_totp, reset=reset)
        self.stdout.write(f"Roles set up: {', '.join(made) or 'none was missing'}")
