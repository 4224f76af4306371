"""What needs a second person in the demo: large adjustments of points, and large imports of members."""

from members.models import ApprovalPolicy, OrgUnit

THRESHOLDS = {"loyalty.adjust": 10_000, "members.import": 5_000}  # points; rows


def demand() -> None:
    group = OrgUnit.objects.get(depth=1)
    for verb, threshold in THRESHOLDS.items():
        ApprovalPolicy.objects.create(org_unit=group, verb=verb, threshold=threshold)
