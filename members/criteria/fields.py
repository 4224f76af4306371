import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.fields import InvalidJSONInput

from members.criteria.schema import InvalidRule, validate


class RuleFormField(forms.JSONField):
    """Shows the tree as a tree."""

    def prepare_value(self, value: Any) -> str | None:
        if value is None or isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


class RuleField(models.JSONField):
    """A rule tree in a column; forms and `full_clean` say what is wrong with it, place by place."""

    def validate(self, value: Any, model_instance: models.Model) -> None:
        super().validate(value, model_instance)
        if value in self.empty_values:
            return
        try:
            validate(value)
        except InvalidRule as refusal:
            raise ValidationError([str(problem) for problem in refusal.problems], code=refusal.code) from refusal

    def formfield(self, **kwargs) -> forms.Field:
        return super().formfield(**{"form_class": RuleFormField, **kwargs})

    def deconstruct(self) -> tuple:
        """To migrations it is the plain column that it is: they import nothing of ours."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs
