"""What follows from what: the one table event type → reactions. Delivered by beat, retried, safe to make twice."""

from benefits.services.card_tiers import carry
from benefits.services.welcome import welcome
from members import events
from members.services.merging import gather

REACTIONS: dict[str, tuple[events.Reaction, ...]] = {
    "card.activated": (carry,),
    "card.renewed": (carry,),
    "member.enrolled": (welcome,),
    "member.merged": (gather,),
}


def install() -> None:
    events.install(REACTIONS)
