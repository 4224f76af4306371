"""The demo's members: invented people for the households, who enter by the same spreadsheet import as anybody's."""

import csv
import io
import random
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import CommandError
from faker import Faker

from config.complete_journey import Journey
from config.demo.edition import Edition
from members.models import Identity, Job, Member, Operator, OrgUnit
from members.personal_data import blind_index
from members.rules import canonical_identity
from members.services import imports

SEED = 20170101
MOBILE_PREFIXES = (
    *range(130, 134),
    *range(135, 140),
    150,
    151,
    152,
    157,
    158,
    159,
    176,
    177,
    178,
    182,
    *range(186, 190),
)
AGES = (19, 78)
COLUMNS = ("手机号", "姓名", "性别", "生日", "业态会员号", "入会日期", "来源")
SOURCES = ("老系统迁移", "门店地推", "小程序", "推荐有礼", "收银台")


def enrol(journey: Journey, edition: Edition, *, business: OrgUnit, operator: Operator) -> int:
    """Import one member for each household, its number being his number at `business`. Returns how many are new."""
    file = SimpleUploadedFile("会员迁移.csv", _csv(journey, edition))
    job = imports.upload(file, business=business, operator=operator)
    imports.check(job.pk)
    imports.confirm(Job.objects.get(pk=job.pk))
    done = imports.run(job.pk)
    if done is None or done.state != Job.State.DONE or done.failed:
        reason = imports.failed_rows(job).first()
        raise CommandError(f"Members could not be imported: {reason[1] if reason else done and done.message}")
    return done.done


def by_household(journey: Journey, *, business: OrgUnit) -> dict[int, Member]:
    """Members by the household that they stand for, as far as they are enrolled."""
    kind = Identity.Kind.EXTERNAL
    households = {
        blind_index(kind, canonical_identity(kind, str(number), business_code=business.code)): number
        for number in np.unique(journey.household).tolist()
    }
    known = Identity.objects.filter(kind=kind, value_index__in=households).select_related("member")
    return {households[identity.value_index]: identity.member for identity in known}


def _csv(journey: Journey, edition: Edition) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(journey, edition))
    return text.getvalue().encode()


def _rows(journey: Journey, edition: Edition) -> Iterator[tuple]:
    """Every household joins on the day of its first basket; the same people each time."""
    households, first = np.unique(journey.household, return_index=True)
    faker, chance = Faker("zh_CN"), random.Random(SEED)
    faker.seed_instance(SEED)
    phones = _phones(chance, len(households))
    for household, position, phone in zip(households.tolist(), first.tolist(), phones, strict=True):
        is_woman = chance.random() < 0.6
        name = faker.name_female() if is_woman else faker.name_male()
        joined_on = edition.at(journey.basket(position).at).date()
        birthday = _birthday(chance, joined_on)
        yield phone, name, "女" if is_woman else "男", birthday, household, joined_on, chance.choice(SOURCES)


def _phones(chance: random.Random, count: int) -> list[str]:
    phones: dict[str, None] = {}  # a set that keeps its order, so that the same seed gives the same people
    while len(phones) < count:
        phones[f"{chance.choice(MOBILE_PREFIXES)}{chance.randrange(10**8):08d}"] = None
    return list(phones)


def _birthday(chance: random.Random, today: date) -> date:
    days = chance.randint(AGES[0] * 365, AGES[1] * 365)
    return today - timedelta(days=days)
