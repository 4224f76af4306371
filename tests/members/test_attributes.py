"""Attributes that operators define: typed, owned by a node, shown where they say, and asked in rules."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from members import criteria
from members.admin.attributes import AttributeForm, shown
from members.errors import AttributeRequired, InvalidAttribute, UnknownAttribute
from members.models import Attribute, AttributeValue, Event, Member
from members.rules import read_attribute
from members.services.attributes import asked_by, known_of, set_values
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.member_session import enter

TYPES = (
    ("shoe_size", "number", []),
    ("hobby", "text", []),
    ("wedding", "date", []),
    ("diet", "choice", ["素食", "清真", "不限"]),
    ("likes", "choices", ["咖啡", "茶", "酒"]),
    ("has_car", "boolean", []),
)


@pytest.fixture
def asked(cast: Cast) -> list[Attribute]:
    return [
        Attribute.objects.create(
            code=code, name=code, kind=kind, options=options, org_unit=cast.group, pages=["360", "form", "list", "me"]
        )
        for code, kind, options in TYPES
    ]


@pytest.fixture
def guest(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall, cast.hotel])


def fill(member: Member, cast: Cast, **values) -> dict:
    return set_values(member, values, attributes=asked_by(cast.group), origin=own_origin("admin"))


FILLED = {
    "shoe_size": "４２.5",
    "hobby": " 围棋 ",
    "wedding": "2020年2月29日",
    "diet": "素食",
    "likes": "酒、咖啡",
    "has_car": "是",
}


def test_what_is_typed_becomes_what_it_means(cast, asked, guest):
    assert fill(guest, cast, **FILLED)["changed"] == sorted(FILLED)
    assert known_of(guest, asked) == {
        "shoe_size": Decimal("42.5"),
        "hobby": "围棋",
        "wedding": date(2020, 2, 29),
        "diet": "素食",
        "likes": ["咖啡", "酒"],
        "has_car": True,
    }
    assert Event.objects.get(type="member.attributes_changed").data == {"attributes": sorted(FILLED)}


def test_the_same_again_changes_nothing_and_empty_forgets(cast, asked, guest):
    fill(guest, cast, **FILLED)
    assert fill(guest, cast, **FILLED)["changed"] == []
    assert fill(guest, cast, hobby="", likes=[])["changed"] == ["hobby", "likes"]
    assert known_of(guest, asked).keys() == FILLED.keys() - {"hobby", "likes"}


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("shoe_size", "四十二"),
        ("shoe_size", "NaN"),
        ("shoe_size", "1e20"),
        ("hobby", "长" * 401),
        ("wedding", "昨天"),
        ("diet", "肉"),
        ("likes", "茶、可乐"),
        ("has_car", "也许"),
        ("likes", {"a": 1}),
        ("shoe_size", [1]),
    ],
)
def test_what_is_not_of_its_type_is_refused_and_nothing_changes(cast, asked, guest, code, written):
    with pytest.raises(InvalidAttribute) as refused:
        fill(guest, cast, **{"hobby": "围棋", code: written} if code != "hobby" else {code: written})
    assert refused.value.field == code
    assert AttributeValue.objects.count() == 0


def test_a_required_one_is_not_emptied(cast, asked, guest):
    Attribute.objects.filter(code="hobby").update(is_required=True)
    fill(guest, cast, hobby="围棋")
    with pytest.raises(AttributeRequired):
        fill(guest, cast, hobby=None)
    assert known_of(guest, asked) == {"hobby": "围棋"}


def test_another_business_neither_asks_nor_knows_it(cast, guest):
    Attribute.objects.create(code="pillow", name="枕头", kind="text", org_unit=cast.hotel, pages=["360"])
    in_mall, in_hotel = asked_by(cast.mall_1), asked_by(cast.hotel_1)
    assert ([one.code for one in in_mall], [one.code for one in in_hotel]) == ([], ["pillow"])
    with pytest.raises(UnknownAttribute):
        set_values(guest, {"pillow": "硬"}, attributes=in_mall, origin=own_origin("admin"))
    assert asked_by(None).count() == 0


# --- In rules -----------------------------------------------------------------------------------------------------

HOLDS = [
    {"custom": "shoe_size", "cmp": "gte", "value": 42},
    {"custom": "hobby", "cmp": "in", "value": ["围棋", "象棋"]},
    {"custom": "wedding", "cmp": "lt", "value": "2021-01-01"},
    {"custom": "diet", "cmp": "eq", "value": "素食"},
    {"custom": "likes", "cmp": "in", "value": ["茶", "酒"]},
    {"custom": "has_car", "cmp": "eq", "value": True},
]


def who(rule: dict) -> set[Member]:
    criteria.validate(rule)
    return set(Member.objects.filter(criteria.compile(rule, as_of=date(2026, 1, 1))))


@pytest.mark.parametrize("rule", HOLDS, ids=lambda rule: rule["custom"])
def test_rules_ask_for_them_and_not_is_the_rest(cast, asked, guest, rule):
    nobody_asked = MemberFactory(businesses=[cast.mall])
    fill(guest, cast, **FILLED)
    assert who(rule) == {guest}
    assert who(rule | {"not": True}) == {nobody_asked}


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"custom": "no_such", "cmp": "eq", "value": "x"}, "custom"),
        ({"custom": "hobby", "cmp": "gt", "value": "x"}, "cmp"),
        ({"custom": "diet", "cmp": "eq", "value": "肉"}, "value"),
        ({"custom": "diet", "cmp": "in", "value": "素食"}, "value"),
        ({"custom": "shoe_size", "cmp": "gte", "value": "大"}, "value"),
    ],
)
def test_a_rule_that_makes_no_sense_says_where(asked, rule, path):
    with pytest.raises(criteria.InvalidRule) as refused:
        criteria.validate(rule)
    assert [problem.path for problem in refused.value.problems] == [path]


# --- On pages -----------------------------------------------------------------------------------------------------


def test_the_back_office_fills_shows_filters_and_searches(cast, asked, guest, client):
    client.force_login(cast.sees_mall)
    Attribute.objects.filter(code="hobby").update(is_searchable=True)
    page = reverse("admin:members_member_attributes", args=[guest.pk])
    sent = {"hobby": "围棋", "likes": ["茶"], "has_car": "true", "shoe_size": "", "wedding": "", "diet": "清真"}
    assert client.post(page, sent).status_code == 302
    assert known_of(guest, asked) == {"hobby": "围棋", "likes": ["茶"], "has_car": True, "diet": "清真"}
    shown = client.get(reverse("admin:members_member_panel", args=[guest.pk, "attributes"])).content.decode()
    assert "围棋" in shown
    members = reverse("admin:members_member_changelist")
    MemberFactory(businesses=[cast.mall])
    for query in ({"attribute_diet": "清真"}, {"attribute_likes": "茶"}, {"attribute_has_car": "true"}, {"q": "围棋"}):
        found = client.get(members, query)
        assert [member.pk for member in found.context["cl"].result_list] == [guest.pk], query
    assert "清真" in found.content.decode()


def test_a_sensitive_one_is_hidden_from_whom_may_not_read(cast, asked, guest):
    fill(guest, cast, hobby="围棋")
    hobby = Attribute.objects.get(code="hobby")
    hobby.is_sensitive = True
    assert shown(hobby, "围棋", may_read=False) == "***"
    assert shown(hobby, "围棋", may_read=True) == "围棋"


def test_options_that_members_chose_are_not_dropped(cast, asked, guest):
    fill(guest, cast, diet="素食")
    diet = Attribute.objects.get(code="diet")
    form = AttributeForm({"name": "d", "position": 1, "options": "清真\n不限", "kind": "choice"}, instance=diet)
    form.fields.pop("org_unit")
    form.fields.pop("code")
    assert "素食" in str(form.errors["options"])
    with pytest.raises(ValidationError):
        Attribute(code="Bad-Code", name="x", kind="text", org_unit=cast.group).full_clean()


def test_members_fill_in_their_own(cast, asked, guest, client):
    Attribute.objects.create(code="loft", name="复式", kind="boolean", org_unit=cast.cvs, pages=["me"])
    enter(client, guest)
    page = client.get(reverse("member:about_me"))
    assert list(page.context["form"].fields) == [code for code, _, _ in TYPES]
    sent = {"hobby": "围棋", "wedding": "2020-02-29"}
    assert client.post(reverse("member:about_me"), sent).status_code == 302
    assert known_of(guest, asked) == {"hobby": "围棋", "wedding": date(2020, 2, 29)}
    refused = client.post(reverse("member:about_me"), {"shoe_size": "大"})
    assert refused.status_code == 200
    assert known_of(guest, asked) == {"hobby": "围棋", "wedding": date(2020, 2, 29)}


def test_reading_is_pure_and_keeps_the_order_of_options():
    assert read_attribute("choices", ["a", "b", "c"], "c,a；a") == ["a", "c"]
    assert read_attribute("number", [], "1,234.50") == Decimal("1234.50")
    assert read_attribute("boolean", [], "无") is False
