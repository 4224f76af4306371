"""What a node decides holds for all below it, who see it; it is kept where it was decided."""

from operator import attrgetter

from django.http import HttpRequest

from members.interfaces.admin import ScopedAdmin
from members.models import OrgUnit


def is_kept_by(request: HttpRequest, owner: OrgUnit) -> bool:
    """Whether the operator stands on the owner, or above it."""
    reach = request.user.reach
    return bool(reach) and owner.path.startswith(reach.path)


class OwnedAdmin(ScopedAdmin):
    """`owner` leads from a row to the node that decides it: from below, the row can only be looked at."""

    owner: str

    def is_kept_here(self, request: HttpRequest, obj) -> bool:
        return obj is None or is_kept_by(request, attrgetter(self.owner)(obj))

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return super().has_change_permission(request, obj) and self.is_kept_here(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return super().has_delete_permission(request, obj) and self.is_kept_here(request, obj)
