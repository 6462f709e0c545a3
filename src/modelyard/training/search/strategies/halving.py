"""Successive halving (Jamieson and Talwalkar, 2016): many configurations on few rows, the best of them on more."""

import math
from collections.abc import Sequence

from modelyard.training.planning.searching import Rung
from modelyard.training.records import Candidate
from modelyard.training.search.strategies.random_search import drawn_points
from modelyard.training.search.strategies.strategy import Ground, Suggestion

__all__ = ["HalvingSearch"]


class HalvingSearch:
    """Suggests the configurations of a rung; when all their scores are known, the best of them climb to the next one.

    All configurations of a rung see the same rows, so their scores are alike; scores of different rungs are never
    compared. Of equals the one that was drawn first climbs. A configuration that failed falls off.

    Parameters
    ----------
    ground
        What is searched.
    rungs
        The lowest first; the last one has all rows.
    """

    def __init__(self, ground: Ground, rungs: Sequence[Rung]) -> None:
        self._rungs = tuple(rungs)
        self._sign = -1.0 if ground.greater_is_better else 1.0
        first = list(drawn_points(ground, rungs[0].configurations)) if rungs else []
        self._waiting = [Suggestion(number, params, rungs[0].share, 1) for number, params in enumerate(first, 1)]
        self.planned = count = len(first)
        for rung in rungs[1:]:
            count = _climbing(count, rung)
            self.planned += count
        self._asked: list[Suggestion] = []
        self._scored: list[tuple[float, Suggestion]] = []

    def know(self, candidate: Candidate) -> None:
        """Scores on all rows say nothing about scores on fewer."""

    def suggest(self, most: int) -> list[Suggestion]:
        """The next configurations of the rung, or those that climb to the next one."""
        if not self._waiting and self._scored:
            self._climb()
        self._asked, self._waiting = self._waiting[:most], self._waiting[most:]
        return list(self._asked)

    def tell(self, scores: Sequence[float | None]) -> None:
        """Remember the scores until the rung is complete."""
        told = zip(scores, self._asked, strict=True)
        self._scored += [(self._sign * score, item) for score, item in told if score is not None]

    def _climb(self) -> None:
        """The best of the rung, in the order in which they were drawn."""
        done = self._scored[0][1].rung
        ranked = sorted(self._scored, key=lambda pair: (pair[0], pair[1].number))
        self._scored = []
        if done == len(self._rungs):
            return
        rung = self._rungs[done]
        climbing = ranked[: _climbing(len(ranked), rung)]
        best = sorted((item for _, item in climbing), key=lambda item: item.number)
        self._waiting = [Suggestion(item.number, item.params, rung.share, done + 1) for item in best]


def _climbing(count: int, rung: Rung) -> int:
    """How many of a rung's configurations climb to the next one: a third, rounded up, where a small space had too few."""
    return min(rung.configurations, math.ceil(count / 3))
