"""Methods that know one series at a time: fitted series by series, within a time, and remembered by name."""

import contextlib
import dataclasses
import io
import math
import time
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from modelyard.core import DataError, MissingExtraError
from modelyard.forecasting.methods.method import TooSlowError
from modelyard.forecasting.series.panel import Array, Panel

__all__ = ["LIMIT_S", "LocalFitted", "LocalMethod", "SeriesModel", "quiet", "require_statsmodels"]

_LONGEST = 1500
_SEASONS_KEPT = 20
_SHORTEST = 300
_SHORTEST_HISTORY = 12
LIMIT_S = 120.0
"""Longest time for all series, if the project file states none."""
_WILD = 10.0


class SeriesModel(Protocol):
    """How one series is told."""

    def learn(self, history: Array, season: int) -> Mapping[str, Any]:
        """What is to be remembered of a series, JSON-ready."""

    def tell(self, history: Array, season: int, learnt: Mapping[str, Any], horizon: int) -> Array:
        """The next steps after a history, by what was learnt of the series."""


def require_statsmodels(method: str) -> None:
    """Refuse to go on without the library.

    Raises
    ------
    MissingExtraError
        With the line that installs it.
    """
    try:
        with warnings.catch_warnings():  # it sets filters of its own when it is loaded, which must not stay
            import statsmodels.tsa.exponential_smoothing.ets
            import statsmodels.tsa.statespace.sarimax  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("statsmodels", extra="forecasting", needed_for=f"the method {method}") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what an optimiser prints and warns of; a fit that failed shows in its score."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@dataclasses.dataclass(frozen=True)
class LocalFitted:
    """What a method has learnt of each series.

    Parameters
    ----------
    model
        How one series is told.
    learnt
        By the series' name. A series that is not there is learnt when it is told.
    """

    model: SeriesModel
    learnt: Mapping[str, Mapping[str, Any]]

    def forecast(self, panel: Panel, horizon: int) -> Array:
        """Series by series; where a model runs away or has too little history, the last value stands."""
        require_statsmodels(type(self.model).__name__)
        told = np.empty((len(panel.names), horizon))
        for row, name in enumerate(panel.names):
            history = _recent(panel.history(row), panel.season)
            told[row] = history[-1]
            if len(history) < _SHORTEST_HISTORY or np.ptp(history) == 0:
                continue
            with quiet():
                learnt = self.learnt.get(name) or self.model.learn(history, panel.season)
                ahead = self.model.tell(history, panel.season, learnt, horizon)
            if _is_sane(ahead, history):
                told[row] = ahead
        return told

    def to_dict(self) -> Mapping[str, Any]:
        """What was learnt, by name."""
        return {"learnt": dict(self.learnt)}


@dataclasses.dataclass(frozen=True)
class LocalMethod:
    """A method that learns each series alone.

    Parameters
    ----------
    name, complexity
        As :class:`~modelyard.forecasting.methods.method.Method` has them.
    model
        How one series is learnt and told.
    limit_s
        Longest time for all series; what the first ones take says whether it will do.
    """

    name: str
    complexity: int
    model: SeriesModel
    limit_s: float = LIMIT_S

    def fit(self, panel: Panel, horizon: int) -> LocalFitted:  # noqa: ARG002 - each series is told as far as one likes
        """Learn every series that is long enough.

        Raises
        ------
        DataError
            If none is.
        MissingExtraError, TooSlowError
            As :class:`~modelyard.forecasting.methods.method.Method` says.
        """
        require_statsmodels(self.name)
        learnt: dict[str, Mapping[str, Any]] = {}
        begun = time.monotonic()
        for row, name in enumerate(panel.names):
            history = _recent(panel.history(row), panel.season)
            if len(history) >= _SHORTEST_HISTORY and np.ptp(history) > 0:
                with quiet():
                    learnt[name] = self.model.learn(history, panel.season)
                self._keep_time(time.monotonic() - begun, len(learnt), len(panel.names))
        if not learnt:
            raise DataError(f"no series has {_SHORTEST_HISTORY} values that change", where=self.name)
        return LocalFitted(self.model, learnt)

    def _keep_time(self, spent_s: float, done: int, all_: int) -> None:
        expected_s = spent_s / done * all_
        if expected_s > self.limit_s:
            minutes = math.ceil(expected_s / 60)
            raise TooSlowError(
                f"it would take about {minutes:,} minutes for {all_:,} series",
                where=self.name,
                cure="Leave it out of forecast.methods",
            )


def _recent(history: Array, season: int) -> Array:
    """The end of a history: what was long ago costs time and says little about a local level."""
    return history[-min(max(_SEASONS_KEPT * season, _SHORTEST), _LONGEST) :]


def _is_sane(ahead: Array, history: Array) -> bool:
    """False if a forecast is not finite, or further away than the history is wide, ten times."""
    reach = _WILD * np.ptp(history)
    return bool(np.isfinite(ahead).all() and (np.abs(ahead - history[-1]) <= reach).all())
