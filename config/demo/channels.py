"""The apps that call the demo: one for the group's replay, one for each business, with their keys."""

from config.demo.keyring import Keyring
from members.models import Channel, ChannelKey, OrgUnit
from members.services.channels import make_key

REPLAY = "replay"
GENEROUS = "600000/min"  # the replay measures the system, not its throttle


def open_replay_channel(keyring: Keyring) -> Channel:
    """The till of the data: whatever is replayed comes through it, in process or over HTTP."""
    group = OrgUnit.objects.get(depth=1)
    return _open(keyring, REPLAY, "收银系统（消费重放）", group, rate=GENEROUS)


def open_all(keyring: Keyring) -> None:
    for business in OrgUnit.objects.businesses():
        _open(keyring, f"{business.code.lower()}-app", f"{business.name}应用", business)


def _open(keyring: Keyring, code: str, name: str, node: OrgUnit, **limits: str) -> Channel:
    channel, _is_new = Channel.objects.get_or_create(code=code, defaults={"name": name, "org_unit": node, **limits})
    key_id = keyring.get("key", code).partition(".")[0]
    if not ChannelKey.objects.filter(channel=channel, key_id=key_id, revoked_at=None).exists():
        keyring.keep("key", code, make_key(channel).bearer)
    return channel
