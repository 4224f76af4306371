from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from settlement.models import IssueAgreement, RedemptionAgreement, SettlementModel


@dataclass(frozen=True, slots=True)
class IssueTerms:
    model: str = SettlementModel.CENTRAL_FUND
    agreement: int | None = None


@dataclass(frozen=True, slots=True)
class RedemptionTerms:
    reimbursement: Decimal = Decimal(100)  # %
    agreement: int | None = None


class Terms:
    """All agreements, chosen by parties and business time. Where nothing is agreed: model A, reimbursed in full."""

    def __init__(self) -> None:
        self._issue: dict[int | None, list[IssueAgreement]] = defaultdict(list)
        for issue in IssueAgreement.objects.all():
            self._issue[issue.issuer_id].append(issue)
        self._redemption: dict[tuple[int | None, int | None], list[RedemptionAgreement]] = defaultdict(list)
        for redemption in RedemptionAgreement.objects.all():
            self._redemption[redemption.issuer_id, redemption.redeemer_id].append(redemption)

    def issue(self, issuer: int, at: datetime) -> IssueTerms:
        """The issuer's own, else the group's default."""
        for party in (issuer, None):
            if found := _in_force(self._issue.get(party), at):
                return IssueTerms(found.model, found.pk)
        return IssueTerms()

    def redemption(self, issuer: int, redeemer: int | None, at: datetime) -> RedemptionTerms:
        """The most specific pair; between the half-specific, the redeemer's."""
        for pair in ((issuer, redeemer), (None, redeemer), (issuer, None), (None, None)):
            if found := _in_force(self._redemption.get(pair), at):
                return RedemptionTerms(found.reimbursement, found.pk)
        return RedemptionTerms()


def _in_force(agreements, at: datetime):
    return next(
        (one for one in agreements or () if one.starts_at <= at and (one.ends_at is None or at < one.ends_at)), None
    )
