from benefits.models.charges import Charge
from benefits.models.coupons import Coupon, CouponShare, CouponTemplate
from benefits.models.tiers import MemberTier, Tier, TierPrice, TierProgramme

__all__ = [
    "Charge",
    "Coupon",
    "CouponShare",
    "CouponTemplate",
    "MemberTier",
    "Tier",
    "TierPrice",
    "TierProgramme",
]
