"""A search whose configurations are known before the first score."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelyard.training.search.strategies.strategy import Suggestion

__all__ = ["ListedSearch"]


class ListedSearch:
    """Suggests what stands in a list, in its order; scores change nothing.

    Parameters
    ----------
    points
        Complete configurations.
    """

    def __init__(self, points: Iterable[Mapping[str, Any]]) -> None:
        self._waiting = [Suggestion(number, params) for number, params in enumerate(points, 1)]
        self.planned = len(self._waiting)

    def suggest(self, most: int) -> list[Suggestion]:
        """The next points."""
        given, self._waiting = self._waiting[:most], self._waiting[most:]
        return given

    def tell(self, scores: Sequence[float | None]) -> None:
        """Nothing is learnt from scores."""
