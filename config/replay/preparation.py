"""What must stand before the first receipt: the group, its people, the stores, and the channel that sends."""

from dataclasses import dataclass
from typing import Self, TextIO

from config.complete_journey import Journey, load
from config.demo import channels, founding, people
from config.demo.businesses import WHOLE_BASKETS
from config.demo.edition import Edition
from config.demo.keyring import Keyring
from config.demo.organisation import Stores
from config.replay.progress import ProgressBar
from config.replay.selection import Selection
from config.replay.senders import Books
from members.models import OrgUnit


@dataclass(frozen=True)
class Preparation:
    """The data and the group that it is replayed into."""

    journey: Journey
    edition: Edition
    keyring: Keyring
    out: TextIO

    @classmethod
    def make(cls, wanted: Edition, out: TextIO) -> Self:
        """Found the group if the database is empty. Raises CommandError where something else stands in it."""
        journey, keyring = load(), Keyring()
        edition = founding.standing_or_founded(wanted, keyring)
        founding.staff(edition, keyring)
        founding.populate(journey, edition)
        return cls(journey, edition, keyring, out)

    def books(self, selection: Selection) -> Books:
        """Open the stores that the selection needs, and know everything by the data's numbers."""
        stores = Stores(self.journey)
        missing = stores.missing(selection.stores())
        if missing:
            bar = ProgressBar("Stores   ", len(missing), self.out)
            for _store in stores.open(missing):
                bar.advance()
            bar.finish()
        return Books(
            channel=channels.open_replay_channel(self.keyring),
            edition=self.edition,
            members=people.by_household(self.journey, business=OrgUnit.objects.get(code=WHOLE_BASKETS)),
            stores=stores,
        )
