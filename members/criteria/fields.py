from django.core.exceptions import ValidationError
from django.db import models

from members.criteria.schema import InvalidRule, validate


class RuleField(models.JSONField):
    """A rule tree in a column; forms and `full_clean` say what is wrong with it, place by place."""

    def validate(self, value, model_instance) -> None:
        super().validate(value, model_instance)
        if value in self.empty_values:
            return
        try:
            validate(value)
        except InvalidRule as refusal:
            raise ValidationError([str(problem) for problem in refusal.problems], code=refusal.code) from refusal

    def deconstruct(self):
        """To migrations it is the plain column that it is: they import nothing of ours."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs
