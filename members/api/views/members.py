"""Members, for channels: finding, enrolling, reading and changing one."""

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api.serializers import (
    EnrolAnswer,
    EnrolInput,
    FoundMembers,
    MemberAnswer,
    MemberQuery,
    UpdateAnswer,
    UpdateInput,
)
from members.api.views.consents import agreement_of
from members.api.views.personal import readable
from members.interfaces.api import business_of, checked, created, member_at, origin_of, query, verb
from members.models import Channel, Identity, Member, Membership
from members.scoping import rows_within
from members.services import people
from members.services.identities import in_sight, suspicion_noted
from members.services.member_code import resolve_member_code

PERSON = ("name", "gender", "birthday", "source", "device")


class MembersView(APIView):
    scope = "members"

    @query(FoundMembers, reader=MemberQuery, operation_id="members_find")
    def get(self, request: Request) -> Response:
        """Find one person by phone, e-mail, another identity, or the code on his phone."""
        way, written = checked(MemberQuery, request.query_params).popitem()
        found = _find(request.user, way, written)
        visible = Member.objects.visible_to(request.user).filter(pk=found.pk if found else None)
        return Response({"results": _described(visible, request.user)})

    @verb(EnrolInput, EnrolAnswer, operation_id="members_enrol")
    def post(self, request: Request) -> Response:
        """Enrol a person, or let one whom the group knows join the business."""
        data = checked(EnrolInput, request.data)
        origin = origin_of(request, data)
        place = {"business": business_of(request.user, data.get("business")) or origin.business, "store": origin.store}
        if "code" in data:
            member = resolve_member_code(data["code"], at=origin.posted_at)
            return created(people.join(member, **place, origin=origin))
        person = {field: data[field] for field in PERSON if field in data}
        agreed = [agreement_of(request.user, one) for one in data.get("consents", ())]
        with suspicion_noted(at=origin.posted_at):
            answer = people.enrol(identities=data["identities"], **person, **place, agreements=agreed, origin=origin)
        return created(answer)


class MemberView(APIView):
    scope = "members"

    @query(MemberAnswer, operation_id="members_read")
    def get(self, request: Request, member_no: str) -> Response:
        """Read one member."""
        [answer] = _described(Member.objects.filter(pk=member_at(request, member_no).pk), request.user)
        return Response(answer)

    @verb(UpdateInput, UpdateAnswer, answers_with=200, operation_id="members_update")
    def patch(self, request: Request, member_no: str) -> Response:
        """Change name, gender or birthday; what is left out stays."""
        member = member_at(request, member_no)
        changes = checked(UpdateInput, request.data)
        return Response(people.update_member(member, changes, origin=origin_of(request, {})))


def _find(channel: Channel, way: str, written: str) -> Member | None:
    if way == "code":
        return resolve_member_code(written, at=timezone.now())
    kind, _, value = written.partition(":") if way == "identity" else (way, "", written)
    return people.find(kind, value, business=channel.org_unit.business, channel=channel)


def _described(members: QuerySet[Member], channel: Channel) -> list[dict]:
    """As the channel may see them: masked, and only the memberships of its own reach."""
    memberships = rows_within(Membership.objects.select_related("business"), channel.reach, business="business")
    identities = Prefetch("identities", Identity.objects.select_related("channel__org_unit").preferred())
    found = members.prefetch_related(identities, Prefetch("memberships", memberships, to_attr="visible_memberships"))
    for member in found:
        member.visible_identities = in_sight(member.identities.all(), channel)
    return MemberAnswer(found, many=True, context={"readable": readable(channel, [one.pk for one in found])}).data
