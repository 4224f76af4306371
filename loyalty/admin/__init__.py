"""The back office of this floor: purchases, the ledger (read-only), the rules, and what member 360 shows of them."""

from loyalty.admin import cards, ledger, purchases, rules

__all__ = ["cards", "ledger", "purchases", "rules"]
