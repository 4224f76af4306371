from django.utils.translation import gettext_lazy as _

from members.errors import Refused


class NotARuleTag(Refused):
    code = "not_a_rule_tag"
    message = _("这是手工标签，没有规则可以计算。")


class TagIsBeingRecomputed(Refused):
    code = "tag_is_being_recomputed"
    message = _("该标签正在计算，请稍后再试。")
    status = 409


class TagsAskForEachOther(Refused):
    code = "tags_ask_for_each_other"
    message = _("规则标签之间不能循环引用。")

    def __init__(self, cycle: str = "", **details) -> None:
        super().__init__(_("规则标签之间不能循环引用：%s") % cycle, **details)


class TagEndsBeforeItBegins(Refused):
    code = "tag_ends_before_it_begins"
    message = _("标签的结束时间须晚于开始时间。")


class OutOfTheTagsScope(Refused):
    code = "out_of_the_tags_scope"
    message = _("该会员不在此标签的适用组织内。")


class CampaignAlreadyLaunched(Refused):
    code = "campaign_already_launched"
    message = _("活动已经启动，不能再次启动或修改。")
    status = 409


class CampaignIsOver(Refused):
    code = "campaign_is_over"
    message = _("活动已经结束。")
    status = 409


class NobodyInTheAudience(Refused):
    code = "nobody_in_the_audience"
    message = _("目标人群中没有会员，请检查标签或条件。")


class PayerOutOfReach(Refused):
    code = "payer_out_of_reach"
    message = _("承担业态不在活动所属组织的范围内。")


class CampaignNotDone(Refused):
    code = "campaign_not_done"
    message = _("活动完成之后才能补发。")
    status = 409
