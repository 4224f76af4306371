"""Who works in the demo: one operator for each kind of work, each on its node, with the permissions of its group."""

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from config.demo.businesses import HOTEL
from config.demo.keyring import Keyring
from members.models import Operator, OrgUnit

OUR_APPS = ("members", "loyalty", "benefits", "settlement", "marketing")


@dataclass(frozen=True)
class Role:
    """A group of permissions: all of some apps, or only what matches these code names."""

    name: str
    may_change: tuple[str, ...] = ()  # apps
    may_view: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()  # code names of single permissions
    except_for: tuple[str, ...] = ()  # models of those apps

    def permissions(self):
        wanted = Q(content_type__app_label__in=self.may_change) | Q(codename__in=self.besides)
        views = Q(content_type__app_label__in=self.may_view, codename__startswith="view_")
        chosen = Permission.objects.filter(wanted | views & ~Q(codename="view_personal_data"))
        return chosen.exclude(content_type__model__in=self.except_for)


HEADQUARTERS = Role("总部运营", may_change=OUR_APPS, may_view=("auth", "django_celery_results"))
BUSINESS = Role(
    "业态运营",
    may_change=("members", "loyalty", "benefits", "marketing"),
    may_view=("settlement",),
    except_for=("operator", "channel", "channelkey"),
)
STORE = Role("门店店员", may_view=("members", "loyalty", "benefits"), besides=("add_member", "change_member"))
FINANCE = Role("财务", may_change=("settlement",), may_view=("loyalty", "benefits"))
AUDITOR = Role("审计（只读）", may_view=OUR_APPS)
ROLES = (HEADQUARTERS, BUSINESS, STORE, FINANCE, AUDITOR)


@dataclass(frozen=True)
class Person:
    username: str
    name: str
    role: Role
    node: str  # code; empty = the group
    is_superuser: bool = False

    @property
    def title(self) -> str:
        return f"{self.role.name} {self.name}"


PEOPLE = (
    Person("admin", "林总", HEADQUARTERS, "", is_superuser=True),
    Person("hotel", "周经理", BUSINESS, HOTEL),
    Person("fresh", "吴经理", BUSINESS, "FRESH"),
    Person("store", "小陈", STORE, f"{HOTEL}-1"),
    Person("finance", "郑会计", FINANCE, ""),
    Person("auditor", "何审计", AUDITOR, ""),
)


def appoint(keyring: Keyring) -> None:
    """Make groups and operators that are missing; passwords that people have changed stay."""
    for role in ROLES:
        group, is_new = Group.objects.get_or_create(name=role.name)
        if is_new:
            group.permissions.set(role.permissions())
    for person in PEOPLE:
        operator = Operator.objects.filter(username=person.username).first() or _hire(person)
        if not operator.has_usable_password() or not keyring.get("password", person.username):
            operator.set_password(keyring.password(person.username))
            operator.save(update_fields=["password"])


def _hire(person: Person) -> Operator:
    node = OrgUnit.objects.get(code=person.node) if person.node else OrgUnit.objects.get(depth=1)
    operator = Operator(
        username=person.username,
        first_name=person.name,
        org_unit=node,
        is_staff=True,
        is_superuser=person.is_superuser,
    )
    operator.set_unusable_password()
    operator.save()
    operator.groups.add(Group.objects.get(name=person.role.name))
    return operator


def importer() -> Operator:
    """Who enters the members where there is nobody else (rule A): a name without a login."""
    found = Operator.objects.filter(username="admin").first()
    if found:
        return found
    operator = Operator(username="replay", org_unit=OrgUnit.objects.get(depth=1), is_active=False)
    operator.set_unusable_password()
    operator.save()
    return operator
