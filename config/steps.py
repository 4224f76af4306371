"""Merge, close and export: what each floor adds to them, lowest first; and what waits for a second person."""

from django.utils.translation import gettext_lazy as _

from loyalty.models import Asset
from loyalty.services import adjusting
from members.interfaces.admin_approval import change_of
from members.interfaces.approvals import ApprovalVerb, approval_verbs
from members.interfaces.reminders import ReminderSource, reminder_sources
from members.interfaces.steps import CloseStep, ExportStep, MergeStep, close_steps, export_steps, merge_steps
from members.services import card_batches

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

MERGE: tuple[MergeStep, ...] = ()
CLOSE: tuple[CloseStep, ...] = ()
EXPORT: tuple[ExportStep, ...] = ()
APPROVALS: tuple[ApprovalVerb, ...] = (
    ApprovalVerb("loyalty.adjust", _("调整资产"), "loyalty.adjust_account", adjusting.run, Asset.POINTS.label),
    ApprovalVerb(card_batches.VERB, _("制卡"), "members.issue_card", card_batches.run_approved, _("张")),
    *map(change_of, CHANGED_BY_TWO),
)
REMINDERS: tuple[ReminderSource, ...] = ()


def install() -> None:
    merge_steps.install(*MERGE)
    close_steps.install(*CLOSE)
    export_steps.install(*EXPORT)
    approval_verbs.install(*APPROVALS)
    reminder_sources.install(*REMINDERS)
