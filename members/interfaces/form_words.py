"""What an admin's form and its inlines say, in words for whoever agrees, and as values to compare."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import EMPTY_VALUES
from django.db.models import Model, QuerySet
from django.forms import BaseForm, BaseFormSet, BooleanField, ModelForm
from django.forms.models import ModelChoiceField
from django.forms.utils import pretty_name
from django.utils import timezone
from django.utils.choices import flatten_choices
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

Words = dict[Any, Any]  # label → text, both may be lazy

# What a formset adds to its forms for itself.
OF_FORMSETS = {"DELETE", "ORDER"}


def seen(form: ModelForm, formsets: Sequence[BaseFormSet] = ()) -> dict[str, Any]:
    """What the form showed of its row and of the rows of its inlines, JSON-native; of a new row, its fields alone."""
    is_new = form.instance._state.adding
    return {
        "fields": {name: None if is_new else _native(form.initial.get(name)) for name in form.fields},
        "inlines": {formset.prefix: [_shown(inline) for inline in formset.initial_forms] for formset in formsets},
    }


def _shown(form: BaseForm) -> dict[str, Any]:
    return {name: _native(form.initial.get(name)) for name in form.fields if name not in OF_FORMSETS}


def _native(value: Any) -> Any:
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, list | tuple | QuerySet):
        return [_native(each) for each in value]
    if callable(value):
        return None
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def before_words(form: ModelForm, formsets: Sequence[BaseFormSet] = ()) -> Words:
    """What changes, as it was; of a form that was not filled in (its row is to be deleted), all that it shows."""
    names = form.changed_data if form.is_bound else form.fields
    words: Words = {_label(form, name): _text(form, name, form.initial.get(name)) for name in names}
    for title, inline, _is_deleted in _changed_inlines(formsets):
        is_new = inline.instance._state.adding
        for name in _own(inline):
            words[_of_inline(title, inline, name)] = "" if is_new else _text(inline, name, inline.initial.get(name))
    return words


def after_words(form: ModelForm, formsets: Sequence[BaseFormSet] = ()) -> Words:
    """What changes, as it would be; of a new row, all that was filled in."""
    names = form.fields if form.instance._state.adding else form.changed_data
    said = {_label(form, name): _text(form, name, form.cleaned_data.get(name)) for name in names}
    words: Words = {label: text for label, text in said.items() if text or not form.instance._state.adding}
    for title, inline, is_deleted in _changed_inlines(formsets):
        for name in _own(inline):
            text = "" if is_deleted else _text(inline, name, inline.cleaned_data.get(name))
            words[_of_inline(title, inline, name)] = text
    return words


def error_words(form: ModelForm, formsets: Sequence[BaseFormSet] = ()) -> str:
    """All that is wrong, in one line."""
    found = [f"{_label(form, name)}：{' '.join(errors)}" for name, errors in form.errors.items() if name in form.fields]
    found += form.non_field_errors()
    for formset in formsets:
        found += formset.non_form_errors()
        found += [" ".join(errors) for inline in formset.forms for errors in inline.errors.values()]
    return "；".join(str(error).rstrip("。") for error in found)


def _changed_inlines(formsets: Sequence[BaseFormSet]) -> Iterator[tuple[Any, ModelForm, bool]]:
    """Title, form, and whether its row is to go: of each row of an inline that does not stay as it is."""
    for formset in formsets:
        for number, inline in enumerate(formset.forms, start=1):
            is_deleted = inline in formset.deleted_forms
            if is_deleted or inline.has_changed():
                yield format_lazy("{} {}", formset.model._meta.verbose_name, number), inline, is_deleted


def _own(inline: ModelForm) -> list[str]:
    return [name for name, field in inline.fields.items() if name not in OF_FORMSETS and not field.widget.is_hidden]


def _of_inline(title: Any, inline: ModelForm, name: str) -> Any:
    return format_lazy("{} · {}", title, _label(inline, name))


def _label(form: ModelForm, name: str) -> Any:
    return form.fields[name].label or pretty_name(name)


def _text(form: ModelForm, name: str, value: Any) -> Any:
    """A value as the field shows it."""
    field = form.fields[name]
    if isinstance(field, BooleanField):
        return _("是") if value else _("否")
    if value in EMPTY_VALUES or callable(value):
        return ""
    if isinstance(field, ModelChoiceField):
        return "、".join(map(str, _rows(field, value)))
    choices = {str(key): label for key, label in flatten_choices(getattr(field, "choices", ()))}
    if choices:
        chosen = value if isinstance(value, list | tuple) else [value]
        return "、".join(str(choices.get(str(each), each)) for each in chosen)
    return _written(field.prepare_value(value))


def _rows(field: ModelChoiceField, value: Any) -> Iterable[Model]:
    if isinstance(value, Model):
        return [value]
    if isinstance(value, list | tuple | QuerySet):
        return value
    return field.queryset.model._base_manager.filter(pk=value)


def _written(value: Any) -> str:
    match value:
        case datetime():
            local = timezone.localtime(value) if timezone.is_aware(value) else value
            return f"{local:%Y-%m-%d %H:%M:%S}"
        case Decimal():
            return f"{value.normalize():f}"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
    return str(value)
