"""How many members a rule speaks of, before anybody uses it."""

from dataclasses import dataclass
from datetime import date
from math import isqrt

from django.db import OperationalError
from django.utils.translation import gettext as _

from marketing.models import Tag
from marketing.services.tags import matching
from marketing.statements import time_limit
from members.criteria import Node
from members.models import OrgUnit

PATIENCE = 3  # seconds
HUNDREDTH = {"bucket": [0, 99], "salt": "preview"}


@dataclass(frozen=True)
class Preview:
    """An exact count; or, where counting takes too long, a hundredfold of a hundredth, give or take `margin` (95 %)."""

    count: int
    margin: int = 0

    def __str__(self) -> str:
        if not self.margin:
            return _("命中 %d 位会员") % self.count
        return _("命中约 %(count)d 位会员（±%(margin)d）") % {"count": self.count, "margin": self.margin}


def preview(rule: Node, scope: OrgUnit, *, as_of: date) -> Preview:
    """Count the active members within the scope who answer to a valid rule."""
    try:
        with time_limit(PATIENCE):
            return Preview(matching(Tag(scope=scope, rule=rule), as_of=as_of).count())
    except OperationalError:
        sample = {"op": "and", "children": [HUNDREDTH, rule]}
        found = matching(Tag(scope=scope, rule=sample), as_of=as_of).count()
        return Preview(found * 100, margin=196 * (isqrt(found) + 1))
