"""What the API of every floor shares: reading input, finding the place, making the origin, describing verbs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from members.errors import (
    CardNotFound,
    IdempotencyKeyMissing,
    MemberNotFound,
    OrgUnitNotFound,
    StoreNotFound,
    TerminalNotFound,
)
from members.interfaces import Answer, Origin
from members.models import Card, Channel, Member, OrgUnit, Terminal
from members.rules import is_member_no
from members.services import cards, people
from members.services.memory import Memory
from members.services.requests import hash_input

MAX_FEN = 10**12  # ten thousand million yuan: far above any receipt, far below what bigint holds
MAX_QUANTITY = 10**12
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_DIFFERENCE = timedelta(minutes=5)
KEY_LENGTHS = range(1, 121)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 120, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    required=True,
    description="Your reference of this request. Sent again with the same content it gets the first answer and has"
    " no second effect; with other content it is refused (`reference_reused`).",
)

_places = Memory(seconds=5)


# --- Fields -----------------------------------------------------------------------------------------------------


class Fen(serializers.IntegerField):
    """Money in fen, the hundredth of a yuan."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**{"min_value": 0, "max_value": MAX_FEN, **kwargs})


class Quantity(serializers.IntegerField):
    """Points, or units of another asset."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**{"min_value": 1, "max_value": MAX_QUANTITY, **kwargs})


class Moment(serializers.DateTimeField):
    """ISO 8601 with an offset: a time without one would be anybody's guess."""

    default_error_messages = {
        "naive": _("请带上时区，例如 2026-11-21T10:00:00+08:00。"),
        "too_early": _("时间过早：不能早于 2000 年。"),
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("naive")
        if value < EARLIEST:
            self.fail("too_early")
        return super().enforce_timezone(value)


class PastMoment(Moment):
    """Business time; a caller's clock may run a little ahead of ours."""

    default_error_messages = {"in_future": _("时间晚于现在，请检查终端时钟。")}

    def to_internal_value(self, value: Any) -> datetime:
        moment = super().to_internal_value(value)
        if moment > timezone.now() + CLOCK_DIFFERENCE:
            self.fail("in_future")
        return moment


class Code(serializers.CharField):
    """A code of ours or of the caller's."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**{"max_length": 80, **kwargs})


class MemberField(serializers.CharField):
    def __init__(self, **kwargs) -> None:
        super().__init__(**{"max_length": 40, "help_text": "Member number or phone.", **kwargs})


class CardField(serializers.CharField):
    def __init__(self, **kwargs) -> None:
        about = "Number of the card that is shown, in place of `member`: its limits hold, and it must be good."
        super().__init__(**{"max_length": 60, "help_text": about, **kwargs})


class PlaceInput(serializers.Serializer):
    """Where and when it happened. A channel that stands on a store may leave the store out."""

    store = Code(required=False, help_text="Code of the store.")
    terminal = Code(required=False, help_text="Code of the till in the store.")
    at = PastMoment(required=False, help_text="Business time; now when left out.")


class SpenderInput(PlaceInput):
    """Whose assets these are: a member's, or those for which a card spends. One of the two."""

    member = MemberField(required=False)
    card = CardField(required=False)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("member" in data) == ("card" in data):
            raise serializers.ValidationError({"member": _("请填写 member、card 中的一个。")}, code="one_of")
        return data


# --- From request to values --------------------------------------------------------------------------------------


def checked(serializer: type[serializers.Serializer], data: Any, **kwargs) -> dict[str, Any]:
    """The validated input. Raises ValidationError, which names every field that is wrong."""
    reader = serializer(data=data, **kwargs)
    reader.is_valid(raise_exception=True)
    return reader.validated_data


def origin_of(request: Request, place: Mapping[str, Any]) -> Origin:
    """The origin of a request; `place` may name store, terminal and time (PlaceInput).

    Raises IdempotencyKeyMissing, StoreNotFound, TerminalNotFound.
    """
    return make_origin(
        request.user,
        place,
        reference=reference_of(request),
        input_hash=hash_input([request.method, request.path, request.data]),
    )


def make_origin(channel: Channel, place: Mapping[str, Any], *, reference: str, input_hash: str) -> Origin:
    now = timezone.now()
    store = store_of(channel, place.get("store"))
    return Origin(
        channel=channel,
        reference=reference,
        at=place.get("at") or now,
        posted_at=now,
        store=store,
        business=store.business if store else channel.org_unit.business,
        terminal=_terminal_of(store, place.get("terminal")),
        input_hash=input_hash,
    )


def reference_of(request: Request) -> str:
    reference = request.headers.get("Idempotency-Key", "").strip()
    if len(reference) not in KEY_LENGTHS or not (reference.isascii() and reference.isprintable()):
        raise IdempotencyKeyMissing(field="Idempotency-Key")
    return reference


def store_of(channel: Channel, code: str | None) -> OrgUnit | None:
    """The store by its code, or the one on which the channel stands. Raises StoreNotFound."""
    node = channel.org_unit
    if code is None:
        return node if node.kind == OrgUnit.Kind.STORE else None
    stores = OrgUnit.objects.visible_to(channel).stores().filter(is_active=True).select_related("business")
    store = _places.get((node.pk, "store", code), stores.filter(code=code).first)
    if store is None:
        raise StoreNotFound(field="store")
    return store


def business_of(channel: Channel, code: str | None) -> OrgUnit | None:
    """The business by its code, or the channel's own. Raises OrgUnitNotFound."""
    if code is None:
        return channel.org_unit.business
    businesses = OrgUnit.objects.visible_to(channel).businesses().filter(code=code)
    business = _places.get((channel.org_unit_id, "business", code), businesses.first)
    if business is None:
        raise OrgUnitNotFound(field="business")
    return business


def member_at(request: Request, member_no: str) -> Member:
    """The member whom a path names. Raises MemberNotFound, also for one whom the channel's business does not know."""
    if not is_member_no(member_no):
        raise MemberNotFound()
    return people.resolve(member_no, actor=request.user)


def member_of(channel: Channel, written: str) -> Member:
    """The member whom a body names by number or phone. Raises MemberNotFound."""
    try:
        return people.resolve(written, actor=channel)
    except MemberNotFound as reason:
        raise MemberNotFound(field="member") from reason


def spender_of(channel: Channel, data: Mapping[str, Any]) -> tuple[Member, Card | None]:
    """The member whom a SpenderInput names, or the one for whom its card spends.

    Raises MemberNotFound, CardNotFound; a card is as unknown to a business as the member for whom it spends, and one
    that nobody holds yet is nobody's.
    """
    if "card" not in data:
        return member_of(channel, data["member"]), None
    card = card_of(channel, data["card"])
    spender = card.spender
    if spender is None or not Member.objects.visible_to(channel).filter(pk=spender.pk).exists():
        raise CardNotFound(field="card")
    return spender, card


def card_of(channel: Channel, written: str) -> Card:
    """The card in sight that a body names by its number. Raises CardNotFound."""
    try:
        return cards.find(written, actor=channel)
    except CardNotFound as reason:
        raise CardNotFound(field="card") from reason


def _terminal_of(store: OrgUnit | None, code: str | None) -> Terminal | None:
    if code is None:
        return None
    terminals = Terminal.objects.filter(store=store, code=code, is_active=True)
    terminal = _places.get((store and store.pk, "terminal", code), terminals.first)
    if terminal is None:
        raise TerminalNotFound(field="terminal")
    return terminal


# --- From values to answers --------------------------------------------------------------------------------------


def verb(request: Any, answer: Any, *, answers_with: int = status.HTTP_201_CREATED, **more):
    """Describe a method that changes something: its input, its answer, and the key that makes it safe to repeat."""
    return extend_schema(request=request, responses={answers_with: answer}, parameters=[IDEMPOTENCY_KEY], **more)


def query(answer: Any, *, reader: type[serializers.Serializer] | None = None, **more):
    """Describe a method that answers a question; `reader` reads its query parameters."""
    return extend_schema(parameters=[reader] if reader else [], responses={200: answer}, **more)


def created(answer: Answer) -> Response:
    """The same answer at every repetition, so the same status too."""
    return Response(answer, status=status.HTTP_201_CREATED)
