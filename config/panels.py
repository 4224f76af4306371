"""What the floors put on the members' home page: the one table."""

from django.utils.translation import gettext_lazy as _

from benefits import views as benefits
from loyalty import views as loyalty
from members.interfaces import Panel, home_panels

PANELS = "member/panels"
HOME = (
    Panel("tier", _("等级"), f"{PANELS}/tier_badge.html", benefits.tier_panel, place="badge"),
    Panel("points", _("积分"), f"{PANELS}/points_card.html", loyalty.standing_panel, place="card", order=10),
    Panel("progress", _("升级进度"), f"{PANELS}/tier_progress.html", benefits.tier_panel, place="card", order=20),
    Panel("expiring", _("即将到期"), f"{PANELS}/points_expiring.html", loyalty.standing_panel, place="notice"),
    Panel("coupons", _("优惠券"), f"{PANELS}/coupons_tile.html", benefits.coupons_panel, place="tile", order=10),
    Panel("pending", _("待生效积分"), f"{PANELS}/points_tile.html", loyalty.standing_panel, place="tile", order=20),
    Panel("my_coupons", _("我的优惠券"), f"{PANELS}/coupons_soon.html", benefits.coupons_panel, order=10),
    Panel("recent", _("最近积分"), f"{PANELS}/points_recent.html", loyalty.recent_panel, order=20),
)


def install() -> None:
    home_panels.install(*HOME)
