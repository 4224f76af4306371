"""Making cards: as many valid numbers as were ordered, none twice, once; and their file."""

import csv
import io

import pytest

from members.errors import CardBatchTooLarge, CardNumbersExhausted, CardTypeNotHere, CardTypeStopped, NotYours
from members.models import ApprovalPolicy, Card, CardBatch, CardChange, CardType, Event, Job
from members.rules import Numbering
from members.services import approvals, card_batches, cards
from members.services.organisation import own_origin
from members.services.spreadsheets import read_rows
from tests.cast import Cast
from tests.factories import CardTypeFactory

RULE = Numbering("6200", 10)


@pytest.fixture(autouse=True)
def _media(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def gold(cast: Cast) -> CardType:
    return CardTypeFactory(org_unit=cast.mall, prefix="6200", length=10)


def ordered(cast: Cast, card_type: CardType, quantity: int, **by) -> CardBatch:
    origin = own_origin("admin", actor=by.get("actor", cast.sees_mall))
    answer = card_batches.order(card_type, quantity, org_unit=by.get("org_unit", cast.mall_1), origin=origin)
    return CardBatch.objects.get(pk=answer["batch"])


def numbers(batch: CardBatch) -> list[str]:
    return list(batch.cards.order_by("number").values_list("number", flat=True))


def test_a_batch_has_the_next_numbers(cast, gold):
    batch = ordered(cast, gold, 25)
    assert (batch.first, batch.last) == (RULE.number(1), RULE.number(25))
    assert numbers(batch) == []
    job = card_batches.make(batch.job_id)
    assert (job.state, job.done, job.summary) == (Job.State.DONE, 25, {"made": 25, "taken": 0})
    assert numbers(batch) == [RULE.number(serial) for serial in range(1, 26)]
    card = batch.cards.first()
    assert (card.state, card.org_unit, card.card_type, card.deposit) == (Card.State.ISSUED, cast.mall_1, gold, 0)
    [step] = card.changes.all()
    assert (step.verb, step.to_state, step.operator, step.channel.code) == ("issue", "issued", cast.sees_mall, "admin")
    assert Event.objects.get(type="cards.ordered").data["quantity"] == 25
    assert ordered(cast, gold, 1).first == RULE.number(26)


def test_what_was_given_by_hand_is_not_made_again(cast, gold):
    cards.issue(gold, org_unit=cast.mall, number=RULE.number(3), origin=own_origin("desk"))
    batch = ordered(cast, gold, 5)
    assert card_batches.make(batch.job_id).summary == {"made": 4, "taken": 1}
    assert numbers(batch) == [RULE.number(serial) for serial in (1, 2, 4, 5)]


def test_a_batch_of_a_killed_worker_is_finished_once(cast, gold, monkeypatch):
    monkeypatch.setattr(card_batches, "CHUNK", 10)
    batch = ordered(cast, gold, 25)
    write, chunks = card_batches._write, []

    def killed(batch, some):
        chunks.append(some)
        if len(chunks) == 2:
            raise KeyboardInterrupt
        write(batch, some)

    monkeypatch.setattr(card_batches, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        card_batches.make(batch.job_id)
    assert len(numbers(batch)) == 10
    assert card_batches.unfinished() == [batch.job_id]
    for _ in range(2):
        card_batches.make(batch.job_id)
    assert numbers(batch) == [RULE.number(serial) for serial in range(1, 26)]
    assert CardChange.objects.count() == 25
    assert card_batches.unfinished() == []


def test_the_files_say_number_type_and_batch(cast, gold):
    batch = ordered(cast, gold, 3)
    job = card_batches.make(batch.job_id)
    with job.result_file.open("rb") as file:
        [head, *rows] = [row for _, row in read_rows(file)]
    expected = [[RULE.number(serial), "金卡", str(batch.pk)] for serial in (1, 2, 3)]
    assert (head, rows) == (["卡号", "卡类型", "批次"], expected)
    text = "".join(card_batches.csv_of(batch))
    assert text.startswith("\ufeff卡号,")
    assert list(csv.reader(io.StringIO(text)))[1:] == expected


def test_refused_orders_reserve_nothing(cast, gold):
    stopped = CardTypeFactory(org_unit=cast.mall, is_active=False)
    tiny = CardTypeFactory(org_unit=cast.mall, prefix="9999", length=6)
    refused = [
        (CardBatchTooLarge, gold, 0, {}),
        (CardBatchTooLarge, gold, 500_001, {}),
        (CardTypeStopped, stopped, 1, {}),
        (CardTypeNotHere, gold, 1, {"org_unit": cast.hotel_1}),
        (CardNumbersExhausted, tiny, 10, {}),
        (NotYours, CardTypeFactory(org_unit=cast.group), 1, {"org_unit": cast.hotel_1}),
    ]
    for reason, card_type, quantity, by in refused:
        with pytest.raises(reason):
            ordered(cast, card_type, quantity, **by)
    assert set(CardType.objects.values_list("next_serial", flat=True)) == {1}
    assert (CardBatch.objects.count(), Job.objects.count()) == (0, 0)
    assert ordered(cast, tiny, 9).last == Numbering("9999", 6).number(9)


def test_many_cards_wait_for_a_second_person(cast, gold):
    ApprovalPolicy.objects.create(org_unit=cast.mall, verb=card_batches.VERB, threshold=1_000)
    assert not card_batches.is_for_two(cast.mall_1, 999)
    assert card_batches.is_for_two(cast.mall_1, 1_000)
    origin = own_origin("admin", actor=cast.sees_mall)
    approval = card_batches.ask(gold, 1_000, org_unit=cast.mall_1, reason="开业", origin=origin)
    assert CardBatch.objects.count() == 0
    approvals.approve(approval, note="好", origin=own_origin("admin", actor=cast.sees_all))
    batch = CardBatch.objects.get()
    assert (batch.quantity, batch.operator, batch.org_unit) == (1_000, cast.sees_mall, cast.mall_1)
    assert card_batches.unfinished() == [batch.job_id]
