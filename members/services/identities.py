"""By what a member is recognised: adding, proving, changing and removing an identity.

An identity belongs to one member at most: the unique constraint decides every race. What belongs to somebody else is
refused and never blanked; the edge notes that the two may be one person (`suspicion_noted`), and staff merge them.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from members import events
from members.errors import (
    CardNotBound,
    IdentityNotFound,
    IdentityTaken,
    InvalidIdentity,
    LastIdentity,
    MemberFrozen,
    MemberNotFound,
    NotChangeable,
)
from members.interfaces import Answer, Origin
from members.models import Card, Channel, Duplicate, FormerIdentity, Identity, Member, OrgUnit
from members.personal_data import blind_index, blind_indexes
from members.rules import canonical_card_number, canonical_identity, required_reason
from members.services import duplicates
from members.services.card_states import OVER
from members.services.locking import locked
from members.services.requests import idempotent

Kind = Identity.Kind
Identities = dict[str, str]  # kind → canonical value
# With these a person can prove to be himself; a card or a number of a business's says only who he may be.
WAYS_IN = frozenset({Kind.PHONE, Kind.EMAIL, Kind.WECHAT_OPENID, Kind.WECHAT_UNIONID, Kind.CHANNEL_USER})
REASONS: dict[str | None, Duplicate.Reason] = {
    Kind.PHONE: Duplicate.Reason.PHONE,
    Kind.EMAIL: Duplicate.Reason.EMAIL,
    Kind.EXTERNAL: Duplicate.Reason.EXTERNAL,
}


# --- Reading ----------------------------------------------------------------------------------------------------


def canonical(kind: str, written: str, *, business: OrgUnit | None, channel: Channel | None) -> str:
    """The one form: a business's own number counts within it only, and so does a channel's user.

    Raises NotChangeable for an unknown kind, Invalid….
    """
    if kind not in Kind.values:
        raise NotChangeable(field=kind)
    if kind == Kind.EXTERNAL and business is None:
        raise InvalidIdentity.of_nobody(kind)
    return canonical_identity(
        kind,
        written,
        business_code=business.code if business else "",
        channel_code=channel.code if channel else "",
    )


def canonical_all(written: Mapping[str, str], *, business: OrgUnit | None, channel: Channel | None) -> Identities:
    """Kind → canonical value, in one order for everybody: writers of the same identities can't deadlock."""
    if not written:
        raise MemberNotFound(field="identities")
    return {kind: canonical(kind, written[kind], business=business, channel=channel) for kind in sorted(written)}


def owner_of(wanted: Identities) -> Member | None:
    """The one member who carries any of the identities. Raises IdentityTaken where there are two."""
    any_of_them = Q()
    for kind, value in wanted.items():
        any_of_them |= Q(kind=kind, value_index__in=blind_indexes(kind, value))
    owners = {identity.member for identity in Identity.objects.filter(any_of_them).select_related("member")}
    if len(owners) > 1:
        raise IdentityTaken.by(*sorted(owners, key=lambda owner: owner.pk), field="identities")
    return owners.pop() if owners else None


def in_sight(identities: Iterable[Identity], actor) -> list[Identity]:
    """Those that the actor may know of: another business's number for the member, or its app's, is its own affair."""
    reach = actor.reach
    if reach is None:
        return []
    return [identity for identity in identities if reach.is_group or _is_known_to(reach, identity)]


def _is_known_to(reach: OrgUnit, identity: Identity) -> bool:
    if identity.kind == Kind.EXTERNAL:
        return identity.value.startswith(f"{reach.business.code}:")
    if identity.kind == Kind.CHANNEL_USER:
        return identity.channel.org_unit.path.startswith(reach.path)
    return True


def was_known_before(member: Member) -> bool:
    """Whether he carries something by which another row was known, that was closed or changed its number."""
    former = FormerIdentity.objects.exclude(member=member)
    return any(
        former.filter(kind=identity.kind, value_index__in=blind_indexes(identity.kind, identity.value)).exists()
        for identity in member.identities.all()
    )


@contextmanager
def suspicion_noted(member: Member | None = None, *, at: datetime) -> Iterator[None]:
    """For the edge, outside the transaction: who claims another's identity may be that person. The refusal stands."""
    try:
        yield
    except IdentityTaken as refusal:
        pair = [*([member] if member else []), *refusal.owners][:2]
        if len({one.pk for one in pair}) == 2:
            reason = REASONS.get(refusal.field, Duplicate.Reason.PHONE)
            duplicates.note(*pair, reason, at)
        raise


# --- Changing ---------------------------------------------------------------------------------------------------


@idempotent("identities.add")
def add(member: Member, kind: str, written: str, *, is_verified: bool, origin: Origin) -> Answer:
    """Know a member by one more thing. One that he carries already is verified, if that is news.

    Raises MemberClosed, MemberFrozen where no operator asks, IdentityTaken, CardNotBound, NotChangeable, Invalid….
    """
    value = canonical(kind, written, business=origin.business, channel=origin.channel)
    member = _locked(member, origin)
    identity, is_new = _carry(member, kind, value, is_verified=is_verified, origin=origin)
    if is_new:
        data = {"known_by": [kind], "is_verified": is_verified}
        events.record("member.identified", origin=origin, member=member, data=data)
    return describe(identity) | {"is_new": is_new}


@idempotent("identities.verify")
def verify(identity: Identity, *, origin: Origin) -> Answer:
    """Note that the member has proven it. Raises MemberClosed, IdentityNotFound."""
    identity = _own(locked(identity.member), identity)
    if identity.verified_at is None:
        _mark_verified(identity, origin)
    return describe(identity)


@idempotent("identities.remove")
def remove(identity: Identity, *, origin: Origin) -> Answer:
    """Forget an identity, but for a digest; the number of a card goes with the card.

    Raises LastIdentity for the last way in, IdentityNotFound, NotChangeable, MemberClosed.
    """
    member = _locked(identity.member, origin)
    identity = _own(member, identity)
    if _is_of_a_card(identity):
        raise NotChangeable(_("这是会员卡的卡号，随卡变更：请办理退卡或补换卡。"), field="kind")
    others = member.identities.exclude(pk=identity.pk)
    if identity.kind in WAYS_IN:
        others = others.filter(kind__in=WAYS_IN)
    if not others.exists():
        raise LastIdentity
    answer = {"member_no": member.member_no, "id": identity.pk, "kind": identity.kind}
    retire([identity], reason=FormerIdentity.Reason.CHANGED, at=origin.posted_at)
    events.record("member.identity_removed", origin=origin, member=member, data={"kind": identity.kind})
    return answer


def replace(
    member: Member,
    kind: str,
    written: str,
    *,
    replaces: Identity | None,
    is_proven: bool,
    reason: str,
    origin: Origin,
) -> Answer:
    """Give another value to one identity: of several, `replaces`, or else the one that is used first.

    The member has proven the new one (`is_proven`), or an operator says why: then it is not verified.
    Raises ReasonMissing, IdentityTaken, IdentityNotFound, MemberClosed, Invalid….
    """
    reason = reason.strip() if is_proven else required_reason(reason)
    value = canonical(kind, written, business=origin.business, channel=origin.channel)
    member = _locked(member, origin)
    carried = list(member.identities.filter(kind=kind).preferred())
    old = _own(member, replaces) if replaces else None
    new, _ = _carry(member, kind, value, is_verified=is_proven, origin=origin)
    old = old or next((identity for identity in carried if identity.pk != new.pk), None)
    if old and old.pk != new.pk:
        retire([old], reason=FormerIdentity.Reason.CHANGED, at=origin.posted_at)
    data = {"is_proven": is_proven, "reason": reason}
    events.record(f"member.{kind}_changed", origin=origin, member=member, data=data)
    return {"member_no": member.member_no}


def describe(identity: Identity) -> Answer:
    """What is answered: never the value itself."""
    return {
        "member_no": identity.member.member_no,
        "id": identity.pk,
        "kind": identity.kind,
        "verified_at": identity.verified_at.isoformat() if identity.verified_at else None,
    }


# --- Rows -------------------------------------------------------------------------------------------------------


def claim(member: Member, identities: Identities, origin: Origin, *, verified_at: datetime | None = None) -> None:
    """New rows by somebody's word. Raises CardNotBound, and what `write` raises.

    A number of one of our cards finds its holder when the card is given to him (card_identities): whoever only names
    it could keep a card that lies in a drawer from being bound, or be found by another's.
    """
    number = identities.get(Kind.CARD)
    if number and Card.objects.filter(number=canonical_card_number(number)).exists():
        raise CardNotBound(field=Kind.CARD)
    write(member, identities, origin, verified_at=verified_at)


def write(member: Member, identities: Identities, origin: Origin, *, verified_at: datetime | None = None) -> None:
    """New rows. Raises IntegrityError where one is taken (`is_taken`)."""
    Identity.objects.bulk_create(
        Identity(
            member=member,
            kind=kind,
            value=value,
            value_index=blind_index(kind, value),
            last_four=value[-4:],
            verified_at=verified_at,
            channel=origin.channel,
        )
        for kind, value in identities.items()
    )


def is_taken(error: IntegrityError) -> bool:
    return error.__cause__.diag.constraint_name == "identity_belongs_to_one_member"


def retire(identities: Iterable[Identity], *, reason: FormerIdentity.Reason, at: datetime) -> None:
    """Take identities away; a digest stays, so that who comes back with one gets no second welcome gift."""
    identities = list(identities)
    FormerIdentity.objects.bulk_create(
        FormerIdentity(
            member_id=identity.member_id,
            kind=identity.kind,
            value_index=identity.value_index,
            reason=reason,
            left_at=at,
        )
        for identity in identities
    )
    Identity.objects.filter(pk__in=[identity.pk for identity in identities]).delete()


def _locked(member: Member, origin: Origin) -> Member:
    """Of a frozen member only staff change by what he is known: the account may be in the wrong hands."""
    member = locked(member)
    if member.status == Member.Status.FROZEN and origin.actor is None:
        raise MemberFrozen
    return member


def _carry(member: Member, kind: str, value: str, *, is_verified: bool, origin: Origin) -> tuple[Identity, bool]:
    """The member's identity of this value, and whether it is new. Raises IdentityTaken, CardNotBound."""
    verified_at = origin.posted_at if is_verified else None
    found = Identity.objects.filter(kind=kind, value_index__in=blind_indexes(kind, value)).select_related("member")
    known = found.first()
    if known is None:
        try:
            with transaction.atomic():
                claim(member, {kind: value}, origin, verified_at=verified_at)
        except IntegrityError as error:
            if not is_taken(error):
                raise
        else:
            return found.get(), True
        known = found.get()
    if known.member_id != member.pk:
        raise IdentityTaken.by(known.member, field=kind)
    if is_verified and known.verified_at is None:
        _mark_verified(known, origin)
    return known, False


def _mark_verified(identity: Identity, origin: Origin) -> None:
    identity.verified_at = origin.posted_at
    identity.save(update_fields=["verified_at"])
    data = {"kind": identity.kind}
    events.record("member.identity_verified", origin=origin, member=identity.member, data=data)


def _is_of_a_card(identity: Identity) -> bool:
    """Whether a card that he holds keeps this identity in step (card_identities)."""
    if identity.kind != Kind.CARD:
        return False
    return Card.objects.filter(member=identity.member_id, number=identity.value).exclude(state__in=OVER).exists()


def _own(member: Member, identity: Identity) -> Identity:
    found = member.identities.filter(pk=identity.pk).first()
    if found is None:
        raise IdentityNotFound
    return found
