"""What the floors put on the members' home page, on member 360 and into the member list: the one table."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits import views as benefits
from benefits.admin import panels as benefits_admin
from loyalty import views as loyalty
from loyalty.admin import cards as loyalty_cards
from loyalty.admin import history
from loyalty.admin import panels as loyalty_admin
from marketing.admin import panels as marketing_admin
from members import views as members
from members.admin import attributes as attributes_admin
from members.admin import card_panels as cards_admin
from members.admin import consents as consents_admin
from members.admin import panels as members_admin
from members.admin import reminders as reminders_admin
from members.admin.follow_ups import follow_ups_of
from members.admin.tickets import tickets_of
from members.interfaces import Panel, home_panels, member_360_panels
from members.interfaces.admin import MemberAction, MemberColumn, member_pages
from members.interfaces.card_pages import CardPanel, card_pages

PANELS = "member/panels"
HOME = (
    Panel("tier", _("等级"), f"{PANELS}/tier_badge.html", benefits.tier_panel, place="badge"),
    Panel("points", _("积分"), f"{PANELS}/points_card.html", loyalty.standing_panel, place="card", order=10),
    Panel("progress", _("升级进度"), f"{PANELS}/tier_progress.html", benefits.tier_panel, place="card", order=20),
    Panel("expiring", _("即将到期"), f"{PANELS}/points_expiring.html", loyalty.standing_panel, place="notice"),
    Panel("coupons", _("优惠券"), f"{PANELS}/coupons_tile.html", benefits.coupons_panel, place="tile", order=10),
    Panel("pending", _("待生效积分"), f"{PANELS}/points_tile.html", loyalty.standing_panel, place="tile", order=20),
    Panel("cards", _("会员卡"), f"{PANELS}/cards_tile.html", members.cards_panel, place="tile", order=30),
    Panel("my_coupons", _("我的优惠券"), f"{PANELS}/coupons_soon.html", benefits.coupons_panel, order=10),
    Panel("recent", _("最近积分"), f"{PANELS}/points_recent.html", loyalty.recent_panel, order=20),
)

IN_ADMIN = "admin/panels"
MEMBER_360 = (
    Panel("numbers", _("概况"), f"{IN_ADMIN}/numbers.html", loyalty_admin.numbers, place="numbers"),
    Panel("points", _("积分"), f"{IN_ADMIN}/points.html", loyalty_admin.points, place="asset", order=10),
    Panel("tier", _("等级"), f"{IN_ADMIN}/tier_badge.html", benefits_admin.tier, place="badge"),
    Panel(
        "card_badge", _("卡状态"), f"{IN_ADMIN}/card_badge.html", cards_admin.badge, "members.view_card", place="badge"
    ),
    Panel("cards", _("卡"), f"{IN_ADMIN}/cards.html", cards_admin.cards, "members.view_card", order=45, place="tab"),
    Panel("standing", _("等级"), f"{IN_ADMIN}/tier_card.html", benefits_admin.tier, place="asset", order=5),
    Panel(
        "tag_badges",
        pgettext_lazy("plural", "标签"),
        f"{IN_ADMIN}/tag_badges.html",
        marketing_admin.badges,
        place="badge",
        order=110,
    ),
    Panel(
        "usable_coupons",
        pgettext_lazy("plural", "券"),
        f"{IN_ADMIN}/coupons_card.html",
        benefits_admin.usable_coupons,
        "benefits.view_coupon",
        order=30,
        place="asset",
    ),
    Panel("growth", _("成长值"), f"{IN_ADMIN}/growth.html", loyalty_admin.growth, place="asset", order=20),
    Panel(
        "purchases",
        pgettext_lazy("plural", "消费"),
        f"{IN_ADMIN}/purchases.html",
        history.purchases,
        "loyalty.view_purchase",
        order=10,
        place="tab",
    ),
    Panel(
        "transactions",
        _("积分明细"),
        f"{IN_ADMIN}/transactions.html",
        loyalty_admin.transactions,
        "loyalty.view_transaction",
        order=20,
        place="tab",
    ),
    Panel(
        "lots",
        pgettext_lazy("plural", "批次"),
        f"{IN_ADMIN}/lots.html",
        loyalty_admin.lots,
        "loyalty.view_lot",
        order=30,
        place="tab",
    ),
    Panel(
        "coupons",
        pgettext_lazy("plural", "券"),
        f"{IN_ADMIN}/coupons.html",
        benefits_admin.coupons,
        "benefits.view_coupon",
        order=40,
        place="tab",
    ),
    Panel(
        "tiers",
        _("等级记录"),
        f"{IN_ADMIN}/tier_history.html",
        benefits_admin.tier_history,
        "benefits.view_membertier",
        order=50,
        place="tab",
    ),
    Panel(
        "tags",
        pgettext_lazy("plural", "标签"),
        f"{IN_ADMIN}/tags.html",
        marketing_admin.tags,
        "marketing.view_membertag",
        order=60,
        place="tab",
    ),
    Panel(
        "identities",
        pgettext_lazy("plural", "身份标识"),
        f"{IN_ADMIN}/identities.html",
        consents_admin.identities_panel,
        order=62,
        place="tab",
    ),
    Panel(
        "consents",
        pgettext_lazy("plural", "同意记录"),
        f"{IN_ADMIN}/consents.html",
        consents_admin.panel,
        "members.view_consent",
        order=64,
        place="tab",
    ),
    Panel(
        "attributes",
        _("属性"),
        f"{IN_ADMIN}/attributes.html",
        attributes_admin.panel,
        order=65,
        place="tab",
    ),
    Panel(
        "reminders",
        pgettext_lazy("plural", "提醒"),
        f"{IN_ADMIN}/reminders.html",
        reminders_admin.panel,
        "members.view_reminder",
        order=75,
        place="tab",
    ),
    Panel(
        "follow_ups",
        pgettext_lazy("plural", "回访"),
        f"{IN_ADMIN}/follow_ups.html",
        follow_ups_of,
        "members.view_followup",
        order=70,
        place="tab",
    ),
    Panel(
        "tickets",
        pgettext_lazy("plural", "客服工单"),
        f"{IN_ADMIN}/tickets.html",
        tickets_of,
        "members.view_ticket",
        order=72,
        place="tab",
    ),
    Panel(
        "changes",
        pgettext_lazy("plural", "变更记录"),
        f"{IN_ADMIN}/changes.html",
        members_admin.changes,
        "members.view_auditentry",
        order=95,
        place="tab",
    ),
    Panel(
        "events",
        _("操作记录"),
        f"{IN_ADMIN}/events.html",
        members_admin.events,
        "members.view_event",
        order=90,
        place="tab",
    ),
)
COLUMNS = (
    MemberColumn("tier", _("等级"), benefits_admin.tiers),
    MemberColumn("points", _("积分"), loyalty_admin.balances),
    MemberColumn("tags", pgettext_lazy("plural", "标签"), marketing_admin.tags_of),
)
FILTERS = (benefits_admin.TierFilter, marketing_admin.TagFilter)
ACTIONS = (  # what is done every day first, what can't easily be taken back last
    MemberAction(_("调整积分"), "admin:loyalty_account_adjust", "loyalty.adjust_account", is_frequent=True),
    MemberAction(_("发券"), "admin:benefits_coupon_issue", "benefits.issue_coupon", is_frequent=True),
    MemberAction(_("新增回访"), "admin:members_followup_plan", "members.add_followup", is_frequent=True),
    MemberAction(_("新建工单"), "admin:members_ticket_open", "members.add_ticket"),
    MemberAction(_("办卡 / 绑卡"), "admin:members_card_hand_over", "members.issue_card"),
    MemberAction(_("打标签"), "admin:marketing_tag_member", "marketing.add_membertag"),
    MemberAction(_("纪念日"), "admin:members_member_dates", "members.change_reminder"),
    MemberAction(_("填写属性"), "admin:members_member_attributes", "members.view_personal_data"),
    MemberAction(_("更换手机号"), "admin:members_member_phone", "members.change_member"),
    MemberAction(_("导出个人数据"), "admin:members_member_data", "members.export_personal_data"),
    MemberAction(_("合并"), "admin:members_merge_start", "members.merge_members", "merge"),
    MemberAction(_("冻结 / 解冻"), "admin:members_member_freeze", "members.freeze_member"),
    MemberAction(_("注销"), "admin:members_member_close", "members.close_member"),
)
CARD = (CardPanel(f"{IN_ADMIN}/card_spending.html", loyalty_cards.card_panel, "loyalty.view_cardlimit"),)


def install() -> None:
    home_panels.install(*HOME)
    member_360_panels.install(*MEMBER_360)
    member_pages.install(columns=COLUMNS, filters=FILTERS, actions=ACTIONS)
    card_pages.install(panels=CARD, type_inlines=[loyalty_cards.AllowanceInline])
