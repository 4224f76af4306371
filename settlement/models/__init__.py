from settlement.models.agreements import IssueAgreement, RedemptionAgreement, SettlementModel
from settlement.models.books import Book
from settlement.models.journals import AccountCode, EventType, Journal, Posting
from settlement.models.periods import Period
from settlement.models.statements import (
    CounterpartyBalance,
    NettingPayment,
    PointsMovement,
    Statement,
    StatementLine,
)

__all__ = [
    "AccountCode",
    "Book",
    "CounterpartyBalance",
    "EventType",
    "IssueAgreement",
    "Journal",
    "NettingPayment",
    "Period",
    "PointsMovement",
    "Posting",
    "RedemptionAgreement",
    "SettlementModel",
    "Statement",
    "StatementLine",
]
