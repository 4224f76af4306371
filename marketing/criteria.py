"""What rules may ask of tags. Nested tags read the stored rows, never the other tag's rule."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from marketing.models import MemberTag, Tag
from members.criteria import CODE, Condition, Leaf, Moment, Node, unknown_codes


def tag_names() -> dict[str, str]:
    return dict(Tag.objects.values_list("code", "name"))


class TagLeaf(Leaf):
    """Whether a member carries a tag, with a certain value if one is named."""

    key = "tag"
    label = _("标签")

    def schema(self) -> dict[str, Any]:
        return {"properties": {"tag": CODE.schema, "value": CODE.schema}, "required": ["tag"]}

    def problems(self, node: Node) -> Iterator[tuple[str, str]]:
        return unknown_codes("tag", node["tag"], tag_names)

    def examples(self) -> Iterator[tuple[str, Node]]:
        for code in [*tag_names()][:1]:
            yield str(self.label), {"tag": code}

    def condition(self, node: Node, moment: Moment) -> Condition:
        rows = MemberTag.objects.in_force(moment.end).filter(member=OuterRef("pk"), tag__code=node["tag"])
        if "value" in node:
            rows = rows.filter(value=node["value"])
        return Exists(rows)

    def describe(self, node: Node) -> str:
        value = f"（{node['value']}）" if "value" in node else ""
        return f"{self.label} {tag_names().get(node['tag'], node['tag'])}{value}"


entries = (TagLeaf(),)
