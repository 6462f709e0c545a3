"""The next horizon after a history, with intervals: what a trained forecast is for."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import polars as pl

from modelyard.core import DataError, Record
from modelyard.forecasting.backtest import floors, tell_from
from modelyard.forecasting.measures import naive_scales
from modelyard.forecasting.methods import Fitted
from modelyard.forecasting.records import ForecastRun
from modelyard.forecasting.series.panel import build_panel
from modelyard.problem import Problem

__all__ = ["COLUMNS", "TellingRule", "tell"]

COLUMNS = ("series", "moment", "step", "forecast", "low", "high")


@dataclasses.dataclass(frozen=True)
class TellingRule(Record):
    """What a fitted method needs beside a history; the fields of :class:`~modelyard.forecasting.records.ForecastRun`."""

    frequency: str
    horizon: int
    widths: tuple[float, ...]
    scales: Mapping[str, float | None]

    @classmethod
    def of(cls, run: ForecastRun) -> "TellingRule":
        """The rule of a run."""
        return cls(run.frequency, run.horizon, run.widths, run.scales)


def tell(fitted: Fitted, rule: TellingRule, history: pl.DataFrame, problem: Problem) -> pl.DataFrame:
    """The steps after the end of a history: series, moment, step, forecast, low and high.

    A series that the training did not know is told too, with the widest interval that the others have in relation to
    their usual change. Series that have ended are not told.

    Parameters
    ----------
    fitted, rule
        The winner of a training, and how far it tells.
    history
        Rows with the columns of the training data, up to now.
    problem
        Names the columns.

    Raises
    ------
    DataError
        As :func:`modelyard.forecasting.series.panel.build_panel`; or if every series has ended.
    """
    whole = build_panel(history, problem, frequency=rule.frequency)
    alive = np.flatnonzero(whole.is_alive())
    panel = whole.only([int(row) for row in alive])
    if not panel.names:
        raise DataError(
            "no series goes on to the last moment", where=f"column {problem.data.time!r}", cure="Bring newer rows"
        )
    told = tell_from(fitted, panel, rule.horizon)
    own = naive_scales(panel)[0]
    own = np.where(np.isfinite(own), own, 0.0)
    scales = np.array([rule.scales.get(name) or own[row] for row, name in enumerate(panel.names)])
    width = scales[:, None] * np.array(rule.widths)
    series = len(panel.names)
    return pl.DataFrame(
        {
            "series": [name for name in panel.names for _ in range(rule.horizon)],
            "moment": panel.ahead(rule.horizon).to_list() * series,
            "step": list(range(1, rule.horizon + 1)) * series,
            "forecast": told.reshape(-1),
            "low": np.maximum(told - width, floors(panel)[:, None]).reshape(-1),
            "high": (told + width).reshape(-1),
        }
    )
