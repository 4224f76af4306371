"""What operators want to know of members: what is asked where, setting and reading it."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from members import events
from members.errors import AttributeRequired, InvalidAttribute, Refused, UnknownAttribute
from members.interfaces import Answer, Origin
from members.models import Attribute, AttributeValue, Member, OrgUnit
from members.rules import WANTED, is_empty, read_attribute
from members.scoping import lineage
from members.services.locking import locked
from members.services.requests import idempotent

COLUMNS = {
    Attribute.Kind.TEXT: "text",
    Attribute.Kind.CHOICE: "text",
    Attribute.Kind.NUMBER: "number",
    Attribute.Kind.DATE: "day",
    Attribute.Kind.CHOICES: "words",
    Attribute.Kind.BOOLEAN: "flag",
}
EMPTY: dict[str, Any] = dict.fromkeys(COLUMNS.values())


def asked_by(node: OrgUnit | None) -> QuerySet[Attribute]:
    """What is asked at a node: what it and the nodes above it have defined; nothing below it, nothing without one."""
    if node is None:
        return Attribute.objects.none()
    return Attribute.objects.active().filter(org_unit__path__in=lineage(node))


def asked_of(member: Member) -> QuerySet[Attribute]:
    """What the member himself is asked: by the group, and by the businesses that know him."""
    businesses = member.memberships.values("business")
    return Attribute.objects.active().filter(Q(org_unit__depth=1) | Q(org_unit__in=businesses))


def known_of(member: Member, attributes: Iterable[Attribute]) -> dict[str, Any]:
    """Code → typed value of those of `attributes` that are known of the member, in one query."""
    values = AttributeValue.objects.filter(member=member, attribute__in=attributes).select_related("attribute")
    return {value.attribute.code: value.value for value in values}


def read(attribute: Attribute, written: Any) -> Any:
    """The typed value of what was typed, None for nothing. Raises InvalidAttribute."""
    if is_empty(written):
        return None
    try:
        return read_attribute(attribute.kind, attribute.options, written)
    except (ValueError, TypeError, Refused) as reason:
        raise InvalidAttribute.of(attribute.name, attribute.code, str(WANTED[attribute.kind])) from reason


def in_words(value: Any) -> Any:
    """A typed value for JSON: days and numbers as text that `read` understands."""
    if isinstance(value, date):
        return value.isoformat()
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


@idempotent("members.set_attributes")
def set_values(member: Member, values: Mapping[str, Any], *, attributes: QuerySet[Attribute], origin: Origin) -> Answer:
    """Set what is known of a member, by code; empty forgets it, what is not in `values` stays.

    `attributes` are those that the caller may fill in. Raises UnknownAttribute, InvalidAttribute, AttributeRequired,
    MemberClosed.
    """
    changed = apply(member, values, attributes=attributes, origin=origin)
    return {"member_no": member.member_no, "changed": changed}


def apply(member: Member, values: Mapping[str, Any], *, attributes: QuerySet[Attribute], origin: Origin) -> list[str]:
    """The same as a part of another verb. Returns the codes of what is different now."""
    by_code = {attribute.code: attribute for attribute in attributes.filter(code__in=values)}
    if unknown := values.keys() - by_code.keys():
        raise UnknownAttribute(field=min(unknown))
    wanted = {code: read(by_code[code], written) for code, written in values.items()}
    for code, value in wanted.items():
        if value is None and by_code[code].is_required:
            raise AttributeRequired.named(by_code[code].name, code)
    member = locked(member)
    known = known_of(member, by_code.values())
    changed = sorted(code for code, value in wanted.items() if known.get(code) != value)
    for code in changed:
        _write(member, by_code[code], wanted[code])
    if changed:
        events.record("member.attributes_changed", origin=origin, member=member, data={"attributes": changed})
    return changed


def _write(member: Member, attribute: Attribute, value: Any) -> None:
    if value is None:
        AttributeValue.objects.filter(member=member, attribute=attribute).delete()
        return
    typed = EMPTY | {COLUMNS[Attribute.Kind(attribute.kind)]: value}
    AttributeValue.objects.update_or_create(member=member, attribute=attribute, defaults=typed)
