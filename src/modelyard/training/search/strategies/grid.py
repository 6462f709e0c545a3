"""Grid search: every combination of the stated values, the last parameter changing fastest."""

import itertools
from typing import Any

from modelyard.training.records import Candidate
from modelyard.training.search.strategies.listed import ListedSearch
from modelyard.training.search.strategies.strategy import Ground

__all__ = ["GridSearch", "grid_points"]


def grid_points(ground: Ground) -> list[dict[str, Any]]:
    """All points, each once.

    >>> from modelyard.training.families.family import Dimension
    >>> space = {"depth": Dimension(2, 3, whole=True), "kind": Dimension(choices=("a", "b"))}
    >>> [tuple(point.values()) for point in grid_points(Ground(space, {}, True, 0))]
    [(2, 'a'), (2, 'b'), (3, 'a'), (3, 'b')]
    """
    values = (dict.fromkeys(dimension.values()) for dimension in ground.space.values())
    return [
        {**ground.fixed, **dict(zip(ground.space, point, strict=True))}
        for point in itertools.product(*map(list, values))
    ]


class GridSearch(ListedSearch):
    """Suggests every point of the grid, except those whose scores are known.

    Parameters
    ----------
    ground
        What is searched; all dimensions have values.
    """

    def __init__(self, ground: Ground) -> None:
        super().__init__(grid_points(ground))
        self._ground = ground

    def know(self, candidate: Candidate) -> None:
        """A point that was scored already is not tried again."""
        place = self._ground.place_of(candidate.params)
        if place is not None and candidate.is_complete:
            self._waiting = [item for item in self._waiting if self._ground.place_of(item.params) != place]
            self.planned = len(self._waiting)
