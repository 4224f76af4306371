"""On which devices a member was seen: a digest only, a hint at duplicates and never a proof."""

from datetime import datetime

from members.models import Device, Member
from members.personal_data import blind_index, blind_indexes


def seen(member: Member, device: str, *, at: datetime) -> None:
    """Note it; an empty name is no device."""
    if not device:
        return
    known = Device.objects.filter(member=member, value_index__in=blind_indexes("device", device))
    if not known.update(seen_at=at):
        row = Device(member=member, value_index=blind_index("device", device), seen_at=at)
        Device.objects.bulk_create([row], ignore_conflicts=True)
