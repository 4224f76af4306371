"""Record what was done, in the transaction that does it; reactions are delivered afterwards by the clock."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from members.interfaces import Origin
from members.models import Delivery, Event, Member

Reaction = Callable[[Event], None]

_reactions: dict[str, Reaction] = {}
_reactions_by_type: dict[str, tuple[str, ...]] = {}


def install(table: Mapping[str, Sequence[Reaction]]) -> None:
    """Fill the table event type → reactions; called once, by config, at start-up."""
    _reactions.clear()
    _reactions_by_type.clear()
    for event_type, reactions in table.items():
        names = tuple(f"{reaction.__module__}.{reaction.__name__}" for reaction in reactions)
        _reactions.update(zip(names, reactions, strict=True))
        _reactions_by_type[event_type] = names


def reaction_named(name: str) -> Reaction:
    """Raises KeyError for a reaction that is no longer in the table."""
    return _reactions[name]


def record(
    event_type: str, *, origin: Origin, member: Member | None = None, data: dict[str, Any] | None = None
) -> Event:
    """Write the event and its deliveries. Must be called inside the transaction of the change itself."""
    event = Event.objects.create(
        type=event_type,
        at=origin.at,
        posted_at=origin.posted_at,
        member=member,
        business=origin.business,
        store=origin.store,
        channel=origin.channel,
        operator=origin.actor,
        reference=origin.reference,
        data=data or {},
    )
    reactions = _reactions_by_type.get(event_type, ())
    if reactions:
        Delivery.objects.bulk_create(Delivery(event=event, reaction=reaction) for reaction in reactions)
    return event


RECORD_MANY = """
    WITH recorded AS (
        INSERT INTO members_event
            (type, at, posted_at, member_id, business_id, store_id, channel_id, operator_id, reference, data)
        SELECT %s, %s, %s, member_id, %s, %s, %s, %s, %s, %s::jsonb FROM unnest(%s::bigint[]) AS member_id
        RETURNING id
    )
    INSERT INTO members_delivery (event_id, reaction, state, tries, next_at, error)
    SELECT recorded.id, reaction, 'waiting', 0, now(), '' FROM recorded CROSS JOIN unnest(%s::text[]) AS reaction
"""


def record_many(
    event_type: str, *, origin: Origin, member_ids: Sequence[int], data: dict[str, Any] | None = None
) -> None:
    """Like `record`, for one event of each member, in one statement."""
    values = [event_type, origin.at, origin.posted_at]
    values += [row.pk if row else None for row in (origin.business, origin.store, origin.channel, origin.actor)]
    values += [origin.reference, json.dumps(data or {}, cls=DjangoJSONEncoder)]
    with connection.cursor() as cursor:
        cursor.execute(RECORD_MANY, [*values, list(member_ids), list(_reactions_by_type.get(event_type, ()))])
