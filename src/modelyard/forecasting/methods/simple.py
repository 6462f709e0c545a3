"""The naive answers: as it was last, as it was a season ago (Hyndman and Athanasopoulos, 2021, section 5.2)."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from modelyard.core import DataError
from modelyard.forecasting.series.panel import Array, Panel

__all__ = ["Naive", "SeasonalNaive"]


@dataclasses.dataclass(frozen=True)
class Naive:
    """The last value, for every step ahead."""

    name: str = "naive"
    complexity: int = 0

    def fit(self, panel: Panel, horizon: int) -> Self:  # noqa: ARG002 - there is nothing to learn
        """Itself."""
        return self

    def forecast(self, panel: Panel, horizon: int) -> Array:
        """The last value of each series."""
        return np.repeat(panel.values[:, -1:], horizon, axis=1)

    def to_dict(self) -> Mapping[str, Any]:
        """Nothing was learnt."""
        return {}


@dataclasses.dataclass(frozen=True)
class SeasonalNaive:
    """The value one season before; the last value where a series is younger than that.

    Parameters
    ----------
    season
        In steps.
    """

    season: int
    complexity: int = 1

    @property
    def name(self) -> str:
        """With the season, since there may be two."""
        return f"seasonal_naive_{self.season}"

    def fit(self, panel: Panel, horizon: int) -> Self:  # noqa: ARG002 - there is nothing to learn
        """Itself.

        Raises
        ------
        DataError
            If no series is a season long.
        """
        if not (np.isfinite(panel.values).sum(axis=1) >= self.season).any():
            raise DataError("no series is a season long", got=f"a season of {self.season} steps")
        return self

    def forecast(self, panel: Panel, horizon: int) -> Array:
        """The last season, again and again."""
        last = panel.values[:, -self.season :]
        if last.shape[1] < self.season:
            last = np.repeat(panel.values[:, -1:], self.season, axis=1)
        told = np.tile(last, (1, -(-horizon // self.season)))[:, :horizon]
        return np.where(np.isnan(told), panel.values[:, -1:], told)

    def to_dict(self) -> Mapping[str, Any]:
        """The season."""
        return {"season": self.season}
