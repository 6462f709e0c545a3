"""What every search has to do: suggest configurations, and hear how they did."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from modelyard.training.families.family import Dimension
from modelyard.training.records import Candidate

__all__ = ["Ground", "Strategy", "Suggestion"]


@dataclasses.dataclass(frozen=True)
class Ground:
    """What is searched.

    Parameters
    ----------
    space
        The parameters that may be chosen.
    fixed
        The whole configuration otherwise.
    proven
        Points of the space that are known to be good elsewhere.
    greater_is_better
        The direction of the scores.
    seed
        Of all that is drawn.
    """

    space: Mapping[str, Dimension]
    fixed: Mapping[str, Any]
    greater_is_better: bool
    seed: int
    proven: Sequence[Mapping[str, Any]] = ()

    def place_of(self, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """Where a configuration lies in the space; None if it lies outside, or differs in what is fixed."""
        others = {name: value for name, value in params.items() if name not in self.space}
        fixed = {name: value for name, value in self.fixed.items() if name not in self.space}
        inside = all(name in params and dimension.holds(params[name]) for name, dimension in self.space.items())
        return {name: params[name] for name in self.space} if inside and others == fixed else None


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """A configuration that is worth trying.

    Parameters
    ----------
    number
        Of the configuration, from 1; the same on every rung.
    params
        Complete.
    share
        Of each fold's training rows; below 1 it is scored, but cannot win.
    rung
        Of successive halving, from 1; 0 for other searches.
    """

    number: int
    params: Mapping[str, Any]
    share: float = 1.0
    rung: int = 0


class Strategy(Protocol):
    """A search that is asked and told by the driver.

    Duties. What is suggested depends on the ground, the seed and the scores told so far, and on nothing else: not on
    time, nor on how many suggestions are asked for at once by one driver and another (the driver asks for equal numbers
    everywhere). Scores are told before the next suggestions are asked for.
    """

    @property
    def planned(self) -> int:
        """Suggestions that it will make at most."""

    def know(self, candidate: Candidate) -> None:
        """Hear of a candidate that was scored before the search began."""

    def suggest(self, most: int) -> list[Suggestion]:
        """The next ones, at most so many; none when the search has ended."""

    def tell(self, scores: Sequence[float | None]) -> None:
        """The scores of the last suggestions, in their order; None for one that failed or was not finished."""
