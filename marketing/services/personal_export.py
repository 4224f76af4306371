"""What is said of a member, and what he was sent, for himself."""

from django.utils.translation import gettext as _

from marketing.models import CampaignMember, MemberTag
from members.models import Member
from members.services.personal_export import Record, records


def tags(member: Member) -> list[Record]:
    columns = (
        (_("标签"), "tag.name"),
        (_("取值"), "value"),
        (_("来源"), "get_source_display"),
        (_("原因"), "why"),
        (_("开始时间"), "since"),
        (_("结束时间"), "until"),
    )
    return records(MemberTag.objects.filter(member=member).select_related("tag").order_by("pk"), columns)


def campaigns(member: Member) -> list[Record]:
    columns = ((_("活动"), "campaign.name"), (_("状态"), "get_state_display"), (_("结果"), "result"))
    rows = CampaignMember.objects.filter(member=member).select_related("campaign")
    return records(rows.order_by("pk"), columns)
