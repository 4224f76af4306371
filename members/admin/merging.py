"""Who looks like one person, comparing two, making one of them, and taking that back."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from members.errors import Refused
from members.interfaces.admin import ReadOnlyAdmin, admin_origin, refusals_as_messages
from members.interfaces.admin_approval import tell_asked
from members.models import Duplicate, Member, Merge
from members.rules import mask_name
from members.services import approvals, duplicates, merging, people
from members.services.successors import successor

MAY_MERGE, MAY_UNDO = "members.merge_members", "members.undo_merge"
UNDO = "members.undo_merge"  # the verb that a second person agrees to


class ConfirmForm(forms.Form):
    token = forms.CharField(widget=forms.HiddenInput)  # makes a double click one merge

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, initial={"token": uuid4().hex}, **kwargs)


class ReasonForm(ConfirmForm):
    reason = forms.CharField(label=_("原因"), max_length=200, widget=UnfoldAdminTextInputWidget)


class OtherForm(forms.Form):
    other = forms.CharField(
        label=_("另一位会员"),
        max_length=40,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("会员号或手机号；下一步可比较两人并选择保留哪一位。"),
    )


@admin.register(Duplicate)
class DuplicateAdmin(ReadOnlyAdmin):
    list_display = ("pair", "first_name", "second_name", "why", "shown_state", "found_at", "decided_by")
    list_display_links = None
    list_filter = ("state", "found_at")
    list_select_related = ("first", "second", "decided_by")
    search_fields = ("first__member_no", "second__member_no")
    search_help_text = _("会员号")
    actions = ("dismiss",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Duplicate]:
        """A pair of which only one is in sight would tell of the other."""
        return super().get_queryset(request).filter(second__in=Member.objects.visible_to(request.user))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Who may not merge has nothing to open."""
        return ("compare" if self.has_merge_permission(request) else "pair", *self.list_display[1:])

    @display(description=_("两位会员"))
    def pair(self, pair: Duplicate) -> str:
        return " ≈ ".join(str(member) for member in _later_first(pair))

    @display(description=_("两位会员"))
    def compare(self, pair: Duplicate) -> str:
        """Side by side: who came later would go into who came first."""
        page = reverse("admin:members_merge_compare", args=[member.pk for member in _later_first(pair)])
        link = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
        return format_html(link, page, self.pair(pair))

    @display(description=_("姓名一"))
    def first_name(self, pair: Duplicate) -> str:
        return mask_name(_later_first(pair)[0].name) or "—"

    @display(description=_("姓名二"))
    def second_name(self, pair: Duplicate) -> str:
        return mask_name(_later_first(pair)[1].name) or "—"

    @display(description=_("理由"))
    def why(self, pair: Duplicate) -> str:
        return reasons_of(pair)

    @display(
        description=_("状态"),
        ordering="state",
        label={"open": "warning", "dismissed": "info", "merged": "success"},
    )
    def shown_state(self, pair: Duplicate) -> tuple[str, str]:
        return pair.state, pair.get_state_display()

    @admin.action(description=_("标记为不是同一人"), permissions=["merge"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Duplicate]) -> None:
        done = 0
        for pair in queryset.order_by("pk"):
            with refusals_as_messages(request):
                duplicates.dismiss(pair, origin=admin_origin(request))
                done += 1
        if done:
            messages.success(request, gettext("已标记 %d 对。") % done)

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_MERGE)


@admin.register(Merge)
class MergeAdmin(ReadOnlyAdmin):
    list_display = ("pair", "reason", "operator", "merged_at", "shown_state", "way_back")
    list_display_links = None
    list_filter = ("merged_at", "undone_at")
    list_select_related = ("winner", "loser", "operator")
    search_fields = ("winner__member_no", "loser__member_no")
    search_help_text = _("会员号")
    fields = (
        "winner", "loser", "reason", "operator", "merged_at", "undo_until", "undone_at", "undone_by",
    )  # fmt: skip

    @display(description=_("并入 → 保留"))
    def pair(self, merge: Merge) -> str:
        page = reverse("admin:members_member_360", args=[merge.winner_id])
        link = '{} → <a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
        return format_html(link, merge.loser, page, merge.winner)

    @display(description=_("状态"), label={"done": "success", "undone": "info"})
    def shown_state(self, merge: Merge) -> tuple[str, str]:
        return ("undone", gettext("已撤销")) if merge.undone_at else ("done", gettext("已合并"))

    @display(description=_("撤销"))
    def way_back(self, merge: Merge) -> str:
        if merge.undone_at:
            return "—"
        words = gettext("撤销") if timezone.now() < merge.undo_until else gettext("申请撤销")
        page = reverse("admin:members_merge_undo", args=[merge.pk])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', page, words)

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("start/<int:pk>/", view(self.start), name="members_merge_start"),
            path("compare/<int:loser>/<int:winner>/", view(self.compare), name="members_merge_compare"),
            path("dismiss/<int:pk>/", view(self.dismiss), name="members_duplicate_dismiss"),
            path("<int:pk>/undo/", view(self.undo), name="members_merge_undo"),
            *super().get_urls(),
        ]

    def start(self, request: HttpRequest, pk: int) -> HttpResponse:
        """From member 360: with whom?"""
        member = _member(request, pk)
        form = OtherForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                other = people.resolve(form.cleaned_data["other"].strip(), actor=request.user)
            except Refused as refusal:
                form.add_error("other", str(refusal.message))
            else:
                return redirect("admin:members_merge_compare", other.pk, member.pk)
        pairs = [_other_of(pair, member) for pair in _suspected(request, member)]
        return self._page(request, "start", gettext("合并会员"), member=member, form=form, pairs=pairs)

    def compare(self, request: HttpRequest, loser: int, winner: int) -> HttpResponse:
        """Side by side, what would move; then, with a reason, it does."""
        one, other = _member(request, loser), _member(request, winner)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            origin = admin_origin(request, reference=f"merge:{form.cleaned_data['token']}")
            with refusals_as_messages(request):
                merging.merge(one, other, reason=form.cleaned_data["reason"], origin=origin)
                words = gettext("会员 %(loser)s 已并入 %(winner)s；期限内可在“会员合并”中撤销。")
                messages.success(request, words % {"loser": one.member_no, "winner": other.member_no})
                return redirect("admin:members_member_360", other.pk)
            return redirect(request.get_full_path())
        with refusals_as_messages(request):
            steps = merging.preview(one, other, actor=request.user)
            steps.sort(key=lambda row: row[0].name != "members")  # who they are comes first; assets are locked first
            pair = Duplicate.objects.open().filter(first__in=(one, other), second__in=(one, other)).first()
            return self._page(
                request, "compare", gettext("比较与合并"), loser=one, winner=other, steps=steps, form=form,
                pair=pair, why=reasons_of(pair) if pair else "",
            )  # fmt: skip
        return redirect("admin:members_member_360", successor(other).pk)

    def dismiss(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST" or not request.user.has_perm(MAY_MERGE):
            raise PermissionDenied
        pair = get_object_or_404(Duplicate.objects.visible_to(request.user).select_related("first", "second"), pk=pk)
        with refusals_as_messages(request):
            duplicates.dismiss(pair, origin=admin_origin(request))
            messages.success(request, gettext("已标记为不是同一人。"))
        return redirect("admin:members_duplicate_changelist")

    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """At once within its days; later, or where a policy says so, when a second person agrees."""
        if not request.user.has_perm(MAY_UNDO):
            raise PermissionDenied
        merge = get_object_or_404(self.get_queryset(request).select_related("loser", "winner", "operator"), pk=pk)
        is_late = timezone.now() >= merge.undo_until
        is_for_two = is_late or approvals.needed(UNDO, request.user.reach) is not None
        form = (ReasonForm if is_for_two else ConfirmForm)(request.POST or None)
        if request.method == "POST" and form.is_valid():
            with refusals_as_messages(request):
                self._undo(request, merge, form, is_for_two=is_for_two)
            return redirect("admin:members_merge_changelist")
        title = gettext("撤销会员合并")
        return self._page(request, "undo", title, merge=merge, form=form, is_for_two=is_for_two, is_late=is_late)

    def _undo(self, request: HttpRequest, merge: Merge, form: ConfirmForm, *, is_for_two: bool) -> None:
        origin = admin_origin(request, reference=f"undo:{form.cleaned_data['token']}")
        if is_for_two:
            tell_asked(request, _ask(merge, form.cleaned_data["reason"], origin))
            return
        merging.undo(merge, origin=origin)
        messages.success(request, gettext("合并已撤销：%s 恢复为独立会员。") % merge.loser)

    def _page(self, request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
        around = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        return TemplateResponse(request, f"admin/members/merge/{name}.html", around | context)


def to_winner(request: HttpRequest, pk: int) -> HttpResponse | None:
    """Member 360 of a loser is the winner's, and says so; None where there is none, or none in sight."""
    loser = Member.objects.filter(pk=pk, status=Member.Status.MERGED).first()
    if loser is None:
        return None
    winner = successor(loser)
    if not Member.objects.visible_to(request.user).filter(pk=winner.pk).exists():
        return None
    messages.info(request, gettext("会员 %(loser)s 已并入 %(winner)s。") % {"loser": loser, "winner": winner})
    return redirect("admin:members_member_360", winner.pk)


def _later_first(pair: Duplicate) -> list[Member]:
    """As a merge takes them: the later one into the one who has been here longer."""
    return sorted((pair.first, pair.second), key=lambda member: (member.registered_at, member.pk), reverse=True)


def reasons_of(pair: Duplicate) -> str:
    return "、".join(str(Duplicate.Reason(reason).label) for reason in pair.reasons)


def _member(request: HttpRequest, pk: int) -> Member:
    if not request.user.has_perm(MAY_MERGE):
        raise PermissionDenied
    return get_object_or_404(Member.objects.visible_to(request.user), pk=pk)


def _suspected(request: HttpRequest, member: Member) -> list[Duplicate]:
    pairs = Duplicate.objects.open().select_related("first", "second")
    pairs = (pairs.filter(first=member) | pairs.filter(second=member)).order_by("pk")
    in_sight = Member.objects.visible_to(request.user)
    return [pair for pair in pairs[:20] if in_sight.filter(pk__in=(pair.first_id, pair.second_id)).count() == 2]


def _other_of(pair: Duplicate, member: Member) -> tuple[Member, str, str]:
    other = pair.second if pair.first_id == member.pk else pair.first
    return other, mask_name(other.name), reasons_of(pair)


def _ask(merge: Merge, reason: str, origin):
    return approvals.ask(
        UNDO,
        org_unit=origin.actor.reach,
        arguments={"merge": merge.pk},
        before={_("并入会员"): _("已并入 %s") % merge.winner, _("保留会员"): str(merge.winner)},
        after={_("并入会员"): _("恢复为独立会员 %s") % merge.loser, _("保留会员"): _("退还尚未使用的部分")},
        title=f"{gettext('撤销会员合并')} {merge.loser} → {merge.winner}",
        reason=reason,
        origin=origin,
    )
