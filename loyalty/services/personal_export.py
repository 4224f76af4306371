"""What the ledger holds on a member, for himself."""

from django.utils.translation import gettext as _

from loyalty.models import Account, Lot, Purchase, PurchaseLine, Refund, Transaction
from members.models import Member
from members.services.personal_export import Record, records


def accounts(member: Member) -> list[Record]:
    columns = (
        (_("资产"), "get_asset_display"),
        (_("可用"), "balance"),
        (_("待生效"), "pending"),
        (_("冻结"), "held"),
    )
    return records(Account.objects.filter(member=member).order_by("pk"), columns)


def lots(member: Member) -> list[Record]:
    columns = (
        (_("资产"), "account.get_asset_display"),
        (_("发行业态"), "issuer.name"),
        (_("数量"), "quantity"),
        (_("剩余"), "remaining"),
        (_("获取时间"), "earned_at"),
        (_("生效时间"), "available_at"),
        (_("失效时间"), "expires_at"),
    )
    rows = Lot.objects.filter(account__member=member).select_related("account", "issuer")
    return records(rows.order_by("pk"), columns)


def transactions(member: Member) -> list[Record]:
    columns = (
        (_("时间"), "at"),
        (_("资产"), "account.get_asset_display"),
        (_("类型"), "get_kind_display"),
        (_("数量"), "quantity"),
        (_("余额"), "balance_after"),
        (_("抵扣金额（分）"), "amount"),
        (_("业态"), "business.name"),
        (_("门店"), "store.name"),
        (_("原因"), "reason"),
    )
    rows = Transaction.objects.filter(account__member=member).select_related("account", "business", "store")
    return records(rows.order_by("pk"), columns)


def purchases(member: Member) -> list[Record]:
    columns = (
        (_("消费时间"), "at"),
        (_("业态"), "business.name"),
        (_("门店"), "store.name"),
        (_("单号"), "external_number"),
        (_("原价（分）"), "list_amount"),
        (_("实付（分）"), "net_amount"),
        (_("使用积分"), "points_used"),
        (_("已退（分）"), "refunded_amount"),
    )
    return records(Purchase.objects.filter(member=member).select_related("business", "store").order_by("pk"), columns)


def purchase_lines(member: Member) -> list[Record]:
    columns = (
        (_("单号"), "purchase.external_number"),
        (_("商品编码"), "sku"),
        (_("商品"), "name"),
        (_("品类"), "category"),
        (_("品牌"), "brand"),
        (_("数量"), "quantity"),
        (_("金额（分）"), "amount"),
    )
    rows = PurchaseLine.objects.filter(purchase__member=member).select_related("purchase")
    return records(rows.order_by("pk"), columns)


def refunds(member: Member) -> list[Record]:
    columns = (
        (_("时间"), "at"),
        (_("单号"), "purchase.external_number"),
        (_("金额（分）"), "amount"),
        (_("退回积分"), "points_restored"),
        (_("原因"), "reason"),
    )
    rows = Refund.objects.filter(purchase__member=member).select_related("purchase")
    return records(rows.order_by("pk"), columns)
