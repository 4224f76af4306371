"""What rules may ask of a member himself: this app's contribution to the vocabulary."""

from collections.abc import Mapping

from django.db import models
from django.db.models import Expression, Func, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, ExtractMonth, NullIf, TruncDate
from django.utils.translation import gettext_lazy as _

from members.criteria.moment import Moment
from members.criteria.vocabulary import CODE, DATE, INTEGER, Attribute, Relation
from members.models import Member, Membership, OrgUnit, Trade


class DaysBetween(Func):
    """Whole days from the second date to the first."""

    template = "(%(expressions)s)"
    arg_joiner = " - "
    output_field = models.IntegerField()


def registration_day(moment: Moment) -> Expression:
    return TruncDate("registered_at", tzinfo=moment.zone)


def registered_days(moment: Moment) -> Expression:
    return DaysBetween(Cast(Value(moment.today), models.DateField()), registration_day(moment))


def memberships(moment: Moment) -> QuerySet:
    return Membership.objects.filter(member=OuterRef("pk"))


def business_names() -> Mapping[str, str]:
    return dict(OrgUnit.objects.businesses().values_list("code", "name"))


def store_names() -> Mapping[str, str]:
    return dict(OrgUnit.objects.stores().values_list("code", "name"))


def trade_names() -> Mapping[str, str]:
    return dict(Trade.objects.values_list("code", "name"))


def genders() -> Mapping[str, str]:
    return {value: str(label) for value, label in Member.Gender.choices if value}


entries = (
    Attribute("gender", _("性别"), CODE, lambda moment: NullIf("gender", Value("")), genders),
    Attribute("birthday_month", _("生日月份"), INTEGER, lambda moment: ExtractMonth("birthday")),
    Attribute("registered_on", _("注册日期"), DATE, registration_day),
    Attribute("registered_days", _("注册天数"), INTEGER, registered_days),
    Relation("business", _("业态会员"), memberships, "business__code", business_names),
)
