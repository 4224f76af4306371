"""What member 360 and the member list show of tags."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from marketing.models import MemberTag, Tag
from members.models import Member, Operator

SHADES = {
    Tag.Colour.GREY: "#57534e",
    Tag.Colour.GREEN: "#15803d",
    Tag.Colour.BLUE: "#1d4ed8",
    Tag.Colour.ORANGE: "#c2410c",
    Tag.Colour.RED: "#b91c1c",
    Tag.Colour.PURPLE: "#7e22ce",
}


def badges(member: Member, actor: Operator | None) -> dict[str, Any]:
    """Beside the name: the tags in force that the operator may see."""
    return {"badges": in_colour(row.tag for row in _seen_by(actor).in_force(timezone.now()).filter(member=member))}


def tags(member: Member, actor: Operator | None) -> dict[str, Any]:
    """The tab: also what was held off, and what has ended."""
    return {"rows": _seen_by(actor).filter(member=member).select_related("set_by")}


def tags_of(keys: Sequence[int]) -> Mapping[int, str]:
    """The column 标签 of the member list: those of the group, which everybody sees."""
    found = defaultdict(list)
    rows = MemberTag.objects.in_force(timezone.now()).filter(member__in=keys, tag__scope__depth=1)
    for row in rows.select_related("tag").order_by("tag__code"):
        found[row.member_id].append(row.tag)
    return {key: in_colour(carried) for key, carried in found.items()}


def in_colour(found: Iterable[Tag]) -> str:
    shown = ((SHADES[Tag.Colour(tag.colour)], tag.name) for tag in found)
    return format_html_join(" ", '<span class="wt-badge" style="--accent:{0};color:{0}">{1}</span>', shown)


class TagFilter(SimpleListFilter):
    title = _("标签")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, str]]:
        return [(tag.code, tag.name) for tag in Tag.objects.visible_to(request.user)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Member]) -> QuerySet[Member]:
        if not self.value():
            return queryset
        carried = MemberTag.objects.in_force(timezone.now()).filter(
            member=OuterRef("pk"), tag__in=Tag.objects.visible_to(request.user).filter(code=self.value())
        )
        return queryset.filter(Exists(carried))


def _seen_by(actor: Operator | None) -> QuerySet[MemberTag]:
    seen = MemberTag.objects.visible_to(actor).filter(tag__in=Tag.objects.visible_to(actor))
    return seen.select_related("tag").order_by("tag__code")
