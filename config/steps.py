"""Merge, close and export: what each floor adds to them, lowest first; and what waits for a second person."""

from members.interfaces.approvals import ApprovalVerb, approval_verbs
from members.interfaces.reminders import ReminderSource, reminder_sources
from members.interfaces.steps import CloseStep, ExportStep, MergeStep, close_steps, export_steps, merge_steps

MERGE: tuple[MergeStep, ...] = ()
CLOSE: tuple[CloseStep, ...] = ()
EXPORT: tuple[ExportStep, ...] = ()
APPROVALS: tuple[ApprovalVerb, ...] = ()
REMINDERS: tuple[ReminderSource, ...] = ()


def install() -> None:
    merge_steps.install(*MERGE)
    close_steps.install(*CLOSE)
    export_steps.install(*EXPORT)
    approval_verbs.install(*APPROVALS)
    reminder_sources.install(*REMINDERS)
