from marketing.admin.campaigns import CampaignAdmin, CampaignMemberAdmin
from marketing.admin.tags import MemberTagAdmin, TagAdmin, TagRunAdmin

__all__ = ["CampaignAdmin", "CampaignMemberAdmin", "MemberTagAdmin", "TagAdmin", "TagRunAdmin"]
