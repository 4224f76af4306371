"""What members of the demo carry, are asked and agree to: cards, attributes, consents, reminders, and a double."""

from datetime import datetime

from config.demo.businesses import HOTEL, MALL
from loyalty.models import CardAllowance
from members.models import (
    Attribute,
    CardType,
    Channel,
    Identity,
    Member,
    OrgUnit,
    Purpose,
    ReminderKind,
    ReminderSetting,
)
from members.services import attributes, cards, consents, duplicates, people, reminders
from members.services.attributes import asked_by
from members.services.organisation import group, own_origin

CARD_TYPES: tuple[
    tuple[str, str, CardType.Kind, str, CardType.Look, int, int, int], ...
] = (  # code, name, kind, prefix, look, valid days, points a use, points a day
    ("gold", "金卡", CardType.Kind.PERSONAL, "6001", CardType.Look.GOLD, 0, 0, 0),
    ("silver", "银卡", CardType.Kind.PERSONAL, "6002", CardType.Look.SILVER, 1095, 0, 20_000),
    ("family", "家庭附属卡", CardType.Kind.SUPPLEMENTARY, "6003", CardType.Look.GREEN, 1095, 2_000, 5_000),
    ("company", "团体卡", CardType.Kind.GROUP, "6004", CardType.Look.BLUE, 365, 5_000, 10_000),
)
ATTRIBUTES: tuple[tuple[str, str, str, list[str], str], ...] = (  # code, name, kind, options, owner (empty = the group)
    ("diet", "饮食禁忌", "choice", ["无", "素食", "清真", "海鲜过敏"], HOTEL),
    ("pillow", "枕头偏好", "choice", ["软", "硬", "荞麦"], HOTEL),
    ("likes", "感兴趣的品类", "choices", ["服饰", "餐饮", "亲子", "运动", "美妆"], ""),
    ("household_size", "家庭人数", "number", [], ""),
    ("has_car", "有车", "boolean", [], ""),
)
REMINDED = (  # business, kind, days, message (empty = for staff only)
    (HOTEL, ReminderKind.BIRTHDAY, 14, "{name}您好，{business}祝您生日快乐，当天入住可享延迟退房。"),
    (HOTEL, ReminderKind.SILENCE, 90, ""),
    (HOTEL, ReminderKind.AFTER_PURCHASE, 3, ""),
    (MALL, ReminderKind.BIRTHDAY, 7, ""),
    (MALL, ReminderKind.USUAL_OVERDUE, 7, ""),
    (MALL, ReminderKind.POINTS_EXPIRY, 30, "{name}您好，您在{business}的 {text} 将于 {date} 到期。"),
)
CONSENT_VERSION = "2026-01"


def found() -> None:
    """What the group and its businesses have decided."""
    for code, name, kind, prefix, look, days, per_use, per_day in CARD_TYPES:
        card_type = CardType.objects.create(
            code=code, name=name, kind=kind, prefix=prefix, look=look, valid_days=days, org_unit=group()
        )
        CardAllowance.objects.create(card_type=card_type, asset="points", per_use=per_use, per_day=per_day)
    everywhere = list(Attribute.Page.values)
    for position, (code, name, value_kind, options, owner) in enumerate(ATTRIBUTES):
        node = OrgUnit.objects.get(code=owner) if owner else group()
        Attribute.objects.create(
            code=code, name=name, kind=value_kind, options=options, org_unit=node, pages=everywhere, position=position
        )
    for business, occasion, days, message in REMINDED:
        ReminderSetting.objects.create(
            org_unit=OrgUnit.objects.get(code=business),
            kind=occasion,
            days=days,
            sends_message=bool(message),
            message=message,
        )


class People:
    """A family with two cards, a person entered twice, and what some have told and agreed to."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now
        self.hotel = OrgUnit.objects.get(code=HOTEL)
        self.guests = list(Member.objects.filter(memberships__business=self.hotel).order_by("pk")[:6])

    def tell(self) -> None:
        if len(self.guests) < 6:
            return  # too small an edition
        self._cards()
        self._answers()
        self._consents()
        self._double()
        reminders.raise_due(self.now)

    def _origin(self, reference: str):
        return own_origin(Channel.Kind.DESK, reference=f"demo:{reference}", business=self.hotel, at=self.now)

    def _cards(self) -> None:
        holder, spouse, loser = self.guests[:3]
        types = {card_type.code: card_type for card_type in CardType.objects.all()}
        given = {"org_unit": group()}
        cards.issue_to(holder, types["gold"], **given, origin=self._origin("card:gold"))
        cards.issue_to(spouse, types["family"], principal=holder, **given, origin=self._origin("card:family"))
        lost = cards.issue_to(loser, types["silver"], **given, origin=self._origin("card:silver"))
        card = loser.cards.get(number=lost["number"])
        cards.report_lost(card, reason="会员来电：钱包遗失", origin=self._origin("card:lost"))

    def _answers(self) -> None:
        for number, member in enumerate(self.guests):
            said = {
                "diet": ATTRIBUTES[0][3][number % 4],
                "likes": ATTRIBUTES[2][3][number % 4 :][:2],
                "household_size": 1 + number % 4,
                "has_car": number % 2 == 0,
            }
            attributes.set_values(
                member, said, attributes=asked_by(self.hotel), origin=self._origin(f"attributes:{member.member_no}")
            )

    def _consents(self) -> None:
        for member in self.guests[::2]:
            consents.give(
                member,
                receiver=self.hotel,
                purpose=Purpose.MARKETING,
                version=CONSENT_VERSION,
                evidence={"page": "desk"},
                origin=self._origin(f"consent:{member.member_no}"),
            )

    def _double(self) -> None:
        """The same name and birthday again, with a mailbox instead of a phone: found by night, merged by people."""
        first = self.guests[3]
        people.enrol(
            identities={Identity.Kind.EMAIL: f"{first.member_no}@example.com"},
            name=first.name,
            gender=first.gender,
            birthday=first.birthday,
            business=self.hotel,
            origin=self._origin("double"),
        )
        duplicates.find(self.now)
