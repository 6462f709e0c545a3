"""What a catalogue shows of a model, and how that differs from what it should."""

import dataclasses
from collections.abc import Mapping

from modelyard.core import Record

__all__ = ["Difference", "Mirrored", "Shown", "ShownVersion"]


@dataclasses.dataclass(frozen=True)
class ShownVersion(Record):
    """One version.

    Parameters
    ----------
    tags
        Those of ours, by their full names.
    description
        Text for people.
    digest
        Of the package whose bytes lie there; ``""`` if they are no whole package.
    place
        The catalogue's own number for it; ``""`` for one that is not there yet.
    """

    tags: Mapping[str, str]
    description: str
    digest: str
    place: str = ""


@dataclasses.dataclass(frozen=True)
class Shown(Record):
    """One model.

    Parameters
    ----------
    versions
        By the number that the registry gave.
    aliases
        ``champion``, ``challenger`` and ``shadow``, each with the number; ``""`` for one that points to a version that is
        not ours.
    """

    versions: Mapping[str, ShownVersion]
    aliases: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Difference(Record):
    """One thing that is not there as it should be.

    Parameters
    ----------
    what
        ``churn/3: tag modelyard.stage``, ``alias champion`` and the like.
    wanted, found
        What the ledger says, and what is there; ``""`` for nothing.
    by_hand
        True if it is not as it was left here: somebody else changed it. Else the ledger has gone on since.
    """

    what: str
    wanted: str
    found: str
    by_hand: bool


@dataclasses.dataclass(frozen=True)
class Mirrored(Record):
    """What was found, and what was done.

    Parameters
    ----------
    where
        The catalogue.
    differences
        Everything that was not as the ledger says.
    written
        Whether all of it was mended; False if it was only looked for.
    versions
        How many versions there are.
    """

    where: str
    differences: tuple[Difference, ...]
    written: bool
    versions: int

    @property
    def drift(self) -> tuple[Difference, ...]:
        """What somebody changed by hand."""
        return tuple(item for item in self.differences if item.by_hand)
