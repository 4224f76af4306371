"""The demo's settlement: agreements, the fund's book, and statements for the months that are over."""

from datetime import datetime

from config.demo.businesses import OPERATING_COMPANY, PROPERTY
from config.demo.edition import Edition
from members.models import Operator, OrgUnit
from members.services.organisation import own_origin
from settlement.models import Book, IssueAgreement, Period, RedemptionAgreement
from settlement.services import periods
from settlement.services.collect import collect


def agree(edition: Edition) -> None:
    """Model A for all: the operating company keeps the fund. The property service bears a tenth of what it accepts."""
    IssueAgreement.objects.create(starts_at=edition.begins, note="集团默认：中央基金")
    RedemptionAgreement.objects.create(starts_at=edition.begins, note="集团默认：全额补偿")
    property_service = OrgUnit.objects.get(code=PROPERTY)
    RedemptionAgreement.objects.create(
        redeemer=property_service, reimbursement=90, starts_at=edition.begins, note="物业自行承担一成"
    )
    fund_keeper = OrgUnit.objects.get(code=OPERATING_COMPANY)
    Book.objects.create(org_unit=fund_keeper, role=Book.Role.FUND)


def settle(operator: Operator, *, now: datetime) -> None:
    """Journal all that happened; lock the months that are over but for the latest, and write that one's statements."""
    collect()
    over = list(Period.objects.open().filter(ends_at__lte=now).order_by("starts_at"))
    for period in over[:-1]:
        periods.lock(period, origin=own_origin("admin", actor=operator))
    for period in over[-1:]:
        periods.cut(period, origin=own_origin("admin", actor=operator))
