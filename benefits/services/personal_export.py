"""What a member has of benefits, for himself."""

from django.utils.translation import gettext as _

from benefits.models import Coupon, MemberTier
from members.models import Member
from members.services.personal_export import Record, records


def coupons(member: Member) -> list[Record]:
    columns = (
        (_("券码"), "code"),
        (_("名称"), "template.name"),
        (_("状态"), "get_state_display"),
        (_("发放时间"), "issued_at"),
        (_("生效时间"), "valid_from"),
        (_("失效时间"), "valid_until"),
        (_("使用时间"), "redeemed_at"),
    )
    return records(Coupon.objects.filter(member=member).select_related("template").order_by("pk"), columns)


def tiers(member: Member) -> list[Record]:
    columns = (
        (_("等级体系"), "programme.name"),
        (_("等级"), "tier.name"),
        (_("开始时间"), "since"),
        (_("结束时间"), "until"),
    )
    rows = MemberTier.objects.filter(member=member).select_related("programme", "tier")
    return records(rows.order_by("pk"), columns)
