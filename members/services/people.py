"""Who is a member: enrolling, joining a business, finding and changing a person.

Two people never share an identity, and one person is never two members: the unique constraint on identities decides
every race, and whoever loses one finds the winner's member.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import IntegrityError, connection, transaction

from members import events
from members.errors import (
    IdentityTaken,
    InvalidGender,
    MemberClosed,
    MemberNotFound,
    NotChangeable,
    Refused,
)
from members.interfaces import Answer, Origin
from members.models import Channel, Identity, Member, OrgUnit
from members.personal_data import blind_index, blind_indexes
from members.rules import check_birthday, is_member_no, new_member_no
from members.services import consents, devices
from members.services import identities as known
from members.services.consents import Agreement
from members.services.identities import Identities
from members.services.locking import OVER, locked
from members.services.organisation import today_at
from members.services.requests import idempotent
from members.services.successors import successor

CHANGEABLE = frozenset({"name", "gender", "birthday"})
# A person has one of these: another business's form does not replace it (change_phone does).
ONE_OF_A_KIND = frozenset({Identity.Kind.PHONE, Identity.Kind.EMAIL})

JOIN = """
    INSERT INTO members_membership (member_id, business_id, store_id, channel_id, operator_id, joined_at)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT ON CONSTRAINT membership_is_one_per_business_and_member DO NOTHING
    RETURNING id
"""


# --- Finding ----------------------------------------------------------------------------------------------------


def find(kind: str, written: str, *, business: OrgUnit | None = None, channel: Channel | None = None) -> Member | None:
    """The member who carries an identity, written in any way; numbers of a business, users of a channel."""
    value = known.canonical(kind, written, business=business, channel=channel)
    return Member.objects.known_as(kind, value).first()


def resolve(text: str, *, actor) -> Member:
    """The member behind a member number or phone, as typed; after a merge, who he is now. Raises MemberNotFound."""
    try:
        member = Member.objects.filter(member_no=text).first() if is_member_no(text) else find("phone", text)
    except Refused as reason:
        raise MemberNotFound from reason
    member = member and successor(member)
    if member is None or not Member.objects.visible_to(actor).filter(pk=member.pk).exists():
        raise MemberNotFound
    return member


def free_member_nos(count: int) -> list[str]:
    """Fresh member numbers that nobody has; a twin drawn at this very moment is refused by the unique constraint."""
    numbers: set[str] = set()
    while len(numbers) < count:
        drawn = {new_member_no() for _ in range(count - len(numbers))}
        numbers |= drawn - set(Member.objects.filter(member_no__in=drawn).values_list("member_no", flat=True))
    return list(numbers)


# --- Enrolling and joining --------------------------------------------------------------------------------------


@idempotent("members.enrol")
def enrol(
    *,
    identities: Mapping[str, str],
    name: str = "",
    gender: str = "",
    birthday: date | None = None,
    business: OrgUnit | None,
    store: OrgUnit | None = None,
    source: str = "",
    device: str = "",
    agreements: Sequence[Agreement] = (),
    origin: Origin,
) -> Answer:
    """Make a person a member of the group and of a business; one whom we know joins the business and stays himself.

    `identities` is kind → value as written. Personal data of a known person is not touched. `device` is where he was
    seen, `agreements` what he agrees to by joining.
    Raises IdentityTaken where the identities belong to two people, CardNotBound, MemberClosed, Invalid… for bad input.
    """
    wanted = known.canonical_all(identities, business=business, channel=origin.channel)
    person = {"name": name.strip(), "gender": gender, "birthday": birthday}
    _check(person, origin)
    member = known.owner_of(wanted)
    is_new = member is None
    if member is None:
        member, is_new = _register(wanted, person, business, store, source, origin)
    if not is_new:
        _recognise(member, wanted, origin)
    devices.seen(member, device, at=origin.posted_at)
    if agreements:
        consents.write_all(locked(member), agreements, origin=origin)
    joined = business is not None and ensure_membership(member, business, origin=origin, store=store)
    return {"member_no": member.member_no, "is_new": is_new, "is_new_membership": joined}


@idempotent("members.join")
def join(member: Member, *, business: OrgUnit | None, store: OrgUnit | None = None, origin: Origin) -> Answer:
    """Let a member whom another business knows join this one."""
    joined = business is not None and ensure_membership(member, business, origin=origin, store=store)
    return {"member_no": member.member_no, "is_new": False, "is_new_membership": joined}


def ensure_membership(member: Member, business: OrgUnit, *, origin: Origin, store: OrgUnit | None = None) -> bool:
    """Make `business` know the member; cheap enough for every purchase. Returns whether it is news."""
    store = store or origin.store
    row = [
        member.pk,
        business.pk,
        store.pk if store else None,
        origin.channel.pk,
        origin.actor.pk if origin.actor else None,
        origin.at,
    ]
    with connection.cursor() as cursor:
        cursor.execute(JOIN, row)
        is_news = cursor.fetchone() is not None
    if is_news:
        events.record("member.joined", origin=origin, member=member, data={"business": business.code})
    return is_news


def _check(person: Mapping[str, Any], origin: Origin) -> None:
    if person.get("gender", "") not in Member.Gender.values:
        raise InvalidGender(field="gender")
    check_birthday(person.get("birthday"), today=today_at(None, origin.posted_at))


def _register(
    wanted: Identities,
    person: Mapping[str, Any],
    business: OrgUnit | None,
    store: OrgUnit | None,
    source: str,
    origin: Origin,
) -> tuple[Member, bool]:
    """Write a new member with his identities, or find the one whom a parallel request has just written."""
    try:
        with transaction.atomic():
            member = Member.objects.create(
                member_no=free_member_nos(1)[0],
                name_index=_name_index(person["name"]),
                registered_at=origin.at,
                registered_channel=origin.channel,
                registered_business=business,
                registered_store=store,
                source=source,
                **person,
            )
            known.claim(member, wanted, origin)
    except IntegrityError as error:
        if not known.is_taken(error):
            raise
        winner = known.owner_of(wanted)
        if winner is None:
            raise
        return winner, False
    events.record("member.enrolled", origin=origin, member=member, data={"source": source, "known_by": list(wanted)})
    return member, True


def _recognise(member: Member, wanted: Identities, origin: Origin) -> None:
    """Add what we did not know a known person by; of phone and e-mail the one we have stays."""
    if member.status in OVER:
        raise MemberClosed
    carried = set(member.identities.values_list("kind", "value_index"))
    held = {kind for kind, _ in carried} & ONE_OF_A_KIND
    news = {
        kind: value
        for kind, value in wanted.items()
        if kind not in held and carried.isdisjoint((kind, index) for index in blind_indexes(kind, value))
    }
    if not news:
        return
    try:
        with transaction.atomic():
            known.claim(member, news, origin)
    except IntegrityError as error:
        if known.is_taken(error):
            raise IdentityTaken.by(member, known.owner_of(news), field="identities") from error
        raise
    events.record("member.identified", origin=origin, member=member, data={"known_by": list(news)})


def _name_index(name: str) -> str:
    return blind_index("name", name) if name else ""


# --- Changing ---------------------------------------------------------------------------------------------------


@idempotent("members.update")
def update_member(member: Member, changes: Mapping[str, Any], *, origin: Origin) -> Answer:
    """Change name, gender or birthday; what is not in `changes` stays. Raises MemberClosed, NotChangeable, Invalid…"""
    if unknown := changes.keys() - CHANGEABLE:
        raise NotChangeable(field=min(unknown))
    _check(changes, origin)
    member = locked(member)
    changed = [field for field, value in changes.items() if getattr(member, field) != value]
    for field in changed:
        setattr(member, field, changes[field])
    if changed:
        member.name_index = _name_index(member.name)
        member.save(update_fields=[*changed, "name_index"])
        events.record("member.updated", origin=origin, member=member, data={"fields": sorted(changed)})
    return {"member_no": member.member_no, "changed": sorted(changed)}


@idempotent("members.change_phone")
def change_phone(
    member: Member,
    phone: str,
    *,
    is_proven: bool,
    reason: str = "",
    replaces: Identity | None = None,
    origin: Origin,
) -> Answer:
    """Give a member another phone: proven by a code sent to it, or on an operator's word, and then not verified.

    Of several phones (after a merge) `replaces` goes, or else the one that is used first. Raises ReasonMissing,
    IdentityTaken where it is somebody else's: nobody's is blanked for it. InvalidPhone, MemberClosed.
    """
    return known.replace(
        member, Identity.Kind.PHONE, phone, replaces=replaces, is_proven=is_proven, reason=reason, origin=origin
    )


@idempotent("members.change_email")
def change_email(
    member: Member,
    email: str,
    *,
    is_proven: bool,
    reason: str = "",
    replaces: Identity | None = None,
    origin: Origin,
) -> Answer:
    """The same for an e-mail address."""
    return known.replace(
        member, Identity.Kind.EMAIL, email, replaces=replaces, is_proven=is_proven, reason=reason, origin=origin
    )
