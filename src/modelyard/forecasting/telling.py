"""The next horizon after a history, with intervals: what a trained forecast is for."""

import numpy as np
import polars as pl

from modelyard.core import DataError
from modelyard.forecasting.backtest import floors, tell_from
from modelyard.forecasting.measures import naive_scales
from modelyard.forecasting.run import StoredForecast
from modelyard.forecasting.series.panel import build_panel
from modelyard.problem import Problem

__all__ = ["tell"]


def tell(run: StoredForecast, history: pl.DataFrame, problem: Problem) -> pl.DataFrame:
    """The steps after the end of a history: series, moment, step, forecast, low and high.

    A series that the training did not know is told too, with the widest interval that the others have in relation to
    their usual change. Series that have ended are not told.

    Parameters
    ----------
    history
        Rows with the columns of the training data, up to now.

    Raises
    ------
    DataError
        As :func:`modelyard.forecasting.series.panel.build_panel`; or if every series has ended.
    """
    record = run.record
    whole = build_panel(history, problem, frequency=record.frequency)
    alive = np.flatnonzero(whole.is_alive())
    panel = whole.only([int(row) for row in alive])
    if not panel.names:
        raise DataError(
            "no series goes on to the last moment", where=f"column {record.time!r}", cure="Bring newer rows"
        )
    told = tell_from(run.fitted, panel, record.horizon)
    own = naive_scales(panel)[0]
    own = np.where(np.isfinite(own), own, 0.0)
    scales = np.array([record.scales.get(name) or own[row] for row, name in enumerate(panel.names)])
    width = scales[:, None] * np.array(record.widths)
    series = len(panel.names)
    return pl.DataFrame(
        {
            "series": [name for name in panel.names for _ in range(record.horizon)],
            "moment": panel.ahead(record.horizon).to_list() * series,
            "step": list(range(1, record.horizon + 1)) * series,
            "forecast": told.reshape(-1),
            "low": np.maximum(told - width, floors(panel)[:, None]).reshape(-1),
            "high": (told + width).reshape(-1),
        }
    )
