"""Leaving, for channels."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api.serializers import ClosureAnswer, ClosureInput
from members.interfaces.api import checked, created, member_at, origin_of, verb
from members.services import closing


class ClosuresView(APIView):
    scope = "closures"

    @verb(ClosureInput, ClosureAnswer, operation_id="members_close")
    def post(self, request: Request, member_no: str) -> Response:
        """Close his account in the whole group, as he has asked for: it can't be undone."""
        member = member_at(request, member_no)
        reason = checked(ClosureInput, request.data).get("reason", "")
        return created(closing.close(member, reason=reason, origin=origin_of(request, {})))
