"""Series made by rule, so that every right answer is known."""

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.forecasting.series import Panel, build_panel
from modelyard.problem import Problem


def forecast_problem(**plan: Any) -> Problem:
    """A problem over the columns ``day``, ``shop`` and ``sold``."""
    data = {"source": "sales.csv", "target": "sold", "time": "day"}
    return Problem.model_validate({"task": "forecasting", "data": data, "forecast": {"horizon": 7, **plan}})


def sales(days: int, shops: int = 1, *, noise: float = 1.0, seed: int = 0, trend: float = 0.0) -> pl.DataFrame:
    """Daily sales with a week: level 100 a shop, weekends 30 more, noise and a trend as asked."""
    generator = np.random.default_rng(seed)
    start = dt.date(2023, 1, 2)  # a Monday
    frames = []
    for shop in range(shops):
        day = np.arange(days)
        sold = (
            100.0 * (shop + 1) + np.where(day % 7 >= 5, 30.0, 0.0) + trend * day + noise * generator.normal(size=days)
        )
        dates = [start + dt.timedelta(days=int(step)) for step in day]
        frames.append(pl.DataFrame({"day": dates, "shop": [f"shop {shop}"] * days, "sold": sold}))
    return pl.concat(frames)


@pytest.fixture
def two_shops() -> Panel:
    """Two shops over sixteen weeks."""
    return build_panel(sales(112, 2), forecast_problem(series=("shop",)))
