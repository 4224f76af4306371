"""What rules may ask of consents: only those that stand now, whatever day the rule is asked for."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from members.criteria.moment import Moment
from members.criteria.person import business_names
from members.criteria.vocabulary import CODE, Condition, Leaf, Node, unknown_codes
from members.models import Consent, Medium, OrgUnit, Purpose
from members.services import consents


class ConsentLeaf(Leaf):
    """{"consent": "marketing", "business": "HOTEL", "medium": "sms"}: whether he allows this business to do that.

    Without a business, whether he has agreed to it with anybody; without a medium, by all ways. What was withdrawn
    counts no more from that moment, also for a rule that is asked as of an earlier day.
    """

    key = "consent"
    label = _("已同意")

    def schema(self) -> dict[str, Any]:
        return {
            "properties": {
                "consent": {"enum": Purpose.values},
                "business": CODE.schema,
                "medium": {"enum": Medium.values},
            },
            "required": ["consent"],
        }

    def problems(self, node: Node) -> Iterator[tuple[str, str]]:
        if "business" in node:
            yield from unknown_codes("business", node["business"], business_names)

    def examples(self) -> Iterator[tuple[str, Node]]:
        yield str(Purpose.MARKETING.label), {"consent": Purpose.MARKETING.value}
        for code in [*business_names()][:1]:
            asked = {"consent": Purpose.MARKETING.value, "business": code, "medium": Medium.SMS.value}
            yield f"{Purpose.MARKETING.label}·{Medium.SMS.label}", asked

    def condition(self, node: Node, moment: Moment) -> Condition:
        medium = node.get("medium", Medium.ANY)
        if "business" in node:
            business = OrgUnit.objects.businesses().get(code=node["business"])
            return consents.allowing(business, node["consent"], medium)
        rows = Consent.objects.in_force().filter(member=OuterRef("pk"), purpose=node["consent"])
        return Exists(rows.filter(medium__in={Medium.ANY, medium}))

    def describe(self, node: Node) -> str:
        medium = f"·{Medium(node['medium']).label}" if "medium" in node else ""
        business = f"（{business_names().get(node['business'], node['business'])}）" if "business" in node else ""
        return f"{self.label} {Purpose(node['consent']).label}{medium}{business}"
