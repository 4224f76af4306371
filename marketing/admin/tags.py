from datetime import datetime

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from marketing.admin.preview import rule_in_words, rule_preview
from marketing.forms import MemberTagForm, TagForm
from marketing.models import MemberTag, Tag, TagRun
from marketing.services import tags
from members.interfaces.admin import ReadOnlyAdmin, ScopedAdmin, admin_origin, refusals_as_messages
from members.interfaces.big_lists import BigList, InSightFilter
from members.services.organisation import group

# unfold's own label colours
LABELS = {
    "grey": "default",
    "green": "success",
    "blue": "info",
    "orange": "warning",
    "red": "danger",
    "purple": "primary",
}


@admin.register(Tag)
class TagAdmin(ScopedAdmin):
    form = TagForm
    list_display = ("shown_name", "code", "kind", "scope", "members_now", "last_run", "is_active")
    list_filter = ("kind", "is_active", ("scope", admin.RelatedOnlyFieldListFilter))
    search_fields = ("code", "name")
    actions = ("recompute",)
    fields = ("code", "name", "colour", "scope", "kind", "rule", "said", "version", "is_active")
    readonly_fields = ("said", "version")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        last = TagRun.objects.filter(tag=OuterRef("pk")).order_by("-pk").values("at")[:1]
        carried = MemberTag.objects.in_force(timezone.now()).filter(tag=OuterRef("pk")).order_by()
        count = carried.values("tag").annotate(n=Count("pk")).values("n")
        in_sight = super().get_queryset(request).select_related("scope")
        return in_sight.annotate(carried=Subquery(count), last_run_at=Subquery(last))

    def has_change_permission(self, request: HttpRequest, obj: Tag | None = None) -> bool:
        """A tag of a node above is used here, and kept there."""
        return super().has_change_permission(request, obj) and is_kept_by(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Tag | None = None) -> bool:
        return super().has_delete_permission(request, obj) and is_kept_by(request, obj)

    def save_model(self, request: HttpRequest, obj: Tag, form: forms.ModelForm, change: bool) -> None:
        tags.save(obj, origin=admin_origin(request))

    @admin.action(description=_("重新计算"), permissions=["change"])
    def recompute(self, request: HttpRequest, queryset: QuerySet[Tag]) -> None:
        origin = admin_origin(request)
        today = timezone.localdate(origin.at, group().zone)
        for tag in Tag.objects.kept_by(request.user).filter(pk__in=queryset.values("pk")):
            with refusals_as_messages(request):
                tell(request, tags.recompute(tag, as_of=today, origin=origin))

    def get_urls(self) -> list:
        preview = path("rule/preview/", self.admin_site.admin_view(rule_preview), name="marketing_rule_preview")
        return [preview, *super().get_urls()]

    @display(description=_("名称"), ordering="name", label=LABELS)
    def shown_name(self, tag: Tag) -> tuple[str, str]:
        return tag.colour, tag.name

    @display(description=_("会员数"), ordering="carried")
    def members_now(self, tag: Tag) -> int:
        return tag.carried or 0

    @display(description=_("上次计算"), ordering="last_run_at")
    def last_run(self, tag: Tag) -> datetime | None:
        return tag.last_run_at

    @display(description=_("规则说明"))
    def said(self, tag: Tag) -> str:
        return rule_in_words(tag.rule)


@admin.register(MemberTag)
class MemberTagAdmin(BigList, ScopedAdmin):
    """Tags are set here by hand, and taken off by the action, which leaves a word of it."""

    form = MemberTagForm
    list_display = ("member", "tag", "value", "source", "is_held_off", "set_by", "why", "since", "until")
    list_filter = ("source", "is_held_off", ("tag", InSightFilter))
    list_select_related = ("member", "tag", "set_by")
    search_fields = ("member__member_no",)
    raw_id_fields = ("member",)
    fields = ("member", "tag", "value", "why", "until")
    actions = ("untag",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MemberTag]:
        """A member in sight may carry tags of a business that is not."""
        return super().get_queryset(request).filter(tag__in=Tag.objects.visible_to(request.user))

    def has_change_permission(self, request: HttpRequest, obj: MemberTag | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MemberTag | None = None) -> bool:
        return False

    def has_untag_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("marketing.delete_membertag")

    def save_model(self, request: HttpRequest, obj: MemberTag, form: forms.ModelForm, change: bool) -> None:
        said = {"value": obj.value, "why": obj.why, "until": obj.until}
        obj.pk = tags.tag_member(obj.member, obj.tag, origin=admin_origin(request), **said).pk

    def get_urls(self) -> list:
        """`member/<key>/`: the form for one member, whom member 360 names."""
        of_member = path(
            "member/<int:member_id>/", self.admin_site.admin_view(self.of_member), name="marketing_tag_member"
        )
        return [of_member, *super().get_urls()]

    def of_member(self, request: HttpRequest, member_id: int) -> HttpResponse:
        return redirect(f"{reverse('admin:marketing_membertag_add')}?member={member_id}")

    @admin.action(description=_("摘除标签"), permissions=["untag"])
    def untag(self, request: HttpRequest, queryset: QuerySet[MemberTag]) -> None:
        origin = admin_origin(request)
        rows = list(queryset.select_related("member", "tag"))
        for row in rows:
            tags.untag_member(row.member, row.tag, why=gettext("在后台摘除"), origin=origin)
        messages.success(request, gettext("已摘除 %d 个标签。") % len(rows))


@admin.register(TagRun)
class TagRunAdmin(ReadOnlyAdmin):
    list_display = ("tag", "version", "as_of", "rows", "added", "removed", "milliseconds", "error", "at")
    list_filter = (("tag", admin.RelatedOnlyFieldListFilter), "as_of")
    list_select_related = ("tag",)


def is_kept_by(request: HttpRequest, tag: Tag | None) -> bool:
    return tag is None or Tag.objects.kept_by(request.user).filter(pk=tag.pk).exists()


def tell(request: HttpRequest, run: TagRun) -> None:
    """The outcome of one computation, on the next page."""
    facts = {
        "tag": run.tag,
        "rows": run.rows,
        "added": run.added,
        "removed": run.removed,
        "milliseconds": run.milliseconds,
        "error": run.error,
    }
    if run.error:
        messages.error(request, gettext("%(tag)s：计算失败，标签未变。%(error)s") % facts)
        return
    told = gettext("%(tag)s：命中 %(rows)d 位会员，新增 %(added)d，移除 %(removed)d，用时 %(milliseconds)d 毫秒。")
    messages.success(request, told % facts)
