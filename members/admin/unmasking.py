"""Member 360 is masked for everybody; who may read personal data asks for it, for this once, and that is recorded."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from members.admin.attributes import asked_on, shown
from members.interfaces.admin import admin_origin
from members.models import Attribute, Identity, Member
from members.rules import mask_birthday, mask_identity, mask_name
from members.services import attributes, unmasking


def may_read(request: HttpRequest) -> bool:
    return request.user.has_perm("members.view_personal_data")


def masked(member: Member, identities: list[Identity]) -> dict[str, Any]:
    """What a page shows of a person until it is asked for more."""
    return {
        "name": mask_name(member.name),
        "identities": [(identity, masked_identity(identity)) for identity in identities],
        "birthday": mask_birthday(member.birthday),
    }


def masked_identity(identity: Identity) -> str:
    return mask_identity(identity.kind, identity.value)


@transaction.atomic
def unmasked(request: HttpRequest, member: Member, identities: list[Identity]) -> HttpResponse:
    """The same part of the page in clear. A page that is not told of (a failed transaction) shows nothing."""
    if not may_read(request):
        raise PermissionDenied
    sensitive = _sensitive(member, request)
    said = {
        "name": member.name,
        "identities": [(identity, identity.value) for identity in identities],
        "birthday": f"{member.birthday:%Y-%m-%d}" if member.birthday else "",
        "sensitive": [(attribute.name, value) for attribute, value in sensitive],
    }
    what = ["name", "birthday", *(identity.kind for identity in identities)]
    what += [attribute.code for attribute, _ in sensitive]
    unmasking.record(member, page="360", what=what, origin=admin_origin(request))
    context = {"member": member, "is_unmasked": True, "told": gettext("已显示，本次查看已记录。"), **said}
    return TemplateResponse(request, "admin/members/member/_person.html", context).render()


def record_form(request: HttpRequest, member: Member, *, page: str = "form") -> None:
    """A form shows what it lets one change."""
    unmasking.record(member, page=page, what=["name", "birthday"], origin=admin_origin(request))


def _sensitive(member: Member, request: HttpRequest) -> list[tuple[Attribute, str]]:
    asked = [one for one in asked_on(Attribute.Page.MEMBER_360, request.user) if one.is_sensitive]
    known = attributes.known_of(member, asked)
    return [(one, shown(one, known[one.code], may_read=True)) for one in asked if one.code in known]
