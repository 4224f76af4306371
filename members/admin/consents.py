"""What members were asked, and what they said: texts to keep, consents to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from members.admin.unmasking import masked_identity
from members.interfaces.admin import OwnedAdmin, ReadOnlyAdmin
from members.models import Consent, ConsentText, Member, Operator, OrgUnit
from members.services import identities

RECEIVERS = (OrgUnit.Kind.GROUP, OrgUnit.Kind.BUSINESS)


@admin.register(ConsentText)
class ConsentTextAdmin(OwnedAdmin):
    """A version that somebody may have agreed to is never changed: a new one is written."""

    owner = "receiver"
    list_display = ("purpose", "receiver", "version", "starts_at")
    list_filter = ("purpose", ("receiver", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("receiver",)
    fields = ("receiver", "purpose", "version", "starts_at", "text")

    def has_change_permission(self, request: HttpRequest, obj: ConsentText | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or not _is_used(obj))

    def has_delete_permission(self, request: HttpRequest, obj: ConsentText | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or not _is_used(obj))

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        """Texts are of the group, or of a business; and of what the operator stands on or above."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "receiver":
            reach = request.user.reach
            below = field.queryset.filter(kind__in=RECEIVERS, path__startswith=reach.path if reach else "-")
            field.queryset = below
        return field


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = (
        "member",
        "receiver",
        "purpose",
        "medium",
        "version",
        "given_at",
        "shown_state",
        "channel",
        "operator",
    )
    list_filter = ("purpose", "medium", ("receiver", admin.RelatedOnlyFieldListFilter), "given_at")
    list_select_related = ("member", "receiver", "channel", "operator")
    search_fields = ("member__member_no",)
    search_help_text = _("会员号")

    @display(description=_("状态"), label={"on": "success", "off": "danger"})
    def shown_state(self, consent: Consent) -> tuple[str, str]:
        return ("off", str(_("已撤回"))) if consent.withdrawn_at else ("on", str(_("有效")))


def _is_used(text: ConsentText) -> bool:
    return Consent.objects.filter(purpose=text.purpose, version=text.version).exists()


# --- On member 360 ----------------------------------------------------------------------------------------------


def panel(member: Member, actor: Operator) -> dict[str, Any]:
    """What he agreed to with the operator's business or with the group."""
    rows = Consent.objects.visible_to(actor).filter(member=member)
    return {"consents": rows.select_related("receiver", "channel", "operator")}


def identities_panel(member: Member, actor: Operator) -> dict[str, Any]:
    """By what he is known, proven or not, and from where."""
    known = member.identities.select_related("channel__org_unit").preferred()
    seen = [(identity, masked_identity(identity)) for identity in identities.in_sight(known, actor)]
    may_change = actor.has_perms(("members.change_member", "members.view_personal_data")) and member.is_active
    return {"identities": seen, "may_change": may_change}
