"""What becomes of a member's assets when he leaves: money must be paid out first, the rest lapses."""

from django.conf import settings
from django.utils.translation import gettext as _

from loyalty.errors import AssetsLeft, HoldsOpen, MoneyLeft
from loyalty.models import Account, Asset, Hold
from loyalty.services import ledger
from loyalty.services.points import facts
from members import events
from members.interfaces import Answer, Origin
from members.interfaces.money import yuan
from members.models import Member

LAPSING = (Asset.POINTS, Asset.GROWTH, Asset.GIFT)


def fence(member: Member) -> None:
    """Lock what he has: what he spends at this moment ends first."""
    list(_accounts(member).select_for_update().values_list("pk"))


def preview(member: Member) -> dict[str, str]:
    """What he would lose, and what stands in the way."""
    said = {}
    for account in _accounts(member):
        left = account.balance + account.held + account.pending
        if left > 0:
            said[account.get_asset_display()] = _say(account.asset, left)
    return said


def close(member: Member, origin: Origin) -> Answer:
    """Let all that lapses lapse, as one `expire` an account. Raises HoldsOpen, MoneyLeft, AssetsLeft (by policy)."""
    accounts = {account.asset: account for account in _accounts(member)}
    holds = Hold.objects.filter(account__in=accounts.values(), state=Hold.State.OPEN)
    if keys := list(holds.order_by("pk").values_list("pk", flat=True)):
        raise HoldsOpen.of(member.member_no, keys)
    money = accounts.get(Asset.BALANCE)
    if money and money.balance > 0:
        raise MoneyLeft(balance=money.balance)
    lapsing = [accounts[asset] for asset in LAPSING if asset in accounts]
    if settings.MEMBERS_CLOSING == "refuse" and any(_left(account) for account in lapsing):
        raise AssetsLeft
    return {account.asset: forfeited for account in lapsing if (forfeited := _forfeit(account, origin))}


def _forfeit(account: Account, origin: Origin) -> int:
    """What is still pending comes due first, so that everything leaves the books by the same door."""
    pending = list(account.lots.filter(activated_at=None).order_by("pk"))
    if pending:
        ledger.activate(account, pending, origin=origin)
    lots = list(account.lots.filter(remaining__gt=0).order_by("pk"))
    if not lots:
        return 0
    expired = ledger.expire(account, [(lot, lot.remaining) for lot in lots], origin=origin, reason=_("会员注销"))
    events.record("points.expired", origin=origin, member=account.member, data=facts(expired))
    return -expired.quantity


def _left(account: Account) -> bool:
    return account.balance > 0 or account.pending > 0


def _say(asset: str, left: int) -> str:
    if asset == Asset.BALANCE:
        return _("%s，请先退款") % yuan(left)
    if settings.MEMBERS_CLOSING == "refuse":
        return _("%d，请先用完") % left
    return _("%s，将作废") % (yuan(left) if asset == Asset.GIFT else left)


def _accounts(member: Member):
    return Account.objects.filter(member=member).select_related("member").order_by("pk")
