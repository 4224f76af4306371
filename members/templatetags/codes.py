"""{% qr_code text %}: a QR code as inline SVG, drawn here, so that no code leaves the house."""

import segno
from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def qr_code(text: str) -> SafeString:
    # make_qr, never make: phones can't read Micro QR.
    return mark_safe(segno.make_qr(text, error="m").svg_inline(border=0, omitsize=True))


@register.filter
def in_fours(text: str) -> str:
    """1234 5678 …: as people read codes aloud."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
