"""What may have to wait for a second person: the table of verbs that config installs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from members.interfaces import Answer, Origin
from members.interfaces.tables import Table


@dataclass(frozen=True)
class ApprovalVerb:
    """`run(arguments, origin)` does what was asked for, in the transaction of the approval; `origin.actor` asked.

    `permission` is what the second person needs beside members.decide_approval and reach over the node. Arguments are
    JSON: keys of rows, not rows. Raises Refused where it can't be done any more.
    """

    name: str
    title: str
    permission: str
    run: Callable[[dict[str, Any], Origin], Answer]
    unit: str = ""  # of the quantity that thresholds are compared with: points, fen, rows


approval_verbs: Table[ApprovalVerb] = Table()
