"""A small world whose truth is known: two numbers, a category, and a model that knows the true probability."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.data.profile import ReferenceProfile, build_profile
from modelyard.data.schema import Column, ColumnKind
from modelyard.problem import Problem

START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
COLUMNS = (
    Column("age", ColumnKind.NUMERIC, "Float64", nullable=True),
    Column("spend", ColumnKind.NUMERIC, "Float64", nullable=True),
    Column("plan", ColumnKind.CATEGORY, "String", nullable=True),
)

Rows = tuple[pl.DataFrame, npt.NDArray[np.float64], npt.NDArray[np.bool_]]


@dataclasses.dataclass(frozen=True)
class World:
    """How rows are made: the mean of ``age``, and whether the relation to the outcome is turned round or lifted."""

    mean: float = 0.0
    turned: bool = False
    lift: float = 0.0

    def rows(self, count: int, generator: np.random.Generator) -> Rows:
        """Features, the model's score, and the outcome."""
        age = generator.normal(self.mean, 1.0, count)
        spend = generator.exponential(1.0, count)
        plan = generator.choice(["basic", "plus", "gold"], count, p=[0.6, 0.3, 0.1])
        score = 1 / (1 + np.exp(1.0 - 1.2 * age - 0.6 * (spend - 1)))
        turned = 1.2 * age * (-1 if self.turned else 1)
        truth = 1 / (1 + np.exp(1.0 - self.lift - turned - 0.6 * (spend - 1)))
        frame = pl.DataFrame({"age": age, "spend": spend, "plan": plan})
        return frame, score, generator.random(count) < truth


Log = tuple[pl.DataFrame, pl.DataFrame]


def _make_log(
    days: int, world: Callable[[int], Mapping[str, Any]] = lambda _: {}, *, rows: int = 600, seed: int = 1
) -> Log:
    """A prediction log with ``rows`` a day, and the labels of all of it; ``world`` gives the changes by day."""
    generator = np.random.default_rng(seed)
    parts: list[pl.DataFrame] = []
    labels: list[pl.DataFrame] = []
    for day in range(days):
        frame, score, outcome = World(**world(day)).rows(rows, generator)
        ids = [f"{day}-{index}" for index in range(rows)]
        moments = [START + dt.timedelta(days=day, seconds=index) for index in range(rows)]
        named = frame.rename({name: f"feature.{name}" for name in frame.columns})
        fixed = pl.DataFrame({"id": ids, "at": moments, "score": score, "label": np.where(score >= 0.5, "Yes", "No")})
        parts.append(pl.concat([fixed, named], how="horizontal"))
        labels.append(pl.DataFrame({"id": ids, "label": np.where(outcome, "Yes", "No")}))
    return pl.concat(parts), pl.concat(labels)


@pytest.fixture(scope="session")
def make_log() -> Callable[..., Log]:
    """Makes a log of some days; see :func:`_make_log`."""
    return _make_log


@pytest.fixture(scope="session")
def profile() -> ReferenceProfile:
    """The reference of 20,000 training rows of the unchanged world."""
    frame, score, _ = World().rows(20_000, np.random.default_rng(0))
    return build_profile(frame, COLUMNS, extra={"score": score})


@pytest.fixture(scope="session")
def problem() -> Problem:
    """A binary problem that watches days of at least 200 rows."""
    return Problem.model_validate(
        {"name": "churn", "task": "binary", "data": {"source": "x.csv", "target": "Churn", "positive": "Yes"}}
    )
