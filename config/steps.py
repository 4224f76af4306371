"""Merge, close and export: what each floor adds to them, lowest first; and what waits for a second person."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits.services import closing as benefits_closing
from benefits.services import merging as benefits_merging
from loyalty.models import Asset
from loyalty.services import adjusting
from loyalty.services import closing as loyalty_closing
from loyalty.services import merging as loyalty_merging
from loyalty.services import reminder_sources as purchase_days
from marketing.services import closing as marketing_closing
from marketing.services import merging as marketing_merging
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
from members.services import card_batches, closing, merging
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
    MergeStep("loyalty", _("资产与消费"), loyalty_merging.preview, loyalty_merging.merge, loyalty_merging.undo),
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
EXPORT: tuple[ExportStep, ...] = ()
APPROVALS: tuple[ApprovalVerb, ...] = (
    ApprovalVerb("loyalty.adjust", _("调整资产"), "loyalty.adjust_account", adjusting.run, Asset.POINTS.label),
    ApprovalVerb(card_batches.VERB, _("制卡"), "members.issue_card", card_batches.run_approved, _("张")),
    ApprovalVerb("members.undo_merge", _("逾期撤销会员合并"), "members.undo_merge", merging.run_undo),
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
