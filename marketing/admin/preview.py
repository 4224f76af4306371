"""What a rule that is being typed says, and how many members it finds."""

import json
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from marketing.forms import RulePreviewForm
from marketing.services.preview import preview
from members import criteria
from members.services.organisation import group


@require_POST
@permission_required("marketing.view_tag", raise_exception=True)
def rule_preview(request: HttpRequest) -> HttpResponse:
    scope = request.POST.get("scope") or request.POST.get("owner")
    form = RulePreviewForm({"rule": request.POST.get("rule"), "scope": scope}, actor=request.user)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        rule, node = form.cleaned_data["rule"], form.cleaned_data["scope"]
        today = timezone.localdate(timezone=group().zone)
        context |= {"words": criteria.describe(rule), "preview": preview(rule, node, as_of=today)}
    return TemplateResponse(request, "marketing/rule_preview.html", context)


def rule_in_words(rule: criteria.Node | None) -> str:
    """Where the preview appears; until then, what the stored rule says; below, what rules can ask."""
    context = {
        "words": criteria.describe(rule) if rule else "",
        "examples": [(label, json.dumps(node, ensure_ascii=False)) for label, node in criteria.examples()],
    }
    return render_to_string("marketing/rule_in_words.html", context)
