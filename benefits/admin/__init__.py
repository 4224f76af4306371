"""The back office of this floor: tiers, coupons and what they cost, and what member 360 shows of them."""

from benefits.admin import charges, coupons, templates, tiers

__all__ = ["charges", "coupons", "templates", "tiers"]
