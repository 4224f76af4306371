"""What happened, as people read it; config says it for every floor."""

from collections.abc import Mapping

_words: dict[str, str] = {}


def install(words: Mapping[str, str]) -> None:
    _words.clear()
    _words.update(words)


def in_words(event_type: str) -> str:
    """A type that nobody has put in words is shown as it is."""
    return str(_words.get(event_type, event_type))
