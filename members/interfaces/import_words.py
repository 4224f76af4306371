"""What cells of several kinds have in common: members, choices, numbers, moments."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from members.errors import Refused
from members.interfaces.imports import Import, Line
from members.models import Member
from members.services.lookup import members_written

MOMENTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%dT%H:%M:%S")


def members_of(about: Import, lines: Iterable[Line], *keys: str) -> dict[str, Member]:
    """Text → member, for what these lines say under `keys`; whoever is missing fails his line."""
    lines = list(lines)
    found = members_written((line.data[key] for line in lines for key in keys), actor=about.operator)
    for line in lines:
        for key in keys:
            text = line.data[key]
            if text and text not in found:
                line.fail(_("没有找到会员“%s”，请检查会员号或手机号") % text)
            elif text and not found[text].is_active:
                line.fail(_("会员“%s”已注销或冻结") % text)
    return found


def one_of(words: Mapping[str, str]) -> Callable[[str], str]:
    """A reader of choices: by what they are called, or by their code. Raises Refused."""

    def read(written: str) -> str:
        if written in words.values():
            return written
        try:
            return words[written]
        except KeyError as reason:
            raise Refused(_("请填写：%s") % "、".join(words)) from reason

    return read


def read_decimal(*, places: int, least: Decimal = Decimal(0), most: Decimal = Decimal(10**10)) -> Callable[[str], str]:
    """A reader of numbers; returns them as text, exact. Raises Refused."""

    def read(written: str) -> str:
        try:
            number = Decimal(written.replace(",", "").replace("，", "").lstrip("¥￥").strip())
        except InvalidOperation as reason:
            raise Refused(_("请填写数字")) from reason
        if not number.is_finite() or not least <= number <= most:
            raise Refused(_("请填写 %(least)s 到 %(most)s 之间的数字") % {"least": least, "most": most})
        if number != round(number, places):
            raise Refused(_("最多 %d 位小数") % places if places else _("请填写整数"))
        return f"{number.normalize():f}"

    return read


def read_moment(written: str, zone: ZoneInfo) -> str:
    """A local day and time in ISO form; a day alone is its beginning. Raises Refused."""
    for shape in (*MOMENTS, "%Y-%m-%d", "%Y/%m/%d"):
        try:
            return datetime.strptime(written, shape).replace(tzinfo=zone).isoformat()
        except ValueError:
            continue
    raise Refused(_("时间请写成 2024-02-29 18:30 的形式"))


def judged_by(lines: Iterable[Line]) -> list[Line]:
    """Those that have not failed yet."""
    return [line for line in lines if not line.problem]
