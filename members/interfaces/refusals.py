"""A service's refusal, as an error of the form that asked."""

from django.forms import BaseForm

from members.errors import Refused


def tell(form: BaseForm, refusal: Refused) -> None:
    """At the field that it names, where the form has one; else above the form."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal.message))
