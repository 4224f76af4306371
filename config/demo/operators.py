"""Who works in the demo: one operator for each role, each on its node."""

from dataclasses import dataclass

from django.contrib.auth.models import Group

from config import roles
from config.demo.businesses import HOTEL
from config.demo.keyring import Keyring
from members.models import Operator, OrgUnit


@dataclass(frozen=True)
class Person:
    username: str
    name: str
    role: roles.Role
    node: str  # code; empty = the group
    is_superuser: bool = False

    @property
    def title(self) -> str:
        return f"{self.role.name} {self.name}"


PEOPLE = (
    Person("admin", "林总", roles.HEADQUARTERS, "", is_superuser=True),
    Person("hotel", "周经理", roles.BUSINESS, HOTEL),
    Person("fresh", "吴经理", roles.BUSINESS, "FRESH"),
    Person("region", "孙大区", roles.REGION, "FRESH-EAST"),
    Person("manager", "钱店长", roles.STORE_MANAGER, f"{HOTEL}-1"),
    Person("store", "小陈", roles.CLERK, f"{HOTEL}-1"),
    Person("service", "小赵", roles.CALL_CENTRE, ""),
    Person("market", "李市场", roles.MARKETING, ""),
    Person("finance", "郑会计", roles.FINANCE, ""),
    Person("auditor", "何审计", roles.AUDITOR, ""),
)


def appoint(keyring: Keyring) -> None:
    """Make roles and operators that are missing; passwords that people have changed stay. No login needs an app."""
    roles.set_up(demand_totp=False)
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
