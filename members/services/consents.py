"""What members agree to: with whom (a business, or the group for all of them), for what, by which way.

The latest word that covers a question is the answer: a consent that stands allows it unless a later withdrawal covers
it too. "All ways" covers each way, and the group covers each business. So a member may agree with the group and yet
take one business out, and withdrawing needs nothing to have been given.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from members import events
from members.errors import ConsentOutdated, ConsentReceiverInvalid, TermsNotWithdrawable
from members.interfaces import Answer, Origin
from members.models import Consent, ConsentText, Medium, Member, OrgUnit, Purpose
from members.personal_data import blind_index
from members.services.locking import locked
from members.services.organisation import group
from members.services.requests import idempotent

BUILT_IN_VERSION = "2026-01"  # of what the member pages say themselves: change it with templates/member/terms.html
RECEIVERS = (OrgUnit.Kind.GROUP, OrgUnit.Kind.BUSINESS)
# What a member is asked on his pages; the terms are agreed to by joining, and ended by leaving.
ASKED = (Purpose.MARKETING, Purpose.SHARING, Purpose.PROFILING)


@dataclass(frozen=True)
class Agreement:
    """What somebody agrees to. Without a version it is the text in force; evidence says what was shown and done."""

    receiver: OrgUnit
    purpose: str
    medium: str = Medium.ANY
    version: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


def evidence_of(*, page: str = "", address: str = "") -> dict[str, str]:
    """What was shown, and from which machine the word came: its address only as a keyed digest."""
    said = {"page": page, "address": blind_index("address", address) if address else ""}
    return {name: value for name, value in said.items() if value}


def text_in_force(receiver: OrgUnit, purpose: str, at: datetime) -> ConsentText | None:
    """The receiver's own latest text, or else the group's; None where the one that is built in is shown."""
    texts = ConsentText.objects.filter(purpose=purpose, starts_at__lte=at).order_by("-starts_at", "-pk")
    return texts.filter(receiver=receiver).first() or texts.filter(receiver=group()).first()


def version_in_force(receiver: OrgUnit, purpose: str, at: datetime) -> str:
    text = text_in_force(receiver, purpose, at)
    return text.version if text else BUILT_IN_VERSION


# --- Asking -----------------------------------------------------------------------------------------------------


def allows(member: Member, *, business: OrgUnit, purpose: str, medium: str) -> bool:
    """Whether the member agrees, now, that `business` (or the group) does this by this way."""
    return Member.objects.filter(allowing(business, purpose, medium), pk=member.pk).exists()


def allowing(business: OrgUnit, purpose: str, medium: str) -> Exists:
    """The same as a condition over Member, for any number of them in one query."""
    words = _words(business, purpose, medium)
    later = words.filter(withdrawn_at__gt=OuterRef("given_at"), member=OuterRef("member"))
    return Exists(words.in_force().filter(~Exists(later), member=OuterRef("pk")))


def shared_with(business: OrgUnit) -> Q:
    """A condition over Member: his name and numbers may go to this business's systems.

    A business knows its own members without asking; who has taken that back (PIPL) is known to it by number only.
    """
    never_withdrawn = ~Exists(
        _words(business, Purpose.SHARING, Medium.ANY).filter(member=OuterRef("pk"), withdrawn_at__isnull=False)
    )
    return Q(never_withdrawn) | allowing(business, Purpose.SHARING, Medium.ANY)


def sharing(members: Collection[int], node: OrgUnit) -> set[int]:
    """The keys of those whose personal data may leave the house for whoever stands on `node`, in one query."""
    if node.business is None:
        return set(members)
    shared = Member.objects.filter(shared_with(node.business), pk__in=members)
    return set(shared.values_list("pk", flat=True))


def _words(business: OrgUnit, purpose: str, medium: str) -> QuerySet:
    """All that was ever said which covers the question."""
    receivers = {business.pk, group().pk}
    return Consent.objects.filter(receiver__in=receivers, purpose=purpose, medium__in={Medium.ANY, medium})


# --- Giving and taking back -------------------------------------------------------------------------------------


@idempotent("consents.give")
def give(
    member: Member,
    *,
    receiver: OrgUnit,
    purpose: str,
    medium: str = Medium.ANY,
    version: str = "",
    evidence: Mapping[str, Any] | None = None,
    origin: Origin,
) -> Answer:
    """Note that the member agrees. Raises MemberClosed, ConsentOutdated, ConsentReceiverInvalid."""
    agreement = Agreement(receiver, purpose, medium, version, evidence or {})
    return describe(write(locked(member), agreement, origin=origin))


def write(member: Member, agreement: Agreement, *, origin: Origin) -> Consent:
    """The same as a part of another verb (enrolling); the member is locked, or new.

    Another version than the one agreed to before takes its place; the same again changes nothing.
    """
    if agreement.receiver.kind not in RECEIVERS:
        raise ConsentReceiverInvalid(field="receiver")
    given_at = min(origin.at, origin.posted_at)
    version = agreement.version or version_in_force(agreement.receiver, agreement.purpose, given_at)
    of_this = {"receiver": agreement.receiver, "purpose": agreement.purpose, "medium": agreement.medium}
    words = member.consents.filter(**of_this)
    before = words.in_force().first()
    if before and (before.given_at >= given_at or (before.version == version and not _narrowed(before))):
        return before
    if before is None and _taken_back_since(member, agreement, given_at):
        raise ConsentOutdated
    words.in_force().update(withdrawn_at=given_at)
    consent = Consent.objects.create(
        member=member,
        **of_this,
        version=version,
        given_at=given_at,
        channel=origin.channel,
        operator=origin.actor,
        evidence=dict(agreement.evidence),
    )
    events.record("member.consented", origin=origin, member=member, data=facts(consent))
    return consent


def write_all(member: Member, agreements: Sequence[Agreement], *, origin: Origin) -> None:
    for agreement in agreements:
        write(member, agreement, origin=origin)


@idempotent("consents.withdraw")
def withdraw(member: Member, *, receiver: OrgUnit, purpose: str, medium: str = Medium.ANY, origin: Origin) -> Answer:
    """Take back what was agreed to, at once; from the group it is taken from all businesses, by "all ways" by each.

    Raises TermsNotWithdrawable, MemberClosed, ConsentReceiverInvalid.
    """
    if purpose == Purpose.TERMS:
        raise TermsNotWithdrawable(field="purpose")
    if receiver.kind not in RECEIVERS:
        raise ConsentReceiverInvalid(field="receiver")
    member = locked(member)
    ended = member.consents.in_force().filter(purpose=purpose)
    if not receiver.is_group:
        ended = ended.filter(receiver=receiver)
    if medium != Medium.ANY:
        ended = ended.filter(medium=medium)
    count = ended.update(withdrawn_at=origin.posted_at)
    word = _say_no(member, receiver, purpose, medium, origin)
    if count or word:
        data = {"receiver": receiver.code, "purpose": purpose, "medium": medium, "ended": count}
        events.record("member.consent_withdrawn", origin=origin, member=member, data=data)
    answer = {"member_no": member.member_no, "receiver": receiver.code, "purpose": purpose, "medium": medium}
    return answer | {"ended": count, "withdrawn_at": origin.posted_at.isoformat()}


def end_all(people: Collection[int], *, at: datetime) -> int:
    """Whoever leaves agrees to nothing any more. Returns how many consents ended."""
    return Consent.objects.in_force().filter(member__in=people).update(withdrawn_at=at)


def _say_no(member: Member, receiver: OrgUnit, purpose: str, medium: str, origin: Origin) -> Consent | None:
    """A row that says no, unless one of just this receiver and way says so already: nothing else could say it."""
    exact = member.consents.filter(receiver=receiver, purpose=purpose, medium=medium)
    said = exact.aggregate(at=Max("withdrawn_at"))["at"]
    younger = member.consents.in_force().filter(purpose=purpose)
    if said and not younger.filter(given_at__gte=said).exists():
        return None
    return Consent.objects.create(
        member=member,
        receiver=receiver,
        purpose=purpose,
        medium=medium,
        version=version_in_force(receiver, purpose, origin.posted_at),
        given_at=origin.posted_at,
        withdrawn_at=origin.posted_at,
        channel=origin.channel,
        operator=origin.actor,
        evidence={"only": "withdrawn"},
    )


def _narrowed(consent: Consent) -> bool:
    """Whether part of it was taken out since: then saying it again says something."""
    since = Consent.objects.filter(member=consent.member, purpose=consent.purpose, withdrawn_at__gt=consent.given_at)
    if not consent.receiver.is_group:
        since = since.filter(receiver__in={consent.receiver_id, group().pk})
    if consent.medium != Medium.ANY:
        since = since.filter(medium__in={Medium.ANY, consent.medium})
    return since.exists()


def _taken_back_since(member: Member, agreement: Agreement, given_at: datetime) -> bool:
    words = _words(agreement.receiver, agreement.purpose, agreement.medium).filter(member=member)
    return words.filter(withdrawn_at__gt=given_at).exists()


# --- Describing -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """One switch of a member's page of consents."""

    business: OrgUnit
    purpose: str
    label: str
    is_on: bool


def standing(member: Member) -> dict[OrgUnit, list[Standing]]:
    """Business × purpose, for each business that knows the member: what he allows now, by all ways."""
    businesses = [membership.business for membership in member.memberships.select_related("business").order_by("pk")]
    return {business: [_standing(member, business, purpose) for purpose in ASKED] for business in businesses}


def _standing(member: Member, business: OrgUnit, purpose: Purpose) -> Standing:
    condition = shared_with(business) if purpose == Purpose.SHARING else allowing(business, purpose, Medium.ANY)
    is_on = Member.objects.filter(condition, pk=member.pk).exists()
    return Standing(business, purpose.value, str(purpose.label), is_on)


def latest_first(member: Member) -> QuerySet:
    return member.consents.select_related("receiver", "channel", "operator").order_by(F("given_at").desc(), "-pk")


def facts(consent: Consent) -> dict[str, Any]:
    """What an event says of it."""
    return {
        "receiver": consent.receiver.code,
        "purpose": consent.purpose,
        "medium": consent.medium,
        "version": consent.version,
    }


def describe(consent: Consent) -> Answer:
    return {
        "id": consent.pk,
        "member_no": consent.member.member_no,
        **facts(consent),
        "given_at": consent.given_at.isoformat(),
        "withdrawn_at": consent.withdrawn_at.isoformat() if consent.withdrawn_at else None,
    }
