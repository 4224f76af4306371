"""Finding many members at once by what a spreadsheet says of them: member numbers and phones."""

from collections.abc import Iterable

from members.errors import Refused
from members.models import Identity, Member
from members.personal_data import blind_indexes
from members.rules import canonical_phone, is_member_no


def members_written(texts: Iterable[str], *, actor) -> dict[str, Member]:
    """Text → the member in the actor's sight who has this number or phone; after a merge, who he is now."""
    written = {text for text in texts if text}
    numbers = {text for text in written if is_member_no(text)}
    digests = {digest: text for text in written - numbers for digest in _digests(text)}
    found = {member.member_no: member for member in Member.objects.filter(member_no__in=numbers)}
    identities = Identity.objects.filter(kind=Identity.Kind.PHONE, value_index__in=digests).select_related("member")
    found |= {digests[identity.value_index]: identity.member for identity in identities}
    found = {text: _now(member) for text, member in found.items()}
    in_sight = set(
        Member.objects.visible_to(actor)
        .filter(pk__in={member.pk for member in found.values()})
        .values_list("pk", flat=True)
    )
    return {text: member for text, member in found.items() if member.pk in in_sight}


def _digests(text: str) -> list[str]:
    try:
        return blind_indexes(Identity.Kind.PHONE, canonical_phone(text))
    except Refused:
        return []


def _now(member: Member) -> Member:
    while member.merged_into:
        member = member.merged_into
    return member
