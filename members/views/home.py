"""Home and the member code. Floors above add panels."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from members.interfaces import home_panels
from members.interfaces.pages import member_required
from members.models import Member, OrgUnit
from members.services.member_code import GRACE, LIFETIME, issue_member_code


@never_cache
@require_GET
@member_required
def home(request: HttpRequest) -> HttpResponse:
    panels: dict[str, list[str]] = defaultdict(list)
    contexts: dict[Callable, dict[str, Any]] = {}  # several panels may show parts of one
    for panel in home_panels:
        if panel.context not in contexts:
            contexts[panel.context] = panel.context(request.member, None)
        panels[panel.place].append(render_to_string(panel.template, contexts[panel.context], request))
    context = {"panels": dict(panels), "businesses": businesses_of(request.member)}
    return render(request, "member/home.html", context)


def businesses_of(member: Member) -> list[tuple[OrgUnit, bool]]:
    """Every business of the group, and whether the member has joined it."""
    joined = set(member.memberships.values_list("business_id", flat=True))
    businesses = OrgUnit.objects.businesses().filter(is_active=True)
    return [(business, business.pk in joined) for business in businesses]


@never_cache
@require_GET
@member_required
def code(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx a fresh code alone."""
    context = {
        "digits": issue_member_code(request.member, at=timezone.now()),
        "lifetime": LIFETIME,
        "stale_after": LIFETIME + GRACE,
    }
    return render(request, "member/_code.html" if request.htmx else "member/code.html", context)
