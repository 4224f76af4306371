"""What members agree to, for channels."""

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api.serializers import (
    ConsentInput,
    ConsentsAnswer,
    GivenAnswer,
    WithdrawalAnswer,
    WithdrawalInput,
)
from members.errors import OrgUnitNotFound
from members.interfaces.api import business_of, checked, created, member_at, origin_of, query, verb
from members.models import Channel, Consent, Medium, OrgUnit
from members.services import consents
from members.services.organisation import group


class ConsentsView(APIView):
    scope = "consents"

    @query(ConsentsAnswer, operation_id="members_consents")
    def get(self, request: Request, member_no: str) -> Response:
        """What he agreed to with the channel's business or with the group, latest first; ended ones too."""
        member = member_at(request, member_no)
        visible = Consent.objects.visible_to(request.user).filter(member=member)
        return Response(ConsentsAnswer({"results": visible.select_related("receiver")}).data)

    @verb(ConsentInput, GivenAnswer, operation_id="members_consent")
    def post(self, request: Request, member_no: str) -> Response:
        """He agrees. Another version takes the place of the one before."""
        member = member_at(request, member_no)
        data = checked(ConsentInput, request.data)
        agreement = agreement_of(request.user, data)
        origin = origin_of(request, {"at": data["at"]} if "at" in data else {})
        said = {name: getattr(agreement, name) for name in ("receiver", "purpose", "medium", "version", "evidence")}
        return created(consents.give(member, **said, origin=origin))


class WithdrawalsView(APIView):
    scope = "consents"

    @verb(WithdrawalInput, WithdrawalAnswer, operation_id="members_withdraw_consent")
    def post(self, request: Request, member_no: str) -> Response:
        """He takes it back, at once, whether or not it was given here."""
        member = member_at(request, member_no)
        data = checked(WithdrawalInput, request.data)
        receiver = receiver_of(request.user, data.get("receiver"))
        medium = data.get("medium", Medium.ANY)
        answer = consents.withdraw(
            member, receiver=receiver, purpose=data["purpose"], medium=medium, origin=origin_of(request, {})
        )
        return created(answer)


def receiver_of(channel: Channel, code: str | None) -> OrgUnit:
    """The business by its code, or the group, with which everybody may agree; without a code the channel's own."""
    top = group()
    if code == top.code:
        return top
    business = business_of(channel, code)
    if business is None and code:
        raise OrgUnitNotFound(field="receiver")
    return business or top


def agreement_of(channel: Channel, said: Mapping[str, Any]) -> consents.Agreement:
    evidence = said.get("evidence", {})
    return consents.Agreement(
        receiver=receiver_of(channel, said.get("receiver")),
        purpose=said["purpose"],
        medium=said.get("medium", Medium.ANY),
        version=said.get("version", ""),
        evidence=consents.evidence_of(page=evidence.get("page", ""), address=evidence.get("address", "")),
    )
