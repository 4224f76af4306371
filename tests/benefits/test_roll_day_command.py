"""What the clock does each night can be seen beforehand, and done by hand."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from loyalty.models import Account
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.points import give_points, in_days


def roll(**options) -> str:
    out = StringIO()
    call_command("roll_day", stdout=out, **options)
    return out.getvalue()


def test_a_dry_run_says_what_will_lapse_and_takes_nothing(cast: Cast):
    give_points(MemberFactory(businesses=[cast.mall]), 100, cast.mall, expires_at=in_days(2))
    assert "expired: {'accounts': 0, 'quantity': 0}" in roll(dry_run=True)
    later = in_days(3).isoformat()
    assert "expired: {'accounts': 1, 'quantity': 100}" in roll(dry_run=True, at=later)
    assert Account.objects.get().balance == 100
    assert "expired: {'accounts': 1, 'quantity': 100}" in roll(at=later)
    assert Account.objects.get().balance == 0


def test_a_moment_without_offset_is_refused(cast: Cast):
    with pytest.raises(CommandError, match="offset"):
        roll(at="2026-12-01")
