"""Put all personal data under the current keys: see docs/operations.md, "Rotating keys"."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members.models import Job
from members.services import rotation


class Command(BaseCommand):
    help = "Rewrite encrypted columns and their digests under the first of the keys in force; may be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        job = rotation.run(rotation.start())
        if job is None:
            raise CommandError("Another process is rotating keys at this moment.")
        if job.state != Job.State.DONE:
            raise CommandError(f"Stopped: {job.message}. Run it again to go on.")
        seconds = time.monotonic() - began
        self.stdout.write(f"{job.done:,} values are under the current keys, after {seconds:.0f} s.")
        if job.failed:
            raise CommandError(f"{job.failed} identities belong to two members: merge them, then run this again.")
        self.stdout.write("The older encryption keys can be removed from FIELD_ENCRYPTION_KEYS.")
