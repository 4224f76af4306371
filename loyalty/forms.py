"""What members fill in about their assets."""

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _

from loyalty.services.cards import Room

LARGEST = 10**9
LIMITS = ("per_use", "per_day")


class LimitForm(forms.Form):
    """What one card may spend of the points, within what its type may."""

    per_use = forms.IntegerField(label=_("单次最多（积分）"), min_value=0, required=False)
    per_day = forms.IntegerField(label=_("每日最多（积分）"), min_value=0, required=False)

    def __init__(self, *args, room: Room, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name in LIMITS:
            field, most = self.fields[name], getattr(room.by_type, name)
            field.initial = getattr(room.own, name) or None
            field.widget.attrs |= {"inputmode": "numeric", "placeholder": most or _("不限")}
            field.validators.append(MaxValueValidator(most or LARGEST))
            field.help_text = _("留空 = 按卡类型的限额：%d。") % most if most else _("留空 = 不限。")

    @property
    def limits(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] or 0 for name in LIMITS}
