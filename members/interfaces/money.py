"""Money as people read it."""


def yuan(fen: int | None) -> str:
    """Fen as ¥1,234.56; exact, as no float is involved."""
    whole, cents = divmod(abs(fen or 0), 100)
    return f"{'−' if (fen or 0) < 0 else ''}¥{whole:,}.{cents:02d}"
