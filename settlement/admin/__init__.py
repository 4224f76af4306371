"""The back office of this floor: statements that open down to the posting, periods, agreements, journals."""

from settlement.admin import agreements, journals, periods, statements

__all__ = ["agreements", "journals", "periods", "statements"]
