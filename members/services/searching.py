"""Finding members by what is typed into a search box.

Personal data is encrypted: it is found whole, by its digest, or by the last four digits. Each way of finding is a
query of its own over one index; as one condition they would look through all members.
"""

from collections.abc import Iterator

from django.db.models import Q

from members.errors import Refused
from members.models import Attribute, Identity, Member
from members.personal_data import blind_indexes
from members.rules import canonical_identity, is_member_no
from members.services.attributes import asked_by
from members.services.successors import successors

MOST = 1_000
PREFIX = 4  # digits of a member number; fewer would find half of all members
BY_VALUE = (Identity.Kind.PHONE, Identity.Kind.EMAIL, Identity.Kind.CARD)
BY_TEXT = (Attribute.Kind.TEXT, Attribute.Kind.CHOICE)


def keys_of(term: str, *, actor) -> list[int]:
    """Keys of the members whom `term` may mean, of those whom the actor sees; a thousand for each way at most."""
    term = term.strip()
    if not term:
        return []
    visible = Member.objects.visible_to(actor)
    found = (visible.filter(way).order_by().values_list("pk", flat=True)[:MOST] for way in _ways(term, actor))
    return sorted({key for keys in found for key in keys})


def _ways(term: str, actor) -> Iterator[Q]:
    if term.isascii() and term.isdigit() and len(term) >= PREFIX:
        yield Q(member_no__startswith=term)
    if is_member_no(term):  # of one who was merged: who he is now
        merged = Member.objects.filter(member_no=term, status=Member.Status.MERGED)
        yield Q(pk__in=successors(merged.values_list("pk", flat=True)))
    yield Q(name_index__in=blind_indexes("name", term))
    if term.isdecimal() and len(term) == 4:
        yield Q(identities__last_four=term)
    for kind in BY_VALUE:
        try:
            value = canonical_identity(kind, term)
        except Refused:  # not written like one
            continue
        yield Q(identities__kind=kind, identities__value_index__in=blind_indexes(kind, value))
    searchable = asked_by(actor.reach).filter(is_searchable=True, kind__in=BY_TEXT)
    if attributes := list(searchable.values_list("pk", flat=True)):
        yield Q(attribute_values__attribute__in=attributes, attribute_values__text=term)
