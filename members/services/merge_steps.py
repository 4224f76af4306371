"""What a merge moves on this floor: what the person is known by and says of himself, his cards, and his care.

Where both have the same thing, the winner's stays, and the loser's stays with the loser: undoing finds it there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from members.interfaces import Answer, Origin
from members.interfaces.steps import Line
from members.models import (
    Attribute,
    AttributeValue,
    Call,
    Card,
    CardChange,
    Consent,
    Device,
    Duplicate,
    FollowUp,
    FormerIdentity,
    Identity,
    ImportantDate,
    Member,
    Membership,
    Purpose,
    Reminder,
    Ticket,
)
from members.rules import mask_birthday, mask_identity, mask_name
from members.services import identities
from members.services.card_states import note

PERSON = ("name", "gender", "birthday")


@dataclass(frozen=True)
class Kept:
    """A table whose rows belong to a member; of `unique` columns he has one row."""

    name: str
    model: type[Model]
    unique: tuple[str, ...] = ()

    def of(self, member: Member) -> QuerySet:
        return self.model._default_manager.filter(member=member)

    def move(self, source: Member, target: Member, *, only: Sequence[int] | None = None) -> list[int]:
        """Hand over what the other does not have. Returns the keys."""
        rows = self.of(source)
        if only is not None:
            rows = rows.filter(pk__in=only)
        if self.unique:
            same = self.of(target).filter(**{column: OuterRef(column) for column in self.unique})
            rows = rows.filter(~Exists(same))
        keys = list(rows.order_by("pk").values_list("pk", flat=True))
        self.model._default_manager.filter(pk__in=keys).update(member=target)
        return keys


TABLES = (
    Kept("identities", Identity),
    Kept("former_identities", FormerIdentity),
    Kept("memberships", Membership, ("business",)),
    Kept("devices", Device, ("value_index",)),
    Kept("attributes", AttributeValue, ("attribute",)),
    Kept("important_dates", ImportantDate, ("name",)),
    Kept("follow_ups", FollowUp),
    Kept("tickets", Ticket),
    Kept("calls", Call),
    Kept("reminders", Reminder, ("business", "kind", "key")),
)


def merge(loser: Member, winner: Member, origin: Origin) -> Answer:
    return {
        "filled": _fill(loser, winner),
        "rows": {table.name: table.move(loser, winner) for table in TABLES},
        "consents": _move_consents(loser, winner, origin),
        "cards": _move_cards(loser, winner, origin),
        "duplicates": _move_duplicates(loser, winner, origin),
    }


def undo(loser: Member, winner: Member, moved: Answer, origin: Origin) -> None:
    _empty(loser, winner, moved["filled"])
    for table in TABLES:
        table.move(winner, loser, only=moved["rows"].get(table.name, ()))
    Consent.objects.filter(pk__in=moved["consents"]["moved"], member=winner).update(member=loser)
    Consent.objects.filter(pk__in=moved["consents"]["refused"], member=winner).delete()
    _return_cards(moved["cards"], origin)
    Duplicate.objects.filter(pk__in=moved["duplicates"]["new"], state=Duplicate.State.OPEN).delete()
    Duplicate.objects.filter(pk__in=moved["duplicates"]["closed"]).update(
        state=Duplicate.State.OPEN, decided_at=None, decided_by=None
    )


# The person ---------------------------------------------------------------------------------------------------


def _fill(loser: Member, winner: Member) -> list[str]:
    """The winner keeps what he has; what he lacks is filled. Returns which: no personal data is kept apart."""
    filled = [field for field in PERSON if getattr(loser, field) and not getattr(winner, field)]
    for field in filled:
        setattr(winner, field, getattr(loser, field))
    if "name" in filled:
        winner.name_index = loser.name_index
    winner.save(update_fields=[*filled, "name_index"])
    return filled


def _empty(loser: Member, winner: Member, filled: list[str]) -> None:
    """Take back what was filled, where nobody has changed it since."""
    same = [field for field in filled if getattr(winner, field) == getattr(loser, field)]
    empty = {"name": "", "gender": "", "birthday": None}
    for field in same:
        setattr(winner, field, empty[field])
    if "name" in same:
        winner.name_index = ""
    winner.save(update_fields=[*same, "name_index"])


# Consents -----------------------------------------------------------------------------------------------------


def _move_consents(loser: Member, winner: Member, origin: Origin) -> Answer:
    """Both sides' words become one person's. Where one has said no to marketing and the other yes, it is no."""
    refused = [
        _say_no(winner, word, origin)
        for ours, theirs in ((loser, winner), (winner, loser))
        for word in _refusals(ours)
        if _agrees(theirs, word)
    ]
    in_force = winner.consents.in_force().filter(
        receiver=OuterRef("receiver"), purpose=OuterRef("purpose"), medium=OuterRef("medium")
    )
    rows = Consent.objects.filter(member=loser).exclude(Q(withdrawn_at=None) & Exists(in_force))
    moved = list(rows.order_by("pk").values_list("pk", flat=True))
    Consent.objects.filter(pk__in=moved).update(member=winner)
    return {"moved": moved, "refused": [row.pk for row in refused]}


def _refusals(member: Member) -> list[Consent]:
    """His last word on marketing, per receiver and way, where it is no."""
    words = member.consents.filter(purpose=Purpose.MARKETING).order_by("receiver", "medium", "-given_at", "-pk")
    return [word for word in words.distinct("receiver", "medium") if word.withdrawn_at]


def _agrees(member: Member, word: Consent) -> bool:
    """Whether he has agreed to some of what the word refuses."""
    agreed = member.consents.in_force().filter(purpose=word.purpose)
    if not word.receiver.is_group:
        agreed = agreed.filter(Q(receiver=word.receiver) | Q(receiver__kind="group"))
    if word.medium != "any":
        agreed = agreed.filter(medium__in=("any", word.medium))
    return agreed.exists()


def _say_no(winner: Member, word: Consent, origin: Origin) -> Consent:
    """A later word covers the earlier: nothing that was agreed to is rewritten."""
    return Consent.objects.create(
        member=winner,
        receiver=word.receiver,
        purpose=word.purpose,
        medium=word.medium,
        version=word.version,
        given_at=origin.posted_at,
        withdrawn_at=origin.posted_at,
        channel=origin.channel,
        operator=origin.actor,
        evidence={"only": "withdrawn", "merged_from": word.pk},
    )


# Cards --------------------------------------------------------------------------------------------------------


def _move_cards(loser: Member, winner: Member, origin: Origin) -> list[dict[str, Any]]:
    """Held or granted. Nobody is his own principal: a card that one gave the other is now his own."""
    moved = []
    both = (loser, winner)
    cards = Card.objects.filter(Q(member=loser) | Q(principal=loser) | Q(member__in=both, principal__in=both))
    for card in cards.select_for_update(of=("self",)).order_by("pk"):
        before = {"card": card.pk, "member": card.member_id, "principal": card.principal_id}
        card.member = winner if card.member_id == loser.pk else card.member
        card.principal = winner if card.principal_id == loser.pk else card.principal
        if card.principal_id and card.principal_id == card.member_id:
            card.principal = None
        moved.append(before | {"now": [card.member_id, card.principal_id]})
        _write_card(card, origin)
    return moved


def _return_cards(moved: list[dict[str, Any]], origin: Origin) -> None:
    rows = {row["card"]: row for row in moved}
    for card in Card.objects.select_for_update(of=("self",)).filter(pk__in=rows).order_by("pk"):
        row = rows[card.pk]
        if [card.member_id, card.principal_id] == row["now"]:
            card.member_id, card.principal_id = row["member"], row["principal"]
            _write_card(card, origin)


def _write_card(card: Card, origin: Origin) -> None:
    card.save(update_fields=["member", "principal"])
    note(card, CardChange.Verb.MERGE, before=card.state, origin=origin)


# Suspicions ---------------------------------------------------------------------------------------------------


def _move_duplicates(loser: Member, winner: Member, origin: Origin) -> Answer:
    """Whoever looked like the loser looks like the winner."""
    pairs = Duplicate.objects.open().filter(Q(first=loser) | Q(second=loser))
    pairs = pairs.exclude(first__in=(loser, winner), second__in=(loser, winner))
    closed, new = [], []
    for pair in pairs.order_by("pk"):
        other = pair.second_id if pair.first_id == loser.pk else pair.first_id
        first, second = sorted((other, winner.pk))
        row, is_new = Duplicate.objects.get_or_create(
            first_id=first, second_id=second, defaults={"reasons": pair.reasons, "found_at": pair.found_at}
        )
        new += [row.pk] if is_new else []
        closed.append(pair.pk)
    Duplicate.objects.filter(pk__in=closed).update(
        state=Duplicate.State.MERGED, decided_at=origin.at, decided_by=origin.actor
    )
    return {"closed": closed, "new": new}


# The preview --------------------------------------------------------------------------------------------------


def preview(loser: Member, winner: Member, actor: Any) -> list[Line]:
    """Masked, for everybody: whoever may read more finds it on the members' own pages."""
    lines = [
        _line(_("姓名"), mask_name(loser.name), mask_name(winner.name)),
        _line(_("性别"), *(str(one.get_gender_display()) if one.gender else "" for one in (loser, winner))),
        _line(_("生日"), mask_birthday(loser.birthday), mask_birthday(winner.birthday)),
    ]
    lines += _identity_lines(loser, winner, actor)
    lines.append(_union(_("业态"), *(_businesses(one, actor) for one in (loser, winner))))
    lines.append(_union(pgettext("plural", "会员卡"), *(_cards(one, actor) for one in (loser, winner))))
    counted = (
        (_("同意记录"), Consent.objects.visible_to(actor).in_force()),
        (_("自定义属性"), AttributeValue.objects.filter(attribute__in=Attribute.objects.visible_to(actor))),
        (_("纪念日"), ImportantDate.objects.all()),
        (_("回访"), FollowUp.objects.visible_to(actor)),
        (_("客服工单"), Ticket.objects.visible_to(actor)),
    )
    for label, rows in counted:
        ours, theirs = (rows.filter(member=one).count() for one in (winner, loser))
        if ours or theirs:
            lines.append(Line(label, str(theirs), str(ours), _("合并后保留；重复的以保留会员为准")))
    return lines


def _line(label: str, theirs: str, ours: str) -> Line:
    return Line(label, theirs or "—", ours or "—", ours or theirs or "—")


def _union(label: str, theirs: list[str], ours: list[str]) -> Line:
    together = [*ours, *(text for text in theirs if text not in ours)]
    return Line(label, *("、".join(texts) or "—" for texts in (theirs, ours, together)))


def _identity_lines(loser: Member, winner: Member, actor: Any) -> list[Line]:
    all_of = (member.identities.select_related("channel__org_unit") for member in (loser, winner))
    known = [identities.in_sight(rows, actor) for rows in all_of]
    lines = []
    for kind in Identity.Kind:
        theirs, ours = ([mask_identity(kind, one.value) for one in rows if one.kind == kind] for rows in known)
        if theirs or ours:
            lines.append(_union(str(kind.label), theirs, ours))
    return lines


def _businesses(member: Member, actor: Any) -> list[str]:
    memberships = member.memberships.visible_to(actor).order_by("business__path")
    return list(memberships.values_list("business__name", flat=True))


def _cards(member: Member, actor: Any) -> list[str]:
    cards = Card.objects.visible_to(actor).filter(member=member).select_related("card_type").order_by("pk")
    return [f"{card.card_type} …{card.number[-4:]} {card.get_state_display()}" for card in cards]
