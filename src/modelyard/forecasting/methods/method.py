"""What a method of forecasting is."""

from collections.abc import Mapping
from typing import Any, Protocol

from modelyard.core import StateError
from modelyard.forecasting.series.panel import Array, Panel

__all__ = ["Fitted", "Method", "TooSlowError"]


class TooSlowError(StateError):
    """A method would not be ready in its time; it is left out with this reason."""


class Fitted(Protocol):
    """A method that has learnt from the past."""

    def forecast(self, panel: Panel, horizon: int) -> Array:
        """The next steps of each series after the panel's last one: shape (series, horizon), finite.

        The panel may go on after the one that was learnt from, and hold series that were not in it.
        """

    def to_dict(self) -> Mapping[str, Any]:
        """Everything that is needed to forecast again, JSON-ready."""


class Method(Protocol):
    """One way to forecast.

    Attributes
    ----------
    name
        On the leaderboard.
    complexity
        Rank among methods: of two that are equally good the lower one is taken.
    """

    @property
    def name(self) -> str:
        """On the leaderboard."""

    @property
    def complexity(self) -> int:
        """Rank among methods: of two that are equally good the lower one is taken."""

    def fit(self, panel: Panel, horizon: int) -> Fitted:
        """Learn from a panel.

        Raises
        ------
        MissingExtraError
            If the library behind it is not installed.
        DataError
            If the series are too short for it.
        TooSlowError
            If it would not be ready in its time.
        """
