"""What a member sees and does about himself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from members.interfaces.pages import member_required
from members.models import Identity
from members.rules import mask_phone
from members.views.home import businesses_of


@never_cache
@require_GET
@member_required
def me(request: HttpRequest) -> HttpResponse:
    phone = request.member.identities.filter(kind=Identity.Kind.PHONE).first()
    phone = phone and mask_phone(phone.value)
    joined = [business for business, is_joined in businesses_of(request.member) if is_joined]
    context = {"phone": phone, "businesses": joined}
    return render(request, "member/me.html", context)
