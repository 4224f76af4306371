"""Rows for tests, through the ORM: quick, and free of the services that are under test."""

import factory
from django.utils import timezone

from members.models import CardType, Identity, Member, Membership, Operator, OrgUnit
from members.personal_data import blind_index
from members.rules import new_member_no
from members.services.organisation import own_channel


class OperatorFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Operator
        skip_postgeneration_save = True

    username = factory.Sequence("operator{}".format)
    password = factory.django.Password("password")
    is_staff = True
    org_unit = None


class IdentityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Identity

    kind = Identity.Kind.PHONE
    value = factory.Sequence(lambda n: f"+86139{n:08d}")
    value_index = factory.LazyAttribute(lambda identity: blind_index(identity.kind, identity.value))
    last_four = factory.LazyAttribute(lambda identity: identity.value[-4:])
    channel = factory.LazyFunction(lambda: own_channel("admin"))


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    channel = factory.LazyFunction(lambda: own_channel("admin"))
    joined_at = factory.LazyFunction(timezone.now)


class MemberFactory(factory.django.DjangoModelFactory):
    """`MemberFactory(businesses=[cast.mall], phone="+86…")`: a member with memberships and a phone of his own."""

    class Meta:
        model = Member
        skip_postgeneration_save = True

    member_no = factory.LazyFunction(new_member_no)
    name = "张三"
    name_index = factory.LazyAttribute(lambda member: blind_index("name", member.name))
    registered_at = factory.LazyFunction(timezone.now)
    registered_channel = factory.LazyFunction(lambda: own_channel("admin"))

    @factory.post_generation
    def phone(self, create: bool, phone: str | None, **_) -> None:
        IdentityFactory(member=self, **({"value": phone} if phone else {}))

    @factory.post_generation
    def businesses(self, create: bool, businesses: list[OrgUnit] | None, **_) -> None:
        for business in businesses or ():
            MembershipFactory(member=self, business=business)


class CardTypeFactory(factory.django.DjangoModelFactory):
    """`CardTypeFactory(org_unit=cast.group)`: personal cards of sixteen digits; each type has a prefix of its own."""

    class Meta:
        model = CardType

    code = factory.Sequence("type{}".format)
    name = "金卡"
    prefix = factory.Sequence(lambda n: f"{62000 + n}")
