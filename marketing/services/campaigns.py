"""A campaign's life: draft → running → done. Launch freezes the audience; then each member gets his gift once."""

import logging
from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import F, JSONField, QuerySet, Value

from benefits.services import coupons
from loyalty.services import points
from marketing.errors import (
    CampaignAlreadyLaunched,
    CampaignIsOver,
    CampaignNotDone,
    NobodyInTheAudience,
    PayerOutOfReach,
)
from marketing.models import Campaign, CampaignMember, MemberTag
from marketing.statements import insert_select
from members import criteria
from members.errors import Refused
from members.events import record
from members.interfaces import Answer, Origin
from members.models import Channel, Job, Member
from members.services.organisation import group, own_origin
from members.services.requests import hash_input

logger = logging.getLogger(__name__)
BATCH = 200


def audience(campaign: Campaign, *, at: datetime) -> QuerySet[Member]:
    """The active members within the owner's sight who carry the tag, or answer to the rule of that local day."""
    members = Member.objects.visible_to(campaign).active()
    if campaign.tag_id:
        return members.filter(pk__in=MemberTag.objects.in_force(at).filter(tag=campaign.tag_id).values("member"))
    return members.filter(criteria.compile(campaign.rule, as_of=at.astimezone(group().zone).date()))


@transaction.atomic
def launch(campaign: Campaign, *, origin: Origin) -> Campaign:
    """Freeze the audience in one statement. Whoever calls queues `tasks.run_campaign` after the commit.

    Raises CampaignAlreadyLaunched, NobodyInTheAudience, PayerOutOfReach.
    """
    campaign = _lock(campaign)
    if campaign.state != Campaign.State.DRAFT:
        raise CampaignAlreadyLaunched
    if campaign.payer and not _may_charge(campaign):
        raise PayerOutOfReach(field="payer")
    size = insert_select(
        CampaignMember,
        audience(campaign, at=origin.at),
        campaign=Value(campaign.pk),
        member=F("pk"),
        state=Value(CampaignMember.State.WAITING.value),
        result=Value({}, JSONField()),
    )
    if not size:
        raise NobodyInTheAudience
    _start(campaign, size, origin)
    record("campaign.launched", origin=origin, data={"campaign": campaign.pk, "size": size})
    return campaign


def _start(campaign: Campaign, size: int, origin: Origin) -> None:
    campaign.job = Job.objects.create(
        kind="campaign",
        title=campaign.name,
        org_unit=campaign.owner,
        operator=origin.actor,
        total=size,
        state=Job.State.RUNNING,
        started_at=origin.posted_at,
    )
    campaign.state = Campaign.State.RUNNING
    campaign.launched_at = origin.at
    campaign.launched_by = origin.actor
    campaign.save(update_fields=["job", "state", "launched_at", "launched_by"])


def _may_charge(campaign: Campaign) -> bool:
    """A business pays for campaigns of its own nodes, and of those above it."""
    payer, owner = campaign.payer, campaign.owner
    return payer.pk == owner.business_id or payer.path.startswith(owner.path)


@transaction.atomic
def cancel(campaign: Campaign, *, origin: Origin) -> Campaign:
    """Give nothing more; what was given stays. Raises CampaignIsOver."""
    campaign = _lock(campaign)
    if campaign.state not in (Campaign.State.DRAFT, Campaign.State.RUNNING):
        raise CampaignIsOver
    campaign.state = Campaign.State.CANCELLED
    campaign.save(update_fields=["state"])
    Job.objects.filter(pk=campaign.job_id).update(state=Job.State.CANCELLED, finished_at=origin.posted_at)
    record("campaign.cancelled", origin=origin, data={"campaign": campaign.pk})
    return campaign


@transaction.atomic
def give_again(campaign: Campaign, *, origin: Origin) -> int:
    """Let those who got nothing wait once more, the reason being mended. Returns how many. Raises CampaignNotDone."""
    campaign = _lock(campaign)
    if campaign.state != Campaign.State.DONE:
        raise CampaignNotDone
    refused = campaign.audience.filter(state=CampaignMember.State.REFUSED)
    waiting = refused.update(state=CampaignMember.State.WAITING, result={})
    if waiting:
        campaign.state = Campaign.State.RUNNING
        campaign.save(update_fields=["state"])
        Job.objects.filter(pk=campaign.job_id).update(
            state=Job.State.RUNNING, done=F("done") - waiting, failed=0, finished_at=None
        )
        record("campaign.resumed", origin=origin, data={"campaign": campaign.pk, "waiting": waiting})
    return waiting


def give_next(campaign_id: int, *, at: datetime, size: int = BATCH) -> bool:
    """Give to the next waiting members; False once the campaign is over.

    Each gift is a transaction of its own, under a reference of its own: an interruption loses nothing, and a second
    worker (or a second run) gives nothing twice.
    """
    running = Campaign.objects.running().select_related("template__owner", "payer", "launched_by")
    campaign = running.filter(pk=campaign_id).first()
    if campaign is None:
        return False
    waiting = list(campaign.audience.waiting().values_list("pk", flat=True)[:size])
    if not waiting:
        return not _finish(campaign, at)
    outcomes = Counter(_give(campaign, pk, at) for pk in waiting)
    given, refused = (outcomes[state] for state in (CampaignMember.State.GIVEN, CampaignMember.State.REFUSED))
    Job.objects.filter(pk=campaign.job_id).update(done=F("done") + given + refused, failed=F("failed") + refused)
    return True


@transaction.atomic
def _give(campaign: Campaign, pk: int, at: datetime) -> str | None:
    """The state that one member came to; None where another worker was faster."""
    rows = CampaignMember.objects.waiting().select_for_update(of=("self",)).select_related("member")
    row = rows.filter(pk=pk).first()
    if row is None:
        return None
    row.state, row.result = _outcome(campaign, row.member, at)
    row.save(update_fields=["state", "result"])
    return row.state


def _outcome(campaign: Campaign, member: Member, at: datetime) -> tuple[str, Answer]:
    """What became of one member. One that fails never stops the others: why is kept, and can be read."""
    try:
        with transaction.atomic():
            return CampaignMember.State.GIVEN, _gift(campaign, member, at)
    except Refused as refusal:
        return CampaignMember.State.REFUSED, {"code": refusal.code, "message": str(refusal.message)}
    except Exception as error:
        logger.exception("Campaign %s failed for member %s", campaign.pk, member.pk)
        return CampaignMember.State.REFUSED, {"code": "error", "message": f"{type(error).__name__}: {error}"}


def _gift(campaign: Campaign, member: Member, at: datetime) -> Answer:
    terms = {"template": campaign.template_id, "points": campaign.points, "payer": campaign.payer_id}
    origin = own_origin(
        Channel.Kind.CLOCK,
        reference=f"campaign:{campaign.pk}:{member.pk}",
        actor=campaign.launched_by,
        business=campaign.payer or campaign.template.owner,
        at=at,
        input_hash=hash_input(terms),
    )
    if campaign.template:
        issued = coupons.issue_coupon(campaign.template, member, origin=origin)
        return {"coupon": issued["code"]}
    given = points.earn(member, campaign.points, issuer=campaign.payer, reason=campaign.name, origin=origin)
    return {"transaction": given["id"]}


@transaction.atomic
def _finish(campaign: Campaign, at: datetime) -> bool:
    """Close a campaign in which nobody waits any more, and count exactly; one caller alone does it."""
    campaign = _lock(campaign)
    if campaign.audience.waiting().exists():
        return False
    if campaign.state != Campaign.State.RUNNING:
        return True
    campaign.state = Campaign.State.DONE
    campaign.save(update_fields=["state"])
    refused = campaign.audience.filter(state=CampaignMember.State.REFUSED).count()
    given = campaign.audience.filter(state=CampaignMember.State.GIVEN).count()
    Job.objects.filter(pk=campaign.job_id).update(
        state=Job.State.DONE, done=given + refused, failed=refused, finished_at=at
    )
    facts = {"campaign": campaign.pk, "given": given, "refused": refused}
    record("campaign.finished", origin=own_origin(Channel.Kind.CLOCK, at=at), data=facts)
    return True


def _lock(campaign: Campaign) -> Campaign:
    locked = Campaign.objects.select_for_update(of=("self",)).select_related("owner", "payer")
    return locked.get(pk=campaign.pk)
