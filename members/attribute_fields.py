"""Form fields for what operators have defined; the same on the back office's pages and on the members' own."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from members.errors import InvalidAttribute
from members.models import Attribute
from members.rules.attributes import TEXT_LENGTH
from members.services import attributes as service

Kind = Attribute.Kind
Widgets = Mapping[str, Callable[[], forms.Widget]]

PLAIN: Widgets = {
    Kind.TEXT: forms.TextInput,
    Kind.NUMBER: lambda: forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    Kind.DATE: lambda: forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    Kind.CHOICE: forms.Select,
    Kind.CHOICES: forms.CheckboxSelectMultiple,
    Kind.BOOLEAN: forms.Select,
}
YES_OR_NO = [("", "—"), ("true", _("是")), ("false", _("否"))]


class AttributesForm(forms.Form):
    """One field for each attribute; `values()` is what `attributes.set_values` takes."""

    def __init__(
        self, *args, asked: Iterable[Attribute], known: Mapping[str, Any], widgets: Widgets = PLAIN, **kwargs
    ) -> None:
        super().__init__(*args, **kwargs)
        self.asked = {attribute.code: attribute for attribute in asked}
        for code, attribute in self.asked.items():
            self.fields[code] = _field(attribute, widgets[Kind(attribute.kind)]())
            self.initial[code] = _initial(known.get(code))

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for code, attribute in self.asked.items():
            try:
                service.read(attribute, said.get(code))
            except InvalidAttribute as reason:
                self.add_error(code, ValidationError(str(reason.message), code=reason.code))
        return said

    def values(self) -> dict[str, Any]:
        """Code → what was typed, of the fields that are different now."""
        return {code: service.in_words(self.cleaned_data[code]) for code in self.changed_data}


def _field(attribute: Attribute, widget: forms.Widget) -> forms.Field:
    common = {
        "label": attribute.name,
        "help_text": attribute.help_text,
        "required": attribute.is_required,
        "widget": widget,
    }
    options = [(option, option) for option in attribute.options]
    match attribute.kind:
        case Kind.NUMBER:
            return forms.DecimalField(max_digits=19, decimal_places=6, **common)
        case Kind.DATE:
            return forms.DateField(**common)
        case Kind.CHOICE:
            return forms.ChoiceField(choices=[("", "—"), *options], **common)
        case Kind.CHOICES:
            return forms.MultipleChoiceField(choices=options, **common)
        case Kind.BOOLEAN:
            return forms.ChoiceField(choices=YES_OR_NO, **common)
    return forms.CharField(max_length=TEXT_LENGTH, **common)


def _initial(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return service.in_words(value) if isinstance(value, Decimal) else value
