"""Cards, for channels: looking at one, giving one out, and each step of its life."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from members.api.serializers.cards import (
    Activation,
    CardAnswer,
    CardsAnswer,
    CardStep,
    CardToGive,
    ClosedCard,
    Reason,
    Renewal,
    ReplacedCard,
    Replacement,
)
from members.api.views.personal import readable
from members.errors import CardTypeNotFound, MemberNotFound
from members.interfaces.api import checked, created, member_at, member_of, origin_of, query, verb
from members.models import Card, CardType, Channel, Member
from members.services import cards

CARDS = 200  # of one member


class CardView(APIView):
    scope = "cards"

    @query(CardAnswer, operation_id="cards_read")
    def get(self, request: Request, number: str) -> Response:
        """Read one card, by its number as scanned."""
        card = cards.find(number, actor=request.user)
        return Response(_described([card], request.user)[0])


class MemberCardsView(APIView):
    scope = "cards"

    @query(CardsAnswer, operation_id="members_cards")
    def get(self, request: Request, member_no: str) -> Response:
        """Cards of a member, and those that spend his assets."""
        member = member_at(request, member_no)
        seen = _with_people(Card.objects.visible_to(request.user))
        found = seen.filter(Q(member=member) | Q(principal=member)).order_by("-pk")[:CARDS]
        return Response({"results": _described(list(found), request.user)})

    @verb(CardToGive, CardStep, operation_id="members_give_card")
    def post(self, request: Request, member_no: str) -> Response:
        """Give a member a card and activate it: one that was made, by its number, or a new one of a type."""
        member = member_at(request, member_no)
        data = checked(CardToGive, request.data)
        origin = origin_of(request, data)
        wanted = {"number": data.get("number", ""), "card_type": _type_of(request.user, data.get("card_type"))}
        wanted["principal"] = _person(request.user, data, "principal")
        return created(cards.hand_over(member, node=origin.store or request.user.org_unit, **wanted, origin=origin))


class CardStepView(APIView):
    """A step of one card: what it reads, and which service it is, the subclass says."""

    scope = "cards"
    reads: type[Serializer] = Reason

    def step(self, card: Card, data: dict[str, Any], **origin: Any) -> dict[str, Any]:
        raise NotImplementedError

    def take(self, request: Request, number: str) -> Response:
        card = cards.find(number, actor=request.user)
        data = checked(self.reads, request.data)
        return created(self.step(card, data, origin=origin_of(request, data)))


class ActivationsView(CardStepView):
    reads = Activation

    @verb(Activation, CardStep, operation_id="cards_activate")
    def post(self, request: Request, number: str) -> Response:
        """Let a card that was made spend; give it to its holder first, where it is nobody's."""
        return self.take(request, number)

    def step(self, card: Card, data: dict[str, Any], **origin: Any) -> dict[str, Any]:
        member, principal = (_person(self.request.user, data, field) for field in ("member", "principal"))
        return cards.activate(card, member, principal=principal, **origin)


class LossesView(CardStepView):
    @verb(Reason, CardStep, operation_id="cards_report_lost")
    def post(self, request: Request, number: str) -> Response:
        """Report a card lost: from now on it spends nothing, anywhere. Any business that sees it may."""
        return self.take(request, number)

    def step(self, card: Card, data: dict[str, Any], **origin: Any) -> dict[str, Any]:
        return cards.report_lost(card, reason=data["reason"], **origin)


class RecoveriesView(CardStepView):
    @verb(Reason, CardStep, operation_id="cards_recover")
    def post(self, request: Request, number: str) -> Response:
        """A lost card was found: back to where it stood."""
        return self.take(request, number)

    def step(self, card: Card, data: dict[str, Any], **origin: Any) -> dict[str, Any]:
        return cards.recover(card, reason=data["reason"], **origin)


class FreezesView(CardStepView):
    @verb(Reason, CardStep, operation_id="cards_freeze")
    def post(self, request: Request, number: str) -> Response:
        """Freeze a card: from now on it spends nothing, anywhere."""
        return self.take(request, number)

    def step(self, card: Card, data: dict[str, Any], **origin: Any) -> dict[str, Any]:
        return cards.freeze(card, reason=data["reason"], **origin)


class UnfreezesView(CardStepView):
    @verb(Reason, CardStep, operation_id="cards_unfreeze")
    def post(self, request: Request, number: str) -> Response:
        """Let a frozen card spend again."""
        return self.take(request, number)

    def step(self, card: Card, data: dict[str, Any], **origin: Any) -> dict[str, Any]:
        return cards.unfreeze(card, reason=data["reason"], **origin)


class ReplacementsView(CardStepView):
    reads = Replacement

    @verb(Replacement, ReplacedCard, operation_id="cards_replace")
    def post(self, request: Request, number: str) -> Response:
        """Replace a card: the number changes, everything else follows."""
        return self.take(request, number)

    def step(self, card: Card, data: dict[str, Any], **origin: Any) -> dict[str, Any]:
        return cards.replace(card, reason=data["reason"], number=data.get("number", ""), **origin)


class RenewalsView(CardStepView):
    reads = Renewal

    @verb(Renewal, CardStep, operation_id="cards_renew")
    def post(self, request: Request, number: str) -> Response:
        """Another term of validity, from the end of this one, or from now."""
        return self.take(request, number)

    def step(self, card: Card, data: dict[str, Any], **origin: Any) -> dict[str, Any]:
        return cards.renew(card, reason=data["reason"], **origin)


class ClosuresView(CardStepView):
    @verb(Reason, ClosedCard, operation_id="cards_close")
    def post(self, request: Request, number: str) -> Response:
        """Take a card back, for ever; the answer says which deposit is due."""
        return self.take(request, number)

    def step(self, card: Card, data: dict[str, Any], **origin: Any) -> dict[str, Any]:
        return cards.close(card, reason=data["reason"], **origin)


def _type_of(channel: Channel, code: str | None) -> CardType | None:
    if code is None:
        return None
    card_type = CardType.objects.visible_to(channel).select_related("org_unit").filter(code=code).first()
    if card_type is None:
        raise CardTypeNotFound(field="card_type")
    return card_type


def _person(channel: Channel, data: Mapping[str, Any], field: str) -> Member | None:
    if field not in data:
        return None
    try:
        return member_of(channel, data[field])
    except MemberNotFound as reason:
        raise MemberNotFound(field=field) from reason


def _with_people(found: QuerySet[Card]) -> QuerySet[Card]:
    return found.select_related("card_type", "member", "principal", "org_unit", "replaces")


def _described(found: list[Card], channel: Channel) -> list[dict[str, Any]]:
    holders = {card.member_id for card in found if card.member_id}
    known = set(Member.objects.visible_to(channel).filter(pk__in=holders).values_list("pk", flat=True))
    return CardAnswer(found, many=True, context={"known": known, "readable": readable(channel, known)}).data
