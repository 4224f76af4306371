"""Saving a rule or an agreement with a second person: the form is asked for instead of saved, and saved when he agrees.

What was posted is kept, and put through the same form, as its asker, in the transaction of the decision: the same
checks, the same inlines, the same log. What the form showed when it was filled in must still be so.
"""

from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Model
from django.forms import BaseFormSet, ModelForm, all_valid
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from members.errors import ChangedMeanwhile, NoLongerValid, NotYours, Refused
from members.interfaces import Answer, Origin
from members.interfaces.admin import ScopedAdmin, admin_origin
from members.interfaces.approval_messages import tell_asked, tell_pending
from members.interfaces.approvals import ApprovalVerb
from members.interfaces.form_words import after_words, before_words, error_words, seen
from members.models import Approval, ApprovalPolicy, Operator, OrgUnit
from members.services import approvals
from members.services.organisation import group

NOT_KEPT = {"csrfmiddlewaretoken", "_save", "_continue", "_addanother"}
ADD, CHANGE, DELETE = "add", "change", "delete"
TITLES = {ADD: _("新增{}“{}”"), CHANGE: _("修改{}“{}”"), DELETE: _("删除{}“{}”")}


def change_of(label: str) -> ApprovalVerb:
    """The verb of the table for rows of a model, whose admin is an ApprovedAdmin."""
    opts = apps.get_model(label)._meta
    return ApprovalVerb(
        name=f"change:{opts.label_lower}",
        title=format_lazy("{}{}", _("修改"), opts.verbose_name),
        permission=f"{opts.app_label}.change_{opts.model_name}",
        run=partial(_run, label),
        unit=_("条"),
    )


def _run(label: str, arguments: dict[str, Any], origin: Origin) -> Answer:
    approved = admin.site.get_model_admin(apps.get_model(label))
    return approved.do_as_asked(arguments, origin)


class _ForTwo(Exception):
    """This change has to be asked for: nothing of it is saved."""

    def __init__(self, action: str, row: Model, node: OrgUnit, form: ModelForm, formsets: Sequence = ()) -> None:
        super().__init__(action)
        self.action, self.row, self.node, self.form, self.formsets = action, row, node, form, formsets


class ApprovedRequest(HttpRequest):
    """A change that two have agreed to, as its asker posted it."""

    def __init__(self, asker: Operator, posted: dict[str, list[str]]) -> None:
        super().__init__()
        self.method, self.user = "POST", asker
        self.POST = QueryDict(mutable=True)
        for name, values in posted.items():
            self.POST.setlist(name, values)


class ApprovedAdmin(ScopedAdmin):
    """Where a policy for `change:<app.model>` holds at the node that decides a row, changes of it are asked for."""

    owner: str

    def owner_of(self, row: Any) -> OrgUnit:
        """The node that decides a row; what names none is the group's."""
        return attrgetter(self.owner)(row) or group()

    @property
    def approval_verb(self) -> str:
        return f"change:{self.opts.label_lower}"

    # Asking --------------------------------------------------------------------------------------------------

    def changeform_view(self, request: HttpRequest, object_id=None, *args, **kwargs) -> HttpResponse:
        if request.method == "GET" and object_id:
            self._tell_pending(request, object_id)
        try:
            return super().changeform_view(request, object_id, *args, **kwargs)
        except _ForTwo as change:
            return self._ask(request, change)

    def delete_view(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        try:
            return super().delete_view(request, *args, **kwargs)
        except _ForTwo as change:
            return self._ask(request, change)

    def get_actions(self, request: HttpRequest) -> dict:
        """No deleting in bulk where one by one has to be asked for."""
        actions = super().get_actions(request)
        if "delete_selected" in actions and ApprovalPolicy.objects.filter(verb=self.approval_verb, is_active=True):
            del actions["delete_selected"]
        return actions

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        if self._node_for_two(request, obj, change) is None:
            super().save_model(request, obj, form, change)

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: Sequence[BaseFormSet], change: bool
    ) -> None:
        node = self._node_for_two(request, form.instance, change)
        if node and (form.has_changed() or any(formset.has_changed() for formset in formsets)):
            raise _ForTwo(CHANGE if change else ADD, form.instance, node, form, formsets)
        super().save_related(request, form, formsets, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        node = self._node_for_two(request, obj, change=True)
        if node:
            raise _ForTwo(DELETE, obj, node, self._form(request, obj)(instance=obj))
        super().delete_model(request, obj)

    def _node_for_two(self, request: HttpRequest, row: Any, change: bool) -> OrgUnit | None:
        """The node, of those that decide the row before and after, that wants a second person."""
        if isinstance(request, ApprovedRequest):
            return None
        rows = [row, self.model._base_manager.get(pk=row.pk)] if change else [row]
        nodes = (self.owner_of(each) for each in rows)
        return next((node for node in nodes if approvals.needed(self.approval_verb, node, 1)), None)

    def _ask(self, request: HttpRequest, change: _ForTwo) -> HttpResponse:
        """The same asked twice, by a second click, is one approval."""
        arguments = {
            "action": change.action,
            "pk": change.row.pk,
            "posted": {name: values for name, values in request.POST.lists() if name not in NOT_KEPT},
            "seen": seen(change.form, change.formsets),
        }
        twin = Approval.objects.pending().filter(verb=self.approval_verb, asked_by=request.user, arguments=arguments)
        try:
            approval = twin.first() or approvals.ask(
                self.approval_verb,
                org_unit=change.node,
                quantity=1,
                arguments=arguments,
                before={} if change.action == ADD else before_words(change.form, change.formsets),
                after={} if change.action == DELETE else after_words(change.form, change.formsets),
                title=format_lazy(TITLES[change.action], self.opts.verbose_name, change.row),
                origin=admin_origin(request),
            )
        except Refused as refusal:
            messages.error(request, str(refusal.message))
            return HttpResponseRedirect(request.get_full_path())
        tell_asked(request, approval)
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def _tell_pending(self, request: HttpRequest, object_id: str) -> None:
        pending = Approval.objects.visible_to(request.user).pending().filter(verb=self.approval_verb)
        for approval in pending.filter(arguments__pk=int(object_id) if object_id.isdecimal() else object_id):
            tell_pending(request, approval)

    # Doing ---------------------------------------------------------------------------------------------------

    def do_as_asked(self, arguments: dict[str, Any], origin: Origin) -> Answer:
        """Raises ChangedMeanwhile, NoLongerValid, NotYours (of the asker)."""
        assert origin.actor, "approvals run in the name of their asker"
        request = ApprovedRequest(origin.actor, arguments["posted"])
        row = self._row(request, arguments)
        if arguments["action"] == DELETE:
            return self._delete_as_asked(request, row, arguments)
        return self._save_as_asked(request, row, arguments)

    def _row(self, request: HttpRequest, arguments: dict[str, Any]) -> Any:
        if arguments["action"] == ADD:
            return None
        self.model._base_manager.select_for_update().filter(pk=arguments["pk"]).first()
        row = self.get_object(request, str(arguments["pk"]))
        if row is None:
            raise ChangedMeanwhile
        return row

    def _save_as_asked(self, request: HttpRequest, row: Any, arguments: dict[str, Any]) -> Answer:
        is_change = row is not None
        if not (self.has_change_permission(request, row) if is_change else self.has_add_permission(request)):
            raise NotYours
        form = self._form(request, row)(request.POST, request.FILES, instance=row)
        formsets, _inlines = self._create_formsets(request, form.instance, change=is_change)
        _require_same(seen(form, formsets), arguments["seen"])
        if not (form.is_valid() & all_valid(formsets)):
            raise NoLongerValid.because(error_words(form, formsets))
        saved = self.save_form(request, form, change=is_change)
        self.save_model(request, saved, form, is_change)
        self.save_related(request, form, formsets, is_change)
        said = self.construct_change_message(request, form, formsets, add=not is_change)
        (self.log_change if is_change else self.log_addition)(request, saved, said)
        return {"model": self.opts.label_lower, "pk": saved.pk}

    def _delete_as_asked(self, request: HttpRequest, row: Any, arguments: dict[str, Any]) -> Answer:
        if not self.has_delete_permission(request, row):
            raise NotYours
        _require_same(seen(self._form(request, row)(instance=row)), arguments["seen"])
        self.log_deletions(request, [row])
        self.delete_model(request, row)
        return {"model": self.opts.label_lower, "pk": arguments["pk"]}

    def _form(self, request: HttpRequest, row: Any) -> type[ModelForm]:
        fields = flatten_fieldsets(self.get_fieldsets(request, row))
        return self.get_form(request, row, change=row is not None, fields=fields)


def _require_same(now: Answer, then: Answer) -> None:
    if now != then:
        raise ChangedMeanwhile
