"""Money as people read and type it: in yuan. It is kept in fen."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminDecimalFieldWidget


def yuan(fen: int | None) -> str:
    """Fen as ¥1,234.56; exact, as no float is involved."""
    whole, cents = divmod(abs(fen or 0), 100)
    return f"{'−' if (fen or 0) < 0 else ''}¥{whole:,}.{cents:02d}"


def bare_yuan(fen: int) -> str:
    """For coupons, where the sign stands beside or is understood: 20, and 19.90 only where there are fen."""
    return yuan(fen).removesuffix(".00").replace("¥", "")


def exact_yuan(fen: Decimal) -> str:
    """Fen with fractions as ¥1,234.56, and as ¥1,234.567891 where there are any."""
    text = f"{abs(fen) / 100:,.8f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"{'−' if fen < 0 else ''}¥{whole}.{cents:0<2}"


class YuanField(forms.DecimalField):
    """Typed and shown in yuan; its value is whole fen."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"}))
        options.setdefault("min_value", 0)
        super().__init__(max_digits=13, decimal_places=2, **options)

    def prepare_value(self, value: Any) -> Any:
        return Decimal(value) / 100 if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        yuan = super().clean(value)
        return None if yuan is None else int(yuan * 100)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)
