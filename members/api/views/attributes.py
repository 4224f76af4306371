"""What operators want to know of members, for channels: what is asked at the channel's node, and what is known."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api.serializers import AttributeAnswer, AttributesAnswer, AttributesInput
from members.api.views.personal import readable
from members.interfaces.api import checked, member_at, origin_of, query, verb
from members.services import attributes


class AttributesView(APIView):
    scope = "members"

    @query(AttributeAnswer(many=True), operation_id="members_attributes")
    def get(self, request: Request, member_no: str) -> Response:
        """What is asked of a member here, and what is known."""
        member = member_at(request, member_no)
        asked = list(attributes.asked_by(request.user.reach))
        known = attributes.known_of(member, asked)
        unmasked = member.pk in readable(request.user, [member.pk])
        return Response(
            [
                {
                    "code": one.code,
                    "name": one.name,
                    "kind": one.kind,
                    "options": one.options,
                    "is_required": one.is_required,
                    "value": attributes.in_words(known.get(one.code)) if unmasked or not one.is_sensitive else None,
                }
                for one in asked
            ]
        )

    @verb(AttributesInput, AttributesAnswer, answers_with=200, operation_id="members_set_attributes")
    def patch(self, request: Request, member_no: str) -> Response:
        """Set what is known of a member, by code."""
        member = member_at(request, member_no)
        values = checked(AttributesInput, request.data)["values"]
        mine = attributes.asked_by(request.user.reach)
        return Response(attributes.set_values(member, values, attributes=mine, origin=origin_of(request, {})))
