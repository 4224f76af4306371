"""What was done and by whom, and what still follows from it."""

from operator import attrgetter, itemgetter

from django.contrib import admin, messages
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from members.interfaces.admin import ReadOnlyAdmin
from members.interfaces.big_lists import BigList, InSightFilter
from members.interfaces.event_words import in_words
from members.models import Delivery, Event
from members.services.deliveries import retry_parked

# Each type once, from the index by type: a jump for each, where DISTINCT would read every event.
TYPES = """
    WITH RECURSIVE found (type) AS (
        SELECT min(type) FROM members_event
        UNION ALL
        SELECT (SELECT min(type) FROM members_event WHERE type > found.type) FROM found WHERE found.type IS NOT NULL
    )
    SELECT type FROM found WHERE type IS NOT NULL
"""


class TypeFilter(admin.SimpleListFilter):
    title = _("类型")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        with connection.cursor() as cursor:
            cursor.execute(TYPES)
            return sorted(((name, in_words(name)) for (name,) in cursor.fetchall()), key=itemgetter(1))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(BigList, ReadOnlyAdmin):
    list_display = ("shown_type", "at", "member", "business", "store", "channel", "operator", "reference")
    list_filter = (TypeFilter, ("channel", InSightFilter), "at")
    list_select_related = ("member", "business", "store", "channel", "operator")
    search_fields = ("member__member_no",)
    search_help_text = _("会员号")

    @display(description=_("类型"), ordering="type")
    def shown_type(self, event: Event) -> str:
        return in_words(event.type)

    shown_type.exported = attrgetter("type")  # what is calculated with stays a code


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event", "reaction", "shown_state", "tries", "next_at", "error")
    list_filter = ("state",)
    list_select_related = ("event",)
    actions = ("retry",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("members.change_delivery")

    @admin.action(description=_("重新投递"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        count = retry_parked(timezone.now(), queryset)
        messages.success(request, gettext("%d 条搁置的投递已重新排队。") % count)

    @display(description=_("状态"), ordering="state", label={"waiting": "info", "done": "success", "parked": "danger"})
    def shown_state(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()
