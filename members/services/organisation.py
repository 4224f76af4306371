"""The tree of group, businesses, regions and stores, and the doors of our own through which people come."""

from datetime import date, datetime
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from members.interfaces import Origin
from members.models import Channel, Operator, OrgUnit, Terminal, Trade
from members.services.memory import Memory

_memory = Memory(seconds=5)


def group() -> OrgUnit:
    """The top of the tree. Raises OrgUnit.DoesNotExist before add_group."""
    found = _memory.get("group", OrgUnit.objects.filter(kind=OrgUnit.Kind.GROUP).first)
    if found is None:
        raise OrgUnit.DoesNotExist("add_group comes first")
    return found


def today_at(business: OrgUnit | None, at: datetime) -> date:
    """The local day of a business, or of the group."""
    return timezone.localdate(at, (business or group()).zone)


@transaction.atomic
def add_group(code: str, name: str, *, time_zone: str = "Asia/Shanghai") -> OrgUnit:
    """Found the group, with its own doors: desk, admin, imports, clock and member pages."""
    node = OrgUnit.objects.add_root({"kind": OrgUnit.Kind.GROUP, "code": code, "name": name, "time_zone": time_zone})
    for kind in Channel.Kind:
        if kind != Channel.Kind.APP:
            Channel.objects.create(code=kind.value, name=kind.label, kind=kind, org_unit=node)
    return node


@transaction.atomic
def add_business(group: OrgUnit, code: str, name: str) -> OrgUnit:
    node = _add_below(group, OrgUnit.Kind.BUSINESS, code, name, business=None)
    node.business = node
    node.save(update_fields=["business"])
    return node


@transaction.atomic
def add_region(business: OrgUnit, code: str, name: str) -> OrgUnit:
    return _add_below(business, OrgUnit.Kind.REGION, code, name, business=business.business)


@transaction.atomic
def add_store(parent: OrgUnit, code: str, name: str, *, trade: Trade | None = None) -> OrgUnit:
    """Open a store in a region, or directly in a business that has none."""
    return _add_below(parent, OrgUnit.Kind.STORE, code, name, business=parent.business, trade=trade)


def add_terminal(store: OrgUnit, code: str, name: str = "") -> Terminal:
    return Terminal.objects.create(store=store, code=code, name=name)


def _add_below(
    parent: OrgUnit, kind: str, code: str, name: str, *, business: OrgUnit | None, trade: Trade | None = None
) -> OrgUnit:
    # treebeard counts children on the parent instance: a stale one would hand out a path twice.
    parent = OrgUnit.objects.select_for_update(of=("self",)).get(pk=parent.pk)
    return OrgUnit.objects.add_child(
        parent,
        {
            "kind": kind,
            "code": code,
            "name": name,
            "business": business,
            "trade": trade,
            "time_zone": parent.time_zone,
        },
    )


def own_channel(kind: Channel.Kind | str) -> Channel:
    """The channel of one of our own doors (desk, admin, import, clock, member), at the top of the group."""
    channels = Channel.objects.select_related("org_unit").filter(code=Channel.Kind(kind).value)
    found = _memory.get(f"channel:{kind}", channels.first)
    if found is None:
        raise Channel.DoesNotExist(f"{kind} has no channel: add_group makes them")
    return found


def own_origin(
    kind: Channel.Kind | str,
    *,
    reference: str = "",
    actor: Operator | None = None,
    business: OrgUnit | None = None,
    store: OrgUnit | None = None,
    terminal: Terminal | None = None,
    at: datetime | None = None,
    input_hash: str = "",
) -> Origin:
    """The origin of what is done through one of our own doors; without a reference each call is its own request."""
    now = timezone.now()
    return Origin(
        channel=own_channel(kind),
        reference=reference or uuid4().hex,
        at=at or now,
        posted_at=now,
        actor=actor,
        store=store,
        business=business or (store.business if store else None),
        terminal=terminal,
        input_hash=input_hash,
    )
