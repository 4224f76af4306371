"""What operators ask members about themselves, filled in by the member."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from members.attribute_fields import AttributesForm
from members.errors import Refused
from members.interfaces.pages import member_required
from members.interfaces.refusals import tell
from members.models import Attribute, Channel
from members.services import attributes
from members.services.organisation import own_origin


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def about_me(request: HttpRequest) -> HttpResponse:
    """What the group and the member's businesses ask, as a form."""
    mine = attributes.asked_of(request.member)
    asked = [attribute for attribute in mine if Attribute.Page.ME in attribute.pages]
    known = attributes.known_of(request.member, asked)
    form = AttributesForm(request.POST or None, asked=asked, known=known)
    if form.is_valid():
        try:
            origin = own_origin(Channel.Kind.MEMBER)
            attributes.set_values(request.member, form.values(), attributes=mine, origin=origin)
            return redirect("member:me")
        except Refused as refusal:
            tell(form, refusal)
    return render(request, "member/about_me.html", {"form": form})
