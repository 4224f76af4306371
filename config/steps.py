"""Merge, close and export: what each floor adds to them, lowest first; and what waits for a second person."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits.services import closing as benefits_closing
from benefits.services import merging as benefits_merging
from benefits.services import personal_export as benefits_export
from loyalty.models import Asset
from loyalty.services import adjusting
from loyalty.services import closing as loyalty_closing
from loyalty.services import merging as loyalty_merging
from loyalty.services import personal_export as loyalty_export
from loyalty.services import reminder_sources as purchase_days
from marketing.services import closing as marketing_closing
from marketing.services import merging as marketing_merging
from marketing.services import personal_export as marketing_export
from members import tasks
from members.interfaces.admin_approval import change_of
from members.interfaces.approvals import ApprovalVerb, approval_verbs
from members.interfaces.reminders import ReminderSource, reminder_sources
from members.interfaces.steps import (
    CloseStep,
    ExportStep,
    Fence,
    MergeStep,
    close_steps,
    export_steps,
    fences,
    merge_steps,
)
from members.models import ReminderKind
from members.services import card_batches, closing, exports, imports, merging, personal_export
from members.services import merge_steps as member_rows
from members.services import reminder_sources as member_days

# Models whose admin is an ApprovedAdmin: where a policy says so, their rows are changed by two.
CHANGED_BY_TWO = (
    "loyalty.EarnRule",
    "loyalty.BurnRule",
    "loyalty.AssetPolicy",
    "loyalty.PointsPrice",
    "benefits.TierProgramme",
    "benefits.Tier",
    "benefits.CouponTemplate",
    "settlement.IssueAgreement",
    "settlement.RedemptionAgreement",
    "members.ApprovalPolicy",
)

# Assets come first: accounts are locked before cards and coupons, everywhere.
MERGE: tuple[MergeStep, ...] = (
    MergeStep(
        "loyalty",
        _("资产与消费"),
        loyalty_merging.preview,
        loyalty_merging.merge,
        loyalty_merging.undo,
        comes_late=False,  # who waits for a merged account is sent on to the winner's
    ),
    MergeStep("members", _("会员资料"), member_rows.preview, member_rows.merge, member_rows.undo),
    MergeStep("benefits", _("券与等级"), benefits_merging.preview, benefits_merging.merge, benefits_merging.undo),
    MergeStep(
        "marketing",
        pgettext_lazy("plural", "标签"),
        marketing_merging.preview,
        marketing_merging.merge,
        marketing_merging.undo,
    ),
)
CLOSE: tuple[CloseStep, ...] = (
    CloseStep("person", _("个人资料"), closing.preview_person, closing.close_person),
    CloseStep("loyalty", _("积分与储值"), loyalty_closing.preview, loyalty_closing.close),
    CloseStep("benefits", _("优惠券"), benefits_closing.preview, benefits_closing.close),
    CloseStep("marketing", _("标签"), marketing_closing.preview, marketing_closing.close),
)
FENCES = (Fence("accounts", loyalty_closing.fence),)
EXPORT: tuple[ExportStep, ...] = (
    ExportStep("person", _("个人资料"), personal_export.person),
    ExportStep("identities", pgettext_lazy("plural", "身份标识"), personal_export.identities),
    ExportStep("memberships", pgettext_lazy("plural", "业态会员关系"), personal_export.memberships),
    ExportStep("consents", pgettext_lazy("plural", "同意记录"), personal_export.consents),
    ExportStep("attributes", pgettext_lazy("plural", "属性值"), personal_export.attributes),
    ExportStep("important_dates", pgettext_lazy("plural", "纪念日"), personal_export.important_dates),
    ExportStep("devices", pgettext_lazy("plural", "设备"), personal_export.devices),
    ExportStep("cards", pgettext_lazy("plural", "会员卡"), personal_export.cards),
    ExportStep("accounts", pgettext_lazy("plural", "账户"), loyalty_export.accounts),
    ExportStep("lots", pgettext_lazy("plural", "批次"), loyalty_export.lots),
    ExportStep("transactions", pgettext_lazy("plural", "交易"), loyalty_export.transactions),
    ExportStep("purchases", pgettext_lazy("plural", "消费"), loyalty_export.purchases),
    ExportStep("purchase_lines", pgettext_lazy("plural", "消费明细"), loyalty_export.purchase_lines),
    ExportStep("refunds", pgettext_lazy("plural", "退款"), loyalty_export.refunds),
    ExportStep("coupons", pgettext_lazy("plural", "券"), benefits_export.coupons),
    ExportStep("tiers", _("等级记录"), benefits_export.tiers),
    ExportStep("tags", pgettext_lazy("plural", "标签"), marketing_export.tags),
    ExportStep("campaigns", pgettext_lazy("plural", "活动"), marketing_export.campaigns),
    ExportStep("follow_ups", pgettext_lazy("plural", "回访"), personal_export.follow_ups),
    ExportStep("tickets", pgettext_lazy("plural", "客服工单"), personal_export.tickets),
    ExportStep("calls", pgettext_lazy("plural", "来访来电"), personal_export.calls),
    ExportStep("reminders", pgettext_lazy("plural", "提醒"), personal_export.reminders),
    ExportStep("events", pgettext_lazy("plural", "事件"), personal_export.history),
)
APPROVALS: tuple[ApprovalVerb, ...] = (
    ApprovalVerb("loyalty.adjust", _("调整资产"), "loyalty.adjust_account", adjusting.run, Asset.POINTS.label),
    ApprovalVerb(card_batches.VERB, _("制卡"), "members.issue_card", card_batches.run_approved, _("张")),
    ApprovalVerb(
        imports.APPROVAL, _("导入表格"), "members.import_members", tasks.import_approved, pgettext_lazy("unit", "行")
    ),
    ApprovalVerb("members.undo_merge", _("逾期撤销会员合并"), "members.undo_merge", merging.run_undo),
    ApprovalVerb(
        exports.UNMASKED,
        _("导出未脱敏的会员资料"),
        "members.export_personal_data",
        tasks.export_approved,
        pgettext_lazy("unit", "行"),
    ),
    *map(change_of, CHANGED_BY_TWO),
)
REMINDERS: tuple[ReminderSource, ...] = (
    ReminderSource(ReminderKind.BIRTHDAY, member_days.birthdays),
    ReminderSource(ReminderKind.ANNIVERSARY, member_days.anniversaries),
    ReminderSource(ReminderKind.CARD_EXPIRY, member_days.ending_cards),
    ReminderSource(ReminderKind.AFTER_PURCHASE, purchase_days.after_purchases),
    ReminderSource(ReminderKind.SILENCE, purchase_days.silence),
    ReminderSource(ReminderKind.USUAL_OVERDUE, purchase_days.usual_overdue),
    ReminderSource(ReminderKind.POINTS_EXPIRY, purchase_days.lapsing_points),
)


def install() -> None:
    merge_steps.install(*MERGE)
    close_steps.install(*CLOSE)
    fences.install(*FENCES)
    export_steps.install(*EXPORT)
    approval_verbs.install(*APPROVALS)
    reminder_sources.install(*REMINDERS)
