"""Two members who are one person, for channels."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api.serializers import MergeAnswer, MergeInput
from members.errors import MemberNotFound, MergeNotFound
from members.interfaces.api import checked, created, member_at, origin_of, verb
from members.models import Merge
from members.services import merging, people


class MergesView(APIView):
    scope = "members"

    @verb(MergeInput, MergeAnswer, operation_id="members_merge")
    def post(self, request: Request, member_no: str) -> Response:
        """Make this member part of another: all that he has moves, and his number leads to the other from now on."""
        loser = member_at(request, member_no)
        data = checked(MergeInput, request.data)
        try:
            winner = people.resolve(data["into"], actor=request.user)
        except MemberNotFound as reason:
            raise MemberNotFound(field="into") from reason
        origin = origin_of(request, {})
        return created(merging.merge(loser, winner, reason=data["reason"], origin=origin))


class MergeUndoView(APIView):
    scope = "members"

    @verb(None, MergeAnswer, operation_id="merges_undo")
    def post(self, request: Request, pk: int) -> Response:
        """Take a merge back while it may be: what the winner has spent or used since stays with him."""
        merge = Merge.objects.visible_to(request.user).select_related("loser", "winner").filter(pk=pk).first()
        if merge is None:
            raise MergeNotFound
        return created(merging.undo(merge, origin=origin_of(request, {})))
