from marketing.models.campaigns import Campaign, CampaignMember
from marketing.models.tags import MemberTag, Tag, TagRun

__all__ = ["Campaign", "CampaignMember", "MemberTag", "Tag", "TagRun"]
