"""The back office of marketing, through its pages: what each operator sees, may do, and is told."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from benefits.models import Coupon
from marketing.models import Campaign, MemberTag, Tag, TagRun
from marketing.services import tags
from members.models import Member, Operator
from tests.factories import MemberFactory

OF_THE_MALL = {"attr": "business", "cmp": "eq", "value": "MALL"}


@pytest.fixture
def page(client):
    """`page(operator, "tag_add", data)`: the response to that operator, redirects followed."""

    def ask(operator: Operator, name: str, data: dict | None = None, *args):
        client.force_login(operator)
        url = reverse(f"admin:marketing_{name}", args=args)
        return client.get(url) if data is None else client.post(url, data, follow=True)

    return ask


@pytest.fixture
def of_hotel(cast) -> Tag:
    return Tag.objects.create(code="hotel-guests", name="酒店住客", scope=cast.hotel)


@pytest.fixture
def campaign(cast, template) -> Campaign:
    MemberFactory.create_batch(3, businesses=[cast.mall])
    return Campaign.objects.create(name="送券", owner=cast.mall, rule=OF_THE_MALL, template=template)


def tag_data(cast, **changes) -> dict:
    rule = {"op": "and", "children": [OF_THE_MALL]}
    data = {"code": "new", "name": "新", "colour": "red", "scope": cast.group.pk, "kind": "rule", "is_active": "on"}
    return {**data, "rule": json.dumps(rule), **changes}


@pytest.mark.parametrize("model", ["tag", "membertag", "tagrun", "campaign", "campaignmember"])
def test_who_stands_nowhere_sees_nothing(cast, page, origin, vip, regulars, campaign, model):
    member = MemberFactory(businesses=[cast.mall])
    tags.tag_member(member, vip, why="", origin=origin)
    tags.recompute(regulars, as_of=timezone.localdate(), origin=origin)
    seen_by_all = page(cast.sees_all, f"{model}_changelist").context["cl"]
    seen_by_none = page(cast.sees_nothing, f"{model}_changelist").context["cl"]
    assert seen_by_all.result_count > 0 or model == "campaignmember"
    assert seen_by_none.result_count == 0
    assert "贵宾" not in str(page(cast.sees_nothing, f"{model}_changelist").content.decode())


def test_a_tag_from_above_is_seen_and_not_changed(cast, page, vip, of_hotel):
    listed = page(cast.sees_mall, "tag_changelist").context["cl"].result_list
    assert [tag.code for tag in listed] == ["vip"]
    assert page(cast.sees_mall, "tag_change", {"name": "我的"}, vip.pk).status_code == 403
    assert page(cast.sees_mall, "tag_change", None, of_hotel.pk).status_code == 302  # not his: as if it were not there
    vip.refresh_from_db()
    assert vip.name == "贵宾"


def test_a_tag_is_made_with_a_rule(cast, page):
    page(cast.sees_all, "tag_add", tag_data(cast))
    tag = Tag.objects.get()
    assert (tag.rule["children"], tag.version) == ([OF_THE_MALL], 1)
    shown = page(cast.sees_all, "tag_change", None, tag.pk).content.decode()
    assert "业态会员 = 梧桐广场" in shown


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"rule": '{"attr": "points_balance", "cmp": "gte", "value": "多"}'}, "rule", "value：应为整数"),
        ({"rule": "{not json"}, "rule", "JSON"),
        ({"rule": '{"tag": "new"}'}, "rule", "没有“new”"),
        ({"rule": ""}, None, "规则标签必须填写规则"),
        ({"kind": "manual"}, None, "规则标签必须填写规则"),
    ],
)
def test_a_wrong_rule_is_told_beside_its_field(cast, page, changes, field, said):
    response = page(cast.sees_all, "tag_add", tag_data(cast, **changes))
    assert said in str(response.context["adminform"].form.errors[field or "__all__"])
    assert not Tag.objects.exists()


def test_a_circle_of_tags_is_told(cast, page, regulars):
    changes = {"code": "regulars", "rule": '{"tag": "regulars"}'}
    response = page(cast.sees_all, "tag_change", tag_data(cast, **changes), regulars.pk)
    assert "循环引用：regulars → regulars" in str(response.context["adminform"].form.errors["rule"])


def test_one_can_t_make_a_tag_for_another_s_node(cast, page):
    response = page(cast.sees_mall, "tag_add", tag_data(cast))
    assert "scope" in response.context["adminform"].form.errors
    assert not Tag.objects.exists()


def test_the_preview_counts_and_tells(cast, page):
    MemberFactory.create_batch(2, businesses=[cast.mall])
    MemberFactory(businesses=[cast.hotel])
    rule = json.dumps({"attr": "registered_days", "cmp": "gte", "value": -1})
    asked = {"rule": rule, "scope": cast.group.pk}
    assert "命中 3 位会员" in page(cast.sees_all, "rule_preview", asked).content.decode()
    assert "命中 2 位会员" in page(cast.sees_mall, "rule_preview", asked | {"scope": cast.mall.pk}).content.decode()
    for wrong in (asked, asked | {"scope": "x"}, asked | {"scope": cast.hotel.pk}):
        assert "命中" not in page(cast.sees_mall, "rule_preview", wrong).content.decode()
    told = page(cast.sees_all, "rule_preview", asked | {"rule": '{"attr": "age"}'}).content.decode()
    assert "缺少 cmp、value" in told
    assert "attr：只能是" in told


def test_recomputing_from_the_list(cast, page, regulars):
    MemberFactory(businesses=[cast.mall])
    data = {"action": "recompute", "_selected_action": [regulars.pk]}
    assert "命中 1 位会员" in page(cast.sees_all, "tag_changelist", data).content.decode()
    assert TagRun.objects.get().added == 1
    page(cast.sees_mall, "tag_changelist", data)  # a tag of the group: not the mall's to compute
    assert TagRun.objects.count() == 1


def test_tagging_and_untagging_by_hand(cast, page, vip):
    member = MemberFactory(businesses=[cast.mall])
    data = {"member": member.pk, "tag": vip.pk, "value": "", "why": "董事", "until_0": "", "until_1": ""}
    page(cast.sees_mall, "membertag_add", data)
    page(cast.sees_mall, "membertag_add", data | {"why": "董事长"})  # once more: the later word holds
    row = MemberTag.objects.get()
    assert (row.member, row.set_by, row.why) == (member, cast.sees_mall, "董事长")
    page(cast.sees_mall, "membertag_changelist", {"action": "untag", "_selected_action": [row.pk]})
    assert not MemberTag.objects.exists()


def test_one_can_t_tag_another_s_member(cast, page, vip, of_hotel):
    guest = MemberFactory(businesses=[cast.hotel])
    data = {"member": guest.pk, "tag": vip.pk, "value": "", "why": "x", "until_0": "", "until_1": ""}
    assert "member" in page(cast.sees_mall, "membertag_add", data).context["adminform"].form.errors
    ours = MemberFactory(businesses=[cast.mall])
    wrong = data | {"member": ours.pk, "tag": of_hotel.pk}
    assert "member" in page(cast.sees_all, "membertag_add", wrong).context["adminform"].form.errors
    assert not MemberTag.objects.exists()


@pytest.mark.usefixtures("transactional_db")
def test_a_campaign_is_asked_about_launched_and_followed(cast, page, campaign):
    asked = page(cast.sees_mall, "campaign_launch", None, campaign.pk).content.decode()
    assert "<strong>3</strong> 位会员" in asked
    assert "满减十元" in asked
    assert Campaign.objects.get().state == "draft"

    response = page(cast.sees_mall, "campaign_launch", {"_form_submitted": "true"}, campaign.pk)
    assert response.headers["HX-Redirect"] == reverse("admin:marketing_campaign_change", args=[campaign.pk])
    assert Coupon.objects.count() == 3
    assert Campaign.objects.get().launched_by == cast.sees_mall
    assert "100%：已处理 3 / 3" in page(cast.sees_mall, "campaign_progress", None, campaign.pk).content.decode()
    assert page(cast.sees_mall, "campaign_change", {"name": "改"}, campaign.pk).status_code == 403

    page(cast.sees_mall, "campaign_launch", {"_form_submitted": "true"}, campaign.pk)
    assert "不能再次启动" in page(cast.sees_mall, "campaign_change", None, campaign.pk).content.decode()
    assert Coupon.objects.count() == 3


def test_another_s_campaign_is_not_to_be_found(cast, page, campaign):
    Campaign.objects.update(owner=cast.hotel)
    for name in ("campaign_launch", "campaign_cancel", "campaign_give_again"):
        assert page(cast.sees_mall, name, {"_form_submitted": "true"}, campaign.pk).status_code == 404
    assert page(cast.sees_mall, "campaign_progress", None, campaign.pk).status_code == 404
    assert "送券" not in page(cast.sees_mall, "campaign_launch", None, campaign.pk).content.decode()
    assert Campaign.objects.get().state == "draft"


def test_a_campaign_needs_one_audience_and_one_gift(cast, page, template):
    data = {"name": "空", "owner": cast.mall.pk, "tag": "", "rule": "", "template": "", "points": "", "payer": ""}
    said = str(page(cast.sees_mall, "campaign_add", data).context["adminform"].form.errors)
    assert "二者选一" in said
    page(cast.sees_mall, "campaign_add", data | {"rule": json.dumps(OF_THE_MALL), "template": template.pk})
    assert Campaign.objects.get().rule == OF_THE_MALL


@pytest.fixture
def tagged(cast, origin, vip, of_hotel) -> Member:
    """A member of the mall and the hotel who carries a tag of the group and one of the hotel."""
    member = MemberFactory(businesses=[cast.mall, cast.hotel])
    for tag in (vip, of_hotel):
        tags.tag_member(member, tag, why="常住", origin=origin)
    return member


def test_member_360_shows_the_tags_that_the_operator_may_see(cast, client, tagged):
    for operator, seen in ((cast.sees_all, True), (cast.sees_mall, False)):
        client.force_login(operator)
        pages = [
            client.get(reverse("admin:members_member_360", args=[tagged.pk])).content.decode(),
            client.get(reverse("admin:members_member_panel", args=[tagged.pk, "tags"])).content.decode(),
        ]
        for page in pages:
            assert "贵宾" in page
            assert ("酒店住客" in page) is seen


def test_the_member_list_shows_tags_of_the_group_and_is_filtered_by_tag(cast, client, tagged):
    stranger = MemberFactory(businesses=[cast.mall])
    client.force_login(cast.sees_mall)
    page = client.get(reverse("admin:members_member_changelist"), {"tag": "vip"})
    assert [member.pk for member in page.context["cl"].result_list] == [tagged.pk]
    assert "贵宾</span>" in page.content.decode()
    assert "酒店住客" not in page.content.decode()
    assert stranger.member_no not in page.content.decode()


def test_tagging_begins_on_member_360(cast, client, tagged):
    client.force_login(cast.sees_mall)
    form = client.get(reverse("admin:marketing_tag_member", args=[tagged.pk]), follow=True)
    assert form.context["adminform"].form.initial["member"] == str(tagged.pk)
