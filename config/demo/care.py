"""What people of the demo do for members: types of tickets, and some follow-ups, tickets and calls under way."""

from datetime import datetime, timedelta

from config.demo.businesses import HOTEL, MALL
from members.interfaces import Origin
from members.models import Channel, Identity, Member, Operator, OrgUnit, Ticket, TicketType
from members.services import calls, follow_ups, tickets
from members.services.organisation import group, own_origin, today_at

TYPES = (  # code, name, hours, whether members may choose it
    ("question", "咨询", 24, True),
    ("complaint", "投诉", 24, True),
    ("suggestion", "建议", 72, True),
    ("return", "退换货", 48, True),
    ("card", "会员卡与账户", 24, True),
    ("points", "积分与权益", 48, True),
    ("risk", "风控核查", 48, False),
)


def found_ticket_types() -> None:
    TicketType.objects.bulk_create(
        TicketType(code=code, name=name, hours=hours, is_for_members=is_for_members, org_unit=group())
        for code, name, hours, is_for_members in TYPES
    )


class Care:
    """Some days at the hotel and the mall, for members who were there."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now
        self.manager = Operator.objects.get(username="manager")
        self.clerk = Operator.objects.get(username="store")
        self.service = Operator.objects.get(username="service")
        self.store = OrgUnit.objects.select_related("business").get(code=f"{HOTEL}-1")
        self.mall = OrgUnit.objects.get(code=MALL)
        self.guests = list(Member.objects.filter(memberships__business=self.store.business).order_by("pk")[:6])
        self.shoppers = list(Member.objects.filter(memberships__business=self.mall).order_by("pk")[:3])

    def tell(self) -> None:
        if len(self.guests) < 6 or not self.shoppers:
            return  # too small an edition for visits
        self._follow_ups()
        self._tickets()
        self._calls()

    def _ago(self, actor: Operator | None, **ago: float) -> Origin:
        kind = Channel.Kind.ADMIN if actor else Channel.Kind.MEMBER
        return own_origin(kind, actor=actor, store=self.store, at=self.now - timedelta(**ago))

    def _follow_ups(self) -> None:
        today = today_at(self.store.business, self.now)
        plans = (
            ("入住满一年，电话致谢并询问续订会籍", -2, self.manager),
            ("上次反映早餐排队，回访改进后的体验", 0, self.manager),
            ("邀请参加会员品鉴会", 0, self.clerk),
            ("结婚纪念日前推荐双人套餐", 5, self.clerk),
            ("半年未入住，了解原因", 9, None),
        )
        for guest, (text, days, operator) in zip(self.guests, plans, strict=False):
            due_on = today + timedelta(days=days)
            place = {"business": self.store.business, "store": self.store}
            origin = self._ago(self.manager, days=5)
            follow_ups.plan(guest, text=text, due_on=due_on, assigned_to=operator, **place, origin=origin)
        first = self.guests[0].follow_ups.get()
        next_on = today + timedelta(days=14)
        done = {
            "outcome": "will_come",
            "note": "计划下月再来，希望高楼层",
            "next_on": next_on,
            "next_plan": "确认入住日期",
        }
        follow_ups.done(first, **done, origin=self._ago(self.manager, hours=3))

    def _tickets(self) -> None:
        noisy = self._open(0, "complaint", "空调噪音大", "1203 房空调夜里很响，希望换房或处理。", 1, hours=30)
        tickets.assign(noisy, self.clerk, note="请先联系工程部", origin=self._ago(self.manager, hours=29))
        tickets.reply(noisy, "非常抱歉，已安排工程师上门检查。", origin=self._ago(self.clerk, hours=28))
        tickets.answer(noisy, "今晚还是响。", origin=self._ago(None, hours=10))
        invoice = self._open(1, "question", "发票抬头", "想把上周的发票改成公司抬头。", 3, hours=20)
        tickets.ask(invoice, "好的，请提供公司全称和税号。", origin=self._ago(self.clerk, hours=18))
        points = self._open(2, "points", "入住积分未到账", "上周五离店，积分还没有到。", 2, days=4)
        tickets.note(points, "核对 PMS：离店时未报会员号，按外部单号补登。", origin=self._ago(self.clerk, days=3))
        tickets.resolve(points, "积分已补登，请查看。", origin=self._ago(self.clerk, days=3))
        praise = self._open(3, "suggestion", "希望增加素食早餐", "早餐的素食选择可以再多一些。", 4, days=9)
        tickets.resolve(praise, "谢谢建议，下月菜单已增加。", origin=self._ago(self.manager, days=8))
        tickets.rate(praise, 5, "回复很快", origin=self._ago(None, days=7))
        self._open(4, "card", "手机号换了", "原手机号已停用，想改绑新号码。", 3, hours=2)

    def _open(self, guest: int, kind: str, title: str, text: str, priority: int, **ago: float) -> Ticket:
        answer = tickets.open_ticket(
            self.guests[guest],
            type=TicketType.objects.get(code=kind),
            title=title,
            description=text,
            priority=priority,
            business=self.store.business,
            store=self.store,
            origin=self._ago(None, **ago),
        )
        return Ticket.objects.get(number=answer["number"])

    def _calls(self) -> None:
        told = (("查询积分、余额", 50), ("预订与服务", 26), ("优惠券", 4))
        for member, (reason, hours) in zip(self.shoppers, told, strict=False):
            phone = Identity.objects.filter(member=member, kind=Identity.Kind.PHONE).first()
            caller = calls.Caller(member, phone=phone.value if phone else "")
            at = self.now - timedelta(hours=hours)
            origin = own_origin(Channel.Kind.ADMIN, actor=self.service, business=self.mall, at=at)
            calls.record(caller, reason=reason, business=self.mall, origin=origin)
