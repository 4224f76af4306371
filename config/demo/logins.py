"""What somebody who tries the demo needs to know, once it runs."""

from collections.abc import Iterator

from config.demo.keyring import Keyring
from config.demo.operators import PEOPLE


def lines(keyring: Keyring) -> Iterator[str]:
    """Logins as `make run` prints them; nothing where there is no demo."""
    for person in PEOPLE:
        if password := keyring.get("password", person.username):
            yield f"  /admin/  {person.username:<8} {password:<14} {person.title}"
    if phone := keyring.get("phone", "member"):
        yield f"  /m/      {phone}, the code is printed here"
    if key := keyring.get("key", "hotel-app"):
        yield f"  /api/v1/docs/  Authorization: Bearer {key}"
