"""What happens to people who are there already: by policy, in sight only, shown first, and with a second person."""

from datetime import date

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from members.errors import NotYours
from members.interfaces.imports import Policy
from members.models import Approval, ApprovalPolicy, Event, Identity, Job, Member, Membership
from members.resources.members import MEMBERS
from members.services import approvals, imports
from members.services.organisation import own_origin
from members.services.people import enrol, find
from tests.cast import Cast
from tests.factories import OperatorFactory
from tests.sheets import checked, imported, problems, totals, xlsx

HEADER = ("手机号", "姓名", "性别", "生日", "邮箱")
ROW = ("13800138000", "新名", "女", "1990-01-01", "new@example.com")


@pytest.fixture
def how(cast: Cast) -> dict:
    return {"by": cast.sees_mall, "business": cast.mall, "header": HEADER}


@pytest.fixture
def known(cast: Cast) -> Member:
    """A member of the mall: name and e-mail are known, gender and birthday are not."""
    identities = {"phone": "13800138000", "email": "old@example.com"}
    enrol(identities=identities, name="原名", business=cast.mall, origin=own_origin("desk"))
    return Member.objects.get()


def person(member: Member) -> tuple:
    member.refresh_from_db()
    return member.name, member.gender, member.birthday, member.identities.get(kind="email").value


@pytest.mark.parametrize(
    ("policy", "verdict", "after"),
    [
        (Policy.SKIP, "unchanged", ("原名", "", None, "old@example.com")),
        (Policy.FILL, "changed", ("原名", "f", date(1990, 1, 1), "old@example.com")),
        (Policy.OVERWRITE, "changed", ("新名", "f", date(1990, 1, 1), "new@example.com")),
        (Policy.FAIL, "failed", ("原名", "", None, "old@example.com")),
    ],
)
def test_a_member_of_the_business(how: dict, known: Member, policy: Policy, verdict: str, after: tuple) -> None:
    job = imported(MEMBERS, ROW, policy=policy, **how)
    assert (totals(job), person(known)) == ({verdict: 1}, after)
    assert find("email", after[3]) == known
    assert Member.objects.filter(name_index=known.name_index).get() == known
    assert imported(MEMBERS, ROW, policy=policy, **how).summary["changed"] == 0  # there is nothing left to change


def test_blank_cells_never_clear_and_changes_are_recorded(how: dict, known: Member) -> None:
    job = imported(MEMBERS, ("13800138000", "", "男", "", ""), policy=Policy.OVERWRITE, **how)
    assert (totals(job), person(known)) == ({"changed": 1}, ("原名", "m", None, "old@example.com"))
    event = Event.objects.get(type="member.updated")
    assert (event.member, event.data, event.operator) == (known, {"fields": ["gender"]}, how["by"])


@pytest.mark.parametrize("policy", [Policy.FILL, Policy.OVERWRITE])
def test_whom_only_others_know_joins_and_is_neither_changed_nor_shown(cast: Cast, how: dict, policy: Policy) -> None:
    identities = {"phone": "13800138000", "email": "old@example.com"}
    enrol(identities=identities, name="原名", business=cast.hotel, origin=own_origin("desk"))
    job = checked(MEMBERS, ROW, policy=policy, **how)
    assert (totals(job), job.summary["changes"], imports.preview(job)) == ({"new_membership": 1}, {}, [])
    assert imports.confirm(job)
    imports.run(job.pk)
    assert person(Member.objects.get()) == ("原名", "", None, "old@example.com")
    assert Membership.objects.count() == 2


def test_somebody_else_s_email_is_never_taken(cast: Cast, how: dict, known: Member) -> None:
    enrol(identities={"email": "new@example.com"}, business=cast.mall, origin=own_origin("desk"))
    job = imported(MEMBERS, ROW, policy=Policy.OVERWRITE, **how)
    assert (totals(job), person(known)[3]) == ({"failed": 1}, "old@example.com")
    assert "两位会员" in problems(job)[2]


REPEATED = (
    ("13800138000", "甲", "", "", ""),
    ("13900139000", "乙", "", "", ""),
    ("13800138000", "丙", "女", "", ""),
    ("13800138000", "", "男", "1991-01-01", ""),
)


@pytest.mark.parametrize(
    ("policy", "expected", "after"),
    [
        (Policy.SKIP, {"new_member": 2, "skipped": 2}, ("甲", "", None)),
        (Policy.FILL, {"new_member": 2, "changed": 2}, ("甲", "f", date(1991, 1, 1))),
        (Policy.OVERWRITE, {"new_member": 2, "changed": 2}, ("丙", "m", date(1991, 1, 1))),
        (Policy.FAIL, {"new_member": 2, "failed": 2}, ("甲", "", None)),
    ],
)
def test_a_person_who_stands_in_the_file_again(how: dict, policy: Policy, expected: dict, after: tuple) -> None:
    job = checked(MEMBERS, *REPEATED, policy=policy, **how)
    assert totals(job) == expected
    imports.confirm(job)
    done = imports.run(job.pk)
    assert (totals(done), done.done) == (expected, 4)
    member = find("phone", "13800138000")
    assert (member.name, member.gender, member.birthday) == after
    assert Identity.objects.filter(kind="phone").count() == 2


def test_the_preview_counts_columns_and_shows_rows(how: dict, known: Member) -> None:
    job = checked(MEMBERS, ROW, ("13900139000", "乙", "", "", ""), policy=Policy.OVERWRITE, **how)
    assert job.summary["changes"] == {"name": 1, "gender": 1, "birthday": 1, "email": 1}
    ((number, member_no, changes),) = imports.preview(job)
    assert (number, member_no) == (2, known.member_no)
    assert [tuple(change) for change in changes] == [
        ("name", "原名", "新名"),
        ("gender", "", "女"),
        ("birthday", "", "1990-01-01"),
        ("email", "old@example.com", "new@example.com"),
    ]
    assert "新名" not in str(job.summary)


def test_the_preview_is_masked_and_each_look_behind_it_is_recorded(
    cast: Cast, how: dict, known: Member, client
) -> None:
    job = checked(MEMBERS, ROW, policy=Policy.OVERWRITE, **how)
    importer = OperatorFactory(org_unit=cast.mall)
    importer.user_permissions.set(Permission.objects.filter(codename="import_members"))
    page, unmask = (reverse(f"admin:members_import_{name}", args=[job.pk]) for name in ("job", "unmask"))
    for operator in (cast.sees_mall, importer):
        client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
        shown = client.get(page).content.decode()
        assert "新*" in shown
        assert not any(text in shown for text in ("新名", "原名", "new@", "1990-01-01"))
        assert (unmask in shown) == (operator == cast.sees_mall)
    assert client.post(unmask).status_code == 403
    assert not Event.objects.filter(type="member.unmasked").exists()
    client.force_login(cast.sees_mall, backend="django.contrib.auth.backends.ModelBackend")
    shown = client.post(unmask).content.decode()
    assert all(text in shown for text in ("新名", "原名", "new@example.com", "1990-01-01"))
    event = Event.objects.get(type="member.unmasked")
    assert (event.member, event.operator) == (known, cast.sees_mall)
    assert event.data == {"page": "import", "what": ["name", "birthday", "email"]}


def test_who_may_not_change_members_can_not_overwrite_them(cast: Cast) -> None:
    importer = OperatorFactory(org_unit=cast.mall)
    importer.user_permissions.set(Permission.objects.filter(codename="import_members"))
    file = SimpleUploadedFile("会员.xlsx", xlsx(ROW, header=HEADER))
    for policy in (Policy.FILL, Policy.OVERWRITE):
        with pytest.raises(NotYours):
            imports.upload(file, business=cast.mall, operator=importer, policy=policy)
    assert Job.objects.count() == 0


def test_a_large_file_waits_for_a_second_person(cast: Cast, how: dict, django_capture_on_commit_callbacks) -> None:
    ApprovalPolicy.objects.create(org_unit=cast.group, verb=imports.APPROVAL, threshold=2)
    small = checked(MEMBERS, ROW, **how)
    assert imports.confirm(small, origin=own_origin("admin", actor=cast.sees_mall))
    large = checked(MEMBERS, ("13900139001",), ("13900139002",), **how)
    for _ in range(2):
        assert not imports.confirm(large, origin=own_origin("admin", actor=cast.sees_mall))
    approval = Approval.objects.get()
    assert (approval.quantity, approval.asked_by, imports.pending_approval(large)) == (2, cast.sees_mall, approval)
    assert Member.objects.count() == 0
    with django_capture_on_commit_callbacks(execute=True):
        approvals.approve(approval, origin=own_origin("admin", actor=cast.sees_all))
    large.refresh_from_db()
    assert (large.state, Member.objects.count()) == ("done", 2)
