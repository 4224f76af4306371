"""Making cards (制卡): numbers reserved when ordered, cards written by a worker, handed to the printer as a file.

The batch says from which number to which: so a worker that takes up a killed one's job writes what is missing, and
nothing twice. Where a number of the range was given by hand before, there is one card less, and the job says so.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.core.files.base import File
from django.db import connection, transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members import events
from members.errors import CardBatchTooLarge, CardTypeNotHere, CardTypeStopped, NotYours
from members.interfaces import Answer, Origin
from members.models import Approval, Card, CardBatch, CardType, Channel, Job, OrgUnit
from members.services import approvals, jobs
from members.services.card_serials import numbering_of, reserve
from members.services.jobs import Progress
from members.services.organisation import own_channel
from members.services.requests import idempotent
from members.services.spreadsheets import Sheet, harmless, write_workbook

KIND = "cards"
VERB = "members.issue_cards"
LARGEST = 500_000  # cards a batch: a sheet of a workbook holds a million rows
CHUNK = 10_000  # cards a transaction

MAKE = """
    WITH made AS (
        INSERT INTO members_card (number, card_type_id, state, org_unit_id, batch_id, deposit, issued_at)
        SELECT number, %(card_type)s, 'issued', %(org_unit)s, %(batch)s, 0, %(at)s
        FROM unnest(%(numbers)s::text[]) AS number
        ON CONFLICT (number) DO NOTHING
        RETURNING id
    )
    INSERT INTO members_cardchange
        (card_id, verb, from_state, to_state, reason, at, business_id, store_id, channel_id, operator_id)
    SELECT id, 'issue', '', 'issued', '', %(at)s, %(business)s, NULL, %(channel)s, %(operator)s FROM made
"""


# --- Ordering ---------------------------------------------------------------------------------------------------


def is_for_two(org_unit: OrgUnit, quantity: int) -> bool:
    """Whether the node, or one above it, wants a second person for so many cards."""
    return approvals.needed(VERB, org_unit, quantity) is not None


def ask(card_type: CardType, quantity: int, *, org_unit: OrgUnit, reason: str, origin: Origin) -> Approval:
    """Ask for a batch at the node that gets it. Raises what `order` raises."""
    _check(card_type, quantity, org_unit)
    return approvals.ask(
        VERB,
        org_unit=org_unit,
        quantity=quantity,
        arguments={"card_type": card_type.pk, "quantity": quantity, "org_unit": org_unit.pk},
        before={},
        after={
            gettext_lazy("卡类型"): card_type.name,
            gettext_lazy("张数"): f"{quantity:,}",
            gettext_lazy("发往组织"): org_unit.name,
        },
        title=format_lazy("{} {} × {:,}", gettext_lazy("制卡"), card_type.name, quantity),
        reason=reason,
        origin=origin,
    )


def run_approved(arguments: dict[str, Any], origin: Origin) -> Answer:
    """The verb of the table of approvals."""
    card_type = CardType.objects.select_related("org_unit").get(pk=arguments["card_type"])
    org_unit = OrgUnit.objects.get(pk=arguments["org_unit"])
    return order(card_type, arguments["quantity"], org_unit=org_unit, origin=origin)


@idempotent("cards.make")
def order(card_type: CardType, quantity: int, *, org_unit: OrgUnit, origin: Origin) -> Answer:
    """Reserve the numbers of a batch and queue its making. Hand the answer's `job` to the task after the commit.

    Raises CardBatchTooLarge, CardTypeStopped, CardTypeNotHere, NotYours, CardNumbersExhausted.
    """
    _check(card_type, quantity, org_unit)
    if origin.actor and not OrgUnit.objects.visible_to(origin.actor).filter(pk=org_unit.pk).exists():
        raise NotYours
    rule, serial = numbering_of(card_type), reserve(card_type, quantity)
    title = _("制卡：%(card_type)s × %(quantity)s") % {"card_type": card_type, "quantity": f"{quantity:,}"}
    batch = CardBatch.objects.create(
        card_type=card_type,
        org_unit=org_unit,
        quantity=quantity,
        first=rule.number(serial),
        last=rule.number(serial + quantity - 1),
        job=jobs.add_job(KIND, title, org_unit=org_unit, operator=origin.actor),
        operator=origin.actor,
        created_at=origin.at,
    )
    facts = {"batch": batch.pk, "card_type": card_type.code, "quantity": quantity, "org_unit": org_unit.code}
    events.record("cards.ordered", origin=origin, data=facts | {"first": batch.first, "last": batch.last})
    return {"batch": batch.pk, "job": batch.job.pk, "first": batch.first, "last": batch.last}


def _check(card_type: CardType, quantity: int, org_unit: OrgUnit) -> None:
    if not 1 <= quantity <= LARGEST:
        raise CardBatchTooLarge(field="quantity")
    if not card_type.is_active:
        raise CardTypeStopped(field="card_type")
    if not org_unit.path.startswith(card_type.org_unit.path):
        raise CardTypeNotHere(field="org_unit")


# --- Making -----------------------------------------------------------------------------------------------------


def make(job_id: int) -> Job | None:
    """The task: write the cards of a queued batch, or of one whose worker died, and its file."""
    people = ("card_type", "org_unit__business", "job")
    batch = CardBatch.objects.select_related(*people).get(job=job_id)
    return jobs.run(job_id, lambda progress: _make(batch, progress))


def unfinished() -> list[int]:
    """Keys of jobs that no worker may have heard of: for beat."""
    waiting = (Job.State.QUEUED, Job.State.RUNNING)
    return list(Job.objects.filter(kind=KIND, state__in=waiting).values_list("pk", flat=True))


def _make(batch: CardBatch, progress: Progress) -> dict[str, Any]:
    rule = numbering_of(batch.card_type)
    first = rule.serial_of(batch.first)
    assert first is not None  # `order` has made it
    progress.expect(batch.quantity)
    for start in range(first, first + batch.quantity, CHUNK):
        serials = range(start, min(start + CHUNK, first + batch.quantity))
        _write(batch, [rule.number(serial) for serial in serials])
        progress.advance(len(serials))
    made = batch.cards.count()
    _keep_file(batch)
    return {"made": made, "taken": batch.quantity - made}


@transaction.atomic
def _write(batch: CardBatch, numbers: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            MAKE,
            {
                "numbers": numbers,
                "card_type": batch.card_type.pk,
                "org_unit": batch.org_unit.pk,
                "batch": batch.pk,
                "at": batch.created_at,
                "business": batch.org_unit.business_id,
                "channel": own_channel(Channel.Kind.ADMIN).pk,
                "operator": batch.operator_id,
            },
        )


# --- The file ---------------------------------------------------------------------------------------------------


def header() -> list[str]:
    return [_("卡号"), _("卡类型"), _("批次")]


def rows_of(batch: CardBatch) -> Iterator[list[str]]:
    """Number, type and batch of each card, in order of the numbers."""
    numbers = Card.objects.filter(batch=batch).order_by("number").values_list("number", flat=True)
    return ([number, batch.card_type.name, str(batch.pk)] for number in numbers.iterator(chunk_size=CHUNK))


def csv_of(batch: CardBatch) -> Iterator[str]:
    """The lines of a csv that Excel opens as UTF-8."""
    line = io.StringIO()
    writer = csv.writer(line)
    yield "\ufeff"
    for row in (header(), *rows_of(batch)):
        writer.writerow([harmless(cell) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def record_download(batch: CardBatch, *, form: str, origin: Origin) -> None:
    """Card numbers leave the house: who took them, and when."""
    events.record("cards.downloaded", origin=origin, data={"batch": batch.pk, "format": form})


def _keep_file(batch: CardBatch) -> None:
    """The workbook, kept with the job. A second run writes the same again."""
    workbook = write_workbook(Sheet(_("卡号"), header(), rows_of(batch), (26, 18, 10)))
    batch.job.result_file.save(f"cards-{batch.pk}.xlsx", File(workbook), save=False)
    Job.objects.filter(pk=batch.job.pk).update(result_file=batch.job.result_file.name)
