"""What tags' rules say of each other: pure functions over trees."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from members.criteria import Node


def tags_spoken_of(tree: Node | None) -> Iterator[str]:
    """The codes of the tags that a rule asks for."""
    if not tree:
        return
    if "tag" in tree:
        yield tree["tag"]
    for child in tree.get("children", ()):
        yield from tags_spoken_of(child)


def in_dependency_order(rules: Mapping[str, Node | None]) -> list[str]:
    """Codes of tags, each after those that its rule asks for. Raises graphlib.CycleError."""
    return list(TopologicalSorter({code: set(tags_spoken_of(rule)) for code, rule in rules.items()}).static_order())


def cycle_in(rules: Mapping[str, Node | None]) -> list[str]:
    """Codes of tags that wait for each other, the first again at the end; empty where none do."""
    try:
        in_dependency_order(rules)
    except CycleError as error:
        return error.args[1]
    return []
