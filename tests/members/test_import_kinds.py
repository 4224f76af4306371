"""Spreadsheets of organisation, cards and attributes: rows judged, applied once, and never out of reach."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from members.errors import NotYours, UnreadableFile
from members.interfaces.imports import ImportKind, Policy, import_kinds
from members.models import Attribute, AttributeValue, Card, CardType, Member, OrgUnit, Trade
from members.resources.attributes import ATTRIBUTES
from members.resources.cards import CARDS
from members.resources.members import MEMBERS
from members.resources.organisation import ORG_UNITS
from members.resources.templates import template
from members.services import import_lines, imports
from members.services.card_serials import numbering_of
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory
from tests.sheets import checked, imported, problems, totals


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(phone="+8613800138000", businesses=[cast.mall])


# --- Organisation -----------------------------------------------------------------------------------------------


def test_a_tree_comes_in_with_parents_above_children(cast: Cast) -> None:
    Trade.objects.create(code="food", name="餐饮")
    job = imported(
        ORG_UNITS,
        ("SPA", "梧桐水疗", "业态", "GROUP", ""),
        ("SPA-N", "水疗北区", "大区", "SPA", ""),
        ("SPA-1", "水疗一店", "门店", "SPA-N", "餐饮"),
        by=cast.sees_all,
        business=None,
    )
    assert totals(job) == {"new": 3}
    store = OrgUnit.objects.get(code="SPA-1")
    assert (store.business.code, OrgUnit.objects.get_parent(store).code, store.trade.code) == ("SPA", "SPA-N", "food")


def test_bad_units_fail_alone(cast: Cast) -> None:
    job = imported(
        ORG_UNITS,
        ("X-1", "无上级", "门店", "NOWHERE", ""),
        ("X-2", "类型错", "大区", "MALL-1", ""),
        ("X-3", "别家的", "门店", "HOTEL", ""),
        ("HOTEL", "改名", "业态", "GROUP", ""),
        ("MALL-3", "广场三店", "门店", "MALL-EAST", ""),
        by=cast.sees_mall,
        business=None,
    )
    assert totals(job) == {"new": 1, "failed": 4}
    words = problems(job)
    assert [words[number][:5] for number in (2, 3, 4, 5)] == ["上级“NO", "上级类型不", "上级“HO", "编码已被其"]
    assert OrgUnit.objects.get(code="HOTEL").name == "梧桐酒店"


def test_names_change_by_policy_only(cast: Cast) -> None:
    row = ("MALL-1", "新名", "门店", "MALL-EAST", "")
    for policy, verdict, name in (
        (Policy.SKIP, "unchanged", "广场一店"),
        (Policy.FILL, "unchanged", "广场一店"),
        (Policy.FAIL, "failed", "广场一店"),
        (Policy.OVERWRITE, "changed", "新名"),
    ):
        job = imported(ORG_UNITS, row, by=cast.sees_mall, business=None, policy=policy)
        assert totals(job) == {verdict: 1}
        cast.mall_1.refresh_from_db()
        assert cast.mall_1.name == name


# --- Cards ------------------------------------------------------------------------------------------------------


@pytest.fixture
def gold(cast: Cast) -> CardType:
    return CardType.objects.create(code="GOLD", name="金卡", org_unit=cast.mall, prefix="62", length=10)


def test_cards_come_with_their_holders_and_states(cast: Cast, gold: CardType, member: Member) -> None:
    numbers = [numbering_of(gold).number(serial) for serial in (1, 2, 3)]
    job = imported(
        CARDS,
        (numbers[0], "金卡", "13800138000", "", ""),
        (numbers[1], "GOLD", "", "", ""),
        (numbers[2], "GOLD", member.member_no, "", "已挂失"),
        by=cast.sees_mall,
        business=cast.mall,
    )
    assert totals(job) == {"new": 3}
    assert list(Card.objects.order_by("number").values_list("number", "state", "member")) == [
        (numbers[0], "active", member.pk),
        (numbers[1], "issued", None),
        (numbers[2], "lost", member.pk),
    ]


def test_bad_cards_fail_alone_and_known_ones_stay(cast: Cast, gold: CardType, member: Member) -> None:
    number = numbering_of(gold).number
    imported(CARDS, (number(1), "GOLD", "13800138000", "", ""), by=cast.sees_mall, business=cast.mall)
    rows = (
        (number(1), "GOLD", "", "", ""),
        ("6200000001", "GOLD", "", "", ""),  # wrong check digit
        (number(2), "白金", "", "", ""),
        (number(3), "GOLD", "13900139000", "", ""),
        (number(4), "GOLD", "", "", "正常"),
        (number(5), "GOLD", "", "", ""),
        (number(5), "GOLD", "", "", ""),
    )
    job = imported(CARDS, *rows, by=cast.sees_mall, business=cast.mall)
    assert totals(job) == {"new": 1, "unchanged": 1, "skipped": 1, "failed": 4}
    assert sorted(problems(job)) == [3, 4, 5, 6]
    assert "没有找到会员" in problems(job)[5]
    assert Card.objects.get(number=number(1)).member == member


def test_whoever_can_not_issue_cards_can_not_import_them(cast: Cast) -> None:
    nobody = OperatorFactory(org_unit=cast.mall)
    assert imports.kinds_for(nobody) == []
    with pytest.raises(NotYours):
        checked(CARDS, ("1",), by=cast.sees_mall, business=cast.hotel)


# --- Attributes -------------------------------------------------------------------------------------------------


@pytest.fixture
def attributes(cast: Cast) -> None:
    Attribute.objects.create(code="shoe", name="鞋码", kind="number", org_unit=cast.group)
    Attribute.objects.create(code="taste", name="口味", kind="choices", options=["甜", "辣"], org_unit=cast.mall)
    Attribute.objects.create(code="room", name="房型", kind="text", org_unit=cast.hotel)


def known(member: Member) -> dict[str, object]:
    rows = AttributeValue.objects.filter(member=member).select_related("attribute")
    return {row.attribute.code: row.value for row in rows}


@pytest.mark.usefixtures("attributes")
def test_attributes_are_filled_and_overwritten_by_policy(cast: Cast, member: Member) -> None:
    header = ("手机号", "鞋码", "口味", "房型")
    how = {"by": cast.sees_mall, "business": cast.mall, "header": header}
    job = imported(ATTRIBUTES, ("13800138000", 42, "甜、辣", "海景"), **how)
    assert (totals(job), known(member)) == ({"changed": 1}, {"shoe": 42, "taste": ["甜", "辣"]})
    job = imported(ATTRIBUTES, ("13800138000", 43, "", ""), policy=Policy.FILL, **how)
    assert (totals(job), known(member)["shoe"]) == ({"unchanged": 1}, 42)
    job = imported(ATTRIBUTES, ("13800138000", 43, "", ""), policy=Policy.OVERWRITE, **how)
    assert (totals(job), known(member)["shoe"]) == ({"changed": 1}, 43)
    job = imported(ATTRIBUTES, ("13800138000", "大", "", ""), ("13900139000", 40, "", ""), **how)
    assert totals(job) == {"failed": 2}


@pytest.mark.usefixtures("attributes")
def test_a_file_of_members_may_bring_attributes(cast: Cast) -> None:
    header = ("手机号", "姓名", "鞋码", "口味")
    how = {"by": cast.sees_mall, "business": cast.mall, "header": header}
    job = imported(MEMBERS, ("13800138000", "甲", 42.5, "辣"), ("13900139000", "乙", "大", ""), **how)
    assert totals(job) == {"new_member": 1, "failed": 1}
    member = Member.objects.get()
    assert {code: str(value) for code, value in known(member).items()} == {"shoe": "42.500000", "taste": "['辣']"}
    job = imported(MEMBERS, ("13800138000", "", 44, "甜"), policy=Policy.OVERWRITE, **how)
    assert (totals(job), known(member)) == ({"changed": 1}, {"shoe": 44, "taste": ["甜"]})
    job = imported(MEMBERS, ("13800138000", "", 45, ""), policy=Policy.FILL, **how)
    assert (totals(job), known(member)["shoe"]) == ({"unchanged": 1}, 44)


# --- The framework ----------------------------------------------------------------------------------------------


def test_a_killed_worker_s_rows_are_applied_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_lines, "APPLIED_AT_ONCE", 2)
    rows = [(f"S-{number}", f"店{number}", "门店", "MALL-EAST", "") for number in range(5)]
    job = checked(ORG_UNITS, *rows, by=cast.sees_mall, business=None)
    assert imports.confirm(job)
    write_back = import_lines._write_back
    batches = []

    def die_at_the_second(*args, **how):
        batches.append(args)
        if len(batches) == 2:
            raise SystemExit
        return write_back(*args, **how)

    monkeypatch.setattr(import_lines, "_write_back", die_at_the_second)
    with pytest.raises(SystemExit):
        imports.run(job.pk)
    assert OrgUnit.objects.filter(code__startswith="S-").count() == 2
    assert imports.unfinished() == ([], [job.pk])
    done = imports.run(job.pk)
    assert (done.state, done.done, totals(done)) == ("done", 5, {"new": 5})
    assert OrgUnit.objects.filter(code__startswith="S-").count() == 5


def test_the_same_file_twice_at_once_is_one_job(cast: Cast) -> None:
    row = ("MALL-3", "广场三店", "门店", "MALL-EAST", "")
    first = checked(ORG_UNITS, row, by=cast.sees_mall, business=None)
    with pytest.raises(UnreadableFile, match=f"#{first.pk}"):
        checked(ORG_UNITS, row, by=cast.sees_mall, business=None)
    imports.cancel(first)
    assert totals(checked(ORG_UNITS, row, by=cast.sees_mall, business=None)) == {"new": 1}


@pytest.mark.parametrize("kind", list(import_kinds), ids=lambda kind: kind.name)
def test_the_template_of_every_kind_reads_as_an_empty_file(cast: Cast, kind: ImportKind) -> None:
    file = SimpleUploadedFile("模板.xlsx", template(kind, cast.mall).getvalue())
    job = imports.check(
        imports.upload(file, business=cast.mall, operator=cast.sees_mall, kind=kind.name, policy=kind.policies[0]).pk
    )
    assert (job.state, job.message[:8]) == ("failed", "文件中没有数据行")
