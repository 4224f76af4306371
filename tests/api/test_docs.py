"""docs/api.md, tried as it is written: its commands are run against a live server, its table of codes is complete."""

import json
import os
import re
import shutil
import subprocess
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from loyalty.models import BurnRule, EarnRule, PointsPrice
from members.errors import Refused
from members.services.organisation import add_business, add_group, add_store
from settlement.models import Period, Statement
from settlement.services.calendar import local_month

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
LONG_AGO = "2020-01-01T00:00:00Z"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def group(transactional_db):
    """What the demo has of it: a mall that gives points, a hotel that takes them."""
    group = add_group("WUTONG", "梧桐集团")
    for code, name in (("MALL", "梧桐广场"), ("HOTEL", "梧桐酒店")):
        business = add_business(group, code, name)
        add_store(business, f"{code}-1", f"{name}一店")
        EarnRule.objects.create(name="消费得积分", org_unit=business, starts_at=LONG_AGO)
    BurnRule.objects.create(
        name="积分抵现", org_unit=business, points=100, amount=500, step=100, share_cap=50, starts_at=LONG_AGO
    )
    PointsPrice.objects.create(issuer=group, price=5, starts_at=LONG_AGO)
    return group


def keys() -> dict[str, str]:
    """Run the commands of the first block in this process, which knows the test database."""
    made = {}
    for name, arguments in re.findall(r"^(\w+)=\$\(\.venv/bin/python manage\.py (.*)\)$", blocks("sh keys")[0], re.M):
        output = StringIO()
        call_command(*arguments.split(), stdout=output)
        made[name] = output.getvalue().strip()
    return made


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here: the commands of docs/api.md are NOT tried")
def test_ten_commands_lead_to_the_first_settled_burn(group, live_server):
    commands = blocks("sh")
    assert len(commands) == 10
    month, _ = local_month(datetime.now(tz=group.zone))
    Period.objects.create(name=f"{month:%Y-%m}", starts_at=month, ends_at=local_month(month)[1])
    setup = blocks("sh setup")[0].replace("http://127.0.0.1:8000", live_server.url)
    script = "set -euo pipefail\n" + setup + "\n".join(commands)
    run = subprocess.run(
        ["bash", "-c", script], env=os.environ | keys(), capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    quote, bought, assets, joined, stayed, spent, cut, lines = map(json.loads, run.stdout.splitlines())
    assert (quote["to_pay"], bought["points_earned"]) == (80_000, 800)
    assert assets["results"][0]["balance"] == 800
    assert (joined["is_new"], joined["is_new_membership"]) == (False, True)
    assert (stayed["points_used"], stayed["points_amount"], stayed["to_pay"]) == (500, 2_500, 27_500)
    assert [row["quantity"] for row in spent["results"]] == [275, -500]
    assert cut["state"] == "open"
    assert {line["event"]: line["amount"] for line in lines["results"]} == {"burn": 2_500, "issue": -1_375}
    assert Statement.objects.get(book__org_unit__code="HOTEL").net == 1_125


def every_code(kind: type[Refused] = Refused) -> set[str]:
    return {kind.code}.union(*map(every_code, kind.__subclasses__()))


def test_every_code_is_listed():
    table = PAGE[PAGE.index("### Codes") :]
    listed = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.*?) \| \d", table, re.M))))
    of_the_edge = {
        "body_too_big", "internal_error", "invalid_input", "method_not_allowed", "not_acceptable", "not_found",
        "parse_error", "permission_denied", "throttled", "unsupported_media_type",
    }  # fmt: skip
    assert listed == every_code() | of_the_edge
