"""What is told to who asked for something that has to wait."""

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext

from members.models import Approval


def tell_asked(request: HttpRequest, approval: Approval) -> None:
    """The message after a change that has to wait, with the way to its approval."""
    said = gettext("已提交审批，由另一位有权限的同事批准后生效：")
    messages.success(request, with_link(said, approval))


def tell_pending(request: HttpRequest, approval: Approval) -> None:
    """The message on the page of what somebody wants to change already."""
    messages.warning(request, with_link(gettext("这条记录有尚待审批的修改："), approval))


def with_link(said: str, approval: Approval) -> str:
    page = reverse("admin:members_approval_change", args=[approval.pk])
    return format_html('{}<a class="underline" href="{}">{}</a>', said, page, approval)
