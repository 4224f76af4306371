"""By what a member is known, for channels."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api.serializers import IdentitiesAnswer, IdentityAdded, IdentityRemoved, IdentityToAdd
from members.api.views.personal import readable
from members.errors import IdentityNotFound
from members.interfaces.api import checked, created, member_at, origin_of, query, verb
from members.models import Identity
from members.services import identities


class IdentitiesView(APIView):
    scope = "members"

    @query(IdentitiesAnswer, operation_id="members_identities")
    def get(self, request: Request, member_no: str) -> Response:
        """By what he is known: masked as elsewhere; other businesses' own numbers for him stay theirs."""
        member = member_at(request, member_no)
        known = member.identities.select_related("channel__org_unit").preferred()
        context = {"readable": readable(request.user, [member.pk])}
        seen = identities.in_sight(known, request.user)
        return Response(IdentitiesAnswer({"results": seen}, context=context).data)

    @verb(IdentityToAdd, IdentityAdded, operation_id="members_identify")
    def post(self, request: Request, member_no: str) -> Response:
        """Know him by one more thing. What is somebody else's is refused (`identity_taken`), and noted for staff."""
        member = member_at(request, member_no)
        data = checked(IdentityToAdd, request.data)
        origin = origin_of(request, {})
        with identities.suspicion_noted(member, at=origin.posted_at):
            answer = identities.add(member, data["kind"], data["value"], is_verified=data["is_verified"], origin=origin)
        return created(answer)


class IdentityView(APIView):
    scope = "members"

    @verb(None, IdentityRemoved, answers_with=200, operation_id="members_forget_identity")
    def delete(self, request: Request, member_no: str, pk: int) -> Response:
        """Forget one of them; never the last way in. The same again under the same key gets the first answer."""
        member = member_at(request, member_no)
        found = member.identities.filter(pk=pk).select_related("channel__org_unit")
        # One that is not there any more may be a repetition: the service knows its answer.
        stand_in = [] if found else [Identity(pk=pk, member=member)]
        seen = identities.in_sight(found, request.user) or stand_in
        if not seen:
            raise IdentityNotFound
        return Response(identities.remove(seen[0], origin=origin_of(request, {})))
