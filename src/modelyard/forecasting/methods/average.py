"""The plain mean of several methods: hard to beat, since their mistakes differ (Bates and Granger, 1969; M4, 2020)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from modelyard.forecasting.methods.method import Fitted
from modelyard.forecasting.series.panel import Array, Panel

__all__ = ["AVERAGE", "FittedAverage"]

AVERAGE = "average"


@dataclasses.dataclass(frozen=True)
class FittedAverage:
    """Fitted methods whose forecasts are averaged.

    Parameters
    ----------
    members
        By name.
    """

    members: Mapping[str, Fitted]

    def forecast(self, panel: Panel, horizon: int) -> Array:
        """The mean of what the members tell."""
        told: Array = np.mean([member.forecast(panel, horizon) for member in self.members.values()], axis=0)
        return told

    def to_dict(self) -> Mapping[str, Any]:
        """The members, each as it writes itself down."""
        return {"members": {name: dict(member.to_dict()) for name, member in self.members.items()}}
