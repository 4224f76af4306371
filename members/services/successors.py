"""Who a member is now: after a merge, the winner; after a chain of merges, the last one."""

from collections.abc import Collection

from members.models import Member

TOGETHER = """
    WITH RECURSIVE chain AS (
        SELECT id, merged_into_id FROM members_member WHERE id = ANY(%s)
        UNION
        SELECT member.id, member.merged_into_id
        FROM members_member member JOIN chain ON member.id = chain.merged_into_id
    )
    SELECT id FROM chain WHERE merged_into_id IS NULL
"""

WHO_HE_WAS = """
    WITH RECURSIVE chain AS (
        SELECT id FROM members_member WHERE id = %s
        UNION
        SELECT member.id FROM members_member member JOIN chain ON member.merged_into_id = chain.id
    )
    SELECT id FROM chain
"""


def successor(member: Member) -> Member:
    """Himself, if he was not merged."""
    while member.merged_into:
        member = member.merged_into
    return member


def successors(keys: Collection[int]) -> list[int]:
    """Who all these are now, in one query."""
    return [member.pk for member in Member.objects.raw(TOGETHER, [list(keys)])] if keys else []


def selves(member: Member) -> list[int]:
    """Himself, and all who were merged into him: their history, which stays where it was written, is his."""
    return [row.pk for row in Member.objects.raw(WHO_HE_WAS, [member.pk])]
