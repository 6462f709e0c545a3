"""Random search (Bergstra and Bengio, 2012): points drawn from the space, each dimension by its own scale."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from modelyard.core import canonical_json
from modelyard.training.records import Candidate
from modelyard.training.search.strategies.listed import ListedSearch
from modelyard.training.search.strategies.strategy import Ground

__all__ = ["RandomSearch", "drawn_points"]

_TRIES = 100


def drawn_points(ground: Ground, count: int) -> Iterator[dict[str, Any]]:
    """Different points by chance; fewer than ``count`` only if a hundred draws in a row bring nothing new."""
    generator = np.random.default_rng(ground.seed)
    seen: set[bytes | str] = set()
    for _ in range(count):
        for _ in range(_TRIES):
            point = {name: dimension.draw(generator) for name, dimension in ground.space.items()}
            key = canonical_json(point)
            if key not in seen:
                break
        else:
            return
        seen.add(key)
        yield {**ground.fixed, **point}


class RandomSearch(ListedSearch):
    """Suggests points that were drawn before the first score is known; scores change nothing.

    Parameters
    ----------
    ground
        What is searched.
    rounds
        Configurations to try.
    """

    def __init__(self, ground: Ground, rounds: int) -> None:
        super().__init__(drawn_points(ground, rounds))

    def know(self, candidate: Candidate) -> None:
        """Nothing that is known changes what is drawn."""
