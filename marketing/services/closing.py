"""What is said about a member goes when he leaves."""

from django.utils.translation import gettext as _

from marketing.models import MemberTag
from members.interfaces import Answer, Origin
from members.models import Member
from members.services.successors import selves


def preview(member: Member) -> dict[str, str]:
    count = MemberTag.objects.filter(member=member).count()
    return {_("标签"): _("%d 个，将移除") % count} if count else {}


def close(member: Member, origin: Origin) -> Answer:
    """Remove his tags, those set by hand too: he is nobody any more."""
    return {"untagged": MemberTag.objects.filter(member__in=selves(member)).delete()[0]}
