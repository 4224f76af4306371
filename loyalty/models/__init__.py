from loyalty.models.cards import CardAllowance, CardLimit
from loyalty.models.ledger import Account, Asset, Bucket, Entry, Hold, HoldLot, Lot, Transaction
from loyalty.models.purchases import Award, Purchase, PurchaseLine, Refund, RefundLine, Tender
from loyalty.models.rules import AssetPolicy, BurnRule, EarnRule, PointsPrice

__all__ = [
    "Account",
    "Asset",
    "AssetPolicy",
    "Award",
    "Bucket",
    "BurnRule",
    "CardAllowance",
    "CardLimit",
    "EarnRule",
    "Entry",
    "Hold",
    "HoldLot",
    "Lot",
    "PointsPrice",
    "Purchase",
    "PurchaseLine",
    "Refund",
    "RefundLine",
    "Tender",
    "Transaction",
]
