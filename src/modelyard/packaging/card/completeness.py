"""How much of a card people have filled; the rest the software fills by itself."""

from collections.abc import Mapping
from typing import Any

__all__ = ["FIELDS_FOR_PEOPLE", "completeness"]

FIELDS_FOR_PEOPLE = (
    "identity: owner",
    "identity: contact",
    "identity: escalation",
    "identity: code commit",
    "use: objective",
    "use: users",
    "use: out of scope",
    "data: collection",
    "data: known biases",
    "data: protected columns",
    "performance: costs",
    "performance: existing system",
)
"""What only people can say, as the card names it when it is missing. Decisions are not among them: there may be none."""


def completeness(card: Mapping[str, Any]) -> float:
    """The share of :data:`FIELDS_FOR_PEOPLE` that are filled, 0 to 1.

    >>> completeness({"not_provided": ["identity: owner", "use: users", "decisions"]})
    0.8333333333333334
    """
    return 1 - sum(name in card["not_provided"] for name in FIELDS_FOR_PEOPLE) / len(FIELDS_FOR_PEOPLE)
