"""What a merge moves on this floor: tags, where a person's word beats a rule's; and gifts that still wait."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import pgettext

from marketing.models import CampaignMember, MemberTag, Tag
from members.interfaces import Answer, Origin
from members.interfaces.steps import Line
from members.models import Member

SAID = ("value", "source", "is_held_off", "set_by_id", "why")
WHEN = ("since", "until")


def merge(loser: Member, winner: Member, origin: Origin) -> Answer:
    """A tag that both carry stays the winner's, unless only the loser's was set by hand: then its words win.

    The loser keeps the row of such a tag, and of a campaign that names both: it gives its gift once. A gift that is
    being given right now is passed over (it waits for our accounts, and lands with the winner).
    """
    return {
        "said": _say_what_was_said(loser, winner),
        "tags": _move(MemberTag.objects.all(), "tag", loser, winner),
        "campaigns": _move(
            CampaignMember.objects.waiting().select_for_update(skip_locked=True), "campaign", loser, winner
        ),
    }


def undo(loser: Member, winner: Member, moved: Answer, origin: Origin) -> None:
    MemberTag.objects.filter(pk__in=moved["tags"], member=winner).update(member=loser)
    waiting = CampaignMember.objects.waiting().filter(pk__in=moved["campaigns"], member=winner)
    waiting.update(member=loser)
    for said in moved["said"]:
        row = MemberTag.objects.filter(member=winner, tag=said["tag"]).first()
        theirs = MemberTag.objects.filter(member=loser, tag=said["tag"]).first()
        if row and theirs and _words(row) == _words(theirs):
            MemberTag.objects.filter(pk=row.pk).update(**said["before"])


def preview(loser: Member, winner: Member, actor: Any) -> list[Line]:
    carried = MemberTag.objects.filter(tag__in=Tag.objects.visible_to(actor), is_held_off=False).select_related("tag")
    rows = [carried.filter(member=one) for one in (loser, winner)]
    theirs, ours = ([row.tag.name for row in tags.order_by("tag__code")] for tags in rows)
    together = [*ours, *(name for name in theirs if name not in ours)]
    return [Line(pgettext("plural", "标签"), *("、".join(names) or "—" for names in (theirs, ours, together)))]


def _say_what_was_said(loser: Member, winner: Member) -> list[dict[str, Any]]:
    by_hand = MemberTag.objects.filter(member=loser, source=MemberTag.Source.MANUAL)
    changed = []
    for row in by_hand.order_by("pk"):
        mine = MemberTag.objects.filter(member=winner, tag=row.tag_id, source=MemberTag.Source.RULE).first()
        if mine:
            changed.append({"tag": row.tag_id, "before": _words(mine)})
            MemberTag.objects.filter(pk=mine.pk).update(**_words(row))
    return changed


def _words(row: MemberTag) -> dict[str, Any]:
    """What a row says, JSON-native."""
    said = {name: getattr(row, name) for name in SAID}
    return said | {name: getattr(row, name) and getattr(row, name).isoformat() for name in WHEN}


def _move(rows, of: str, loser: Member, winner: Member) -> list[int]:
    same = rows.model.objects.filter(member=winner, **{of: OuterRef(of)})
    keys = list(rows.filter(member=loser).filter(~Exists(same)).order_by("pk").values_list("pk", flat=True))
    rows.model.objects.filter(pk__in=keys).update(member=winner)
    return keys
