"""A history whose relation turns half-way, or does not, and a project that has trained nothing yet."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelyard import Project

Past = Callable[..., pl.DataFrame]
SETTINGS = (
    "training.families=[linear]",
    "training.folds=3",
    "data.time=at",
    "owner=grace",
    "monitoring.window=week",
    "costs={false_positive: -1, true_positive: 4, currency: EUR}",
)


def _past(rows: int = 3200, *, change: float = 1.0, seed: int = 0) -> pl.DataFrame:
    """A row every half hour; after the share ``change`` of them the outcome turns from x to z."""
    generator = np.random.default_rng(seed)
    x, z, noise = generator.normal(size=(3, rows))
    outcome = np.where(np.arange(rows) < change * rows, x, z) + 0.8 * noise > 0
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    at = [begin + dt.timedelta(minutes=30 * place) for place in range(rows)]
    return pl.DataFrame({"at": at, "x": x, "z": z, "bought": np.where(outcome, "yes", "no")})


@pytest.fixture
def settings() -> tuple[str, ...]:
    """What the project is opened with."""
    return SETTINGS


@pytest.fixture(scope="session")
def past() -> Past:
    """``past(rows, change=share, seed=n)``."""
    return _past


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose file knows the first rows."""
    _past(800).write_parquet(tmp_path / "old.parquet")
    Project.new(tmp_path / "shop", data=tmp_path / "old.parquet", target="bought")
    return Project.open(tmp_path / "shop", settings=SETTINGS)
