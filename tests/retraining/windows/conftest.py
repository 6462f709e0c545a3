"""Streams of labelled rows whose relation is known, and a champion that was fitted once."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from modelyard.data import infer_schema
from modelyard.problem import Problem
from modelyard.retraining.windows.backtest import KnownRows
from modelyard.retraining.windows.recipe import Recipe
from modelyard.training.families.registry import FAMILIES
from modelyard.training.model import Learning
from modelyard.training.records import Candidate, CandidateRole, CandidateStatus

Stream = Callable[..., pl.DataFrame]


def _stream(rows: int, *, change: float = 1.0, seed: int = 0) -> pl.DataFrame:
    """Rows an hour apart; after the share ``change`` of them the outcome turns from x to z."""
    generator = np.random.default_rng(seed)
    x, z, noise = generator.normal(size=(3, rows))
    before = np.arange(rows) < change * rows
    outcome = np.where(before, x, z) + 0.8 * noise > 0
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    at = pl.datetime_range(begin, begin + dt.timedelta(hours=rows - 1), "1h", eager=True)
    return pl.DataFrame({"at": at, "x": x, "z": z, "bought": np.where(outcome, "yes", "no")})


@pytest.fixture
def stream() -> Stream:
    """``stream(rows, change=share, seed=n)``."""
    return _stream


@pytest.fixture
def problem() -> Problem:
    """The question that the streams answer."""
    return Problem.model_validate(
        {
            "name": "shop",
            "task": "binary",
            "data": {"source": "shop.csv", "target": "bought", "positive": "yes", "time": "at"},
        }
    )


@pytest.fixture
def recipe() -> Recipe:
    """Logistic regression with its defaults."""
    linear = FAMILIES["linear"]
    schema = infer_schema(_stream(50))
    columns = tuple(schema.column(name) for name in ("x", "z"))
    task = Problem.model_validate(
        {"name": "shop", "task": "binary", "data": {"source": "shop.csv", "target": "bought"}}
    ).task
    params = dict(linear.defaults(task))
    done = (CandidateRole.CANDIDATE, params, CandidateStatus.DONE, (0.5,), 0.5, 0.0, 0.0, None, 1)
    return Recipe(Learning(columns, "at", task, ("no", "yes")), Candidate("linear", "linear", *done), linear, 0)


@pytest.fixture
def known() -> Callable[[pl.DataFrame], KnownRows]:
    """A stream as rows with their encoded target."""
    return lambda frame: KnownRows.of(frame, (frame["bought"] == "yes").cast(pl.Float64).to_numpy(), "at")
