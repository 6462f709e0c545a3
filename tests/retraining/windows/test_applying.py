import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core import Actor, ConfigError, DataError
from modelyard.core.actor import ActorSource
from modelyard.data import Split, infer_schema, make_split
from modelyard.data.version import Dataset, store_version
from modelyard.problem import Problem
from modelyard.retraining.windows import WindowChoice, WindowKind, WindowPolicy
from modelyard.retraining.windows.applying import apply, whole_id, windowed, without_window
from modelyard.retraining.windows.recipe import WEIGHT
from modelyard.store import Workspace

ACTOR = Actor("ada", ActorSource.TOKEN, ("developer",))
HOUR = 3600.0


@pytest.fixture
def split(stream: Any, problem: Problem, tmp_path: Path) -> Split:
    """1,000 hours: 600 train, 200 for validation, 200 sealed."""
    workspace, frame = Workspace(tmp_path), stream(1000)
    version = store_version(frame, "a stream", workspace)
    return make_split(Dataset(version.id, frame, infer_schema(frame)), problem, workspace, ACTOR)


def choice(kind: WindowKind, **length: Any) -> WindowChoice:
    """A choice without a backtest."""
    return WindowChoice(WindowPolicy(kind, **length), "a test")


def test_a_sliding_window_cuts_training_rows_alone(split: Split) -> None:
    """A hundred hours are left of training; what judges stays whole."""
    cut = apply(choice(WindowKind.SLIDING, span_s=100 * HOUR), split, "at")
    last = split.train.frame["at"].max()

    assert cut.train.frame.height == 100
    assert isinstance(last, dt.datetime)
    assert cut.train.frame["at"].min() == last - dt.timedelta(hours=99)
    assert cut.validation.frame.equals(split.validation.frame)
    assert (cut.test.digest, cut.record.train_rows) == (split.test.digest, 100)
    assert cut.record.id != split.record.id


def test_weights_halve_with_age_and_multiply_with_declared_ones(split: Split) -> None:
    """Counted from the last row of training and validation, which the last fit learns from together."""
    weighted = apply(choice(WindowKind.WEIGHTED, rows=100), split, "at", weight=None)
    doubled = apply(choice(WindowKind.WEIGHTED, rows=100), _with_twos(split), "at", weight="two")
    together = weighted.development.frame[WEIGHT].to_numpy()

    assert together[-1] == 1.0
    np.testing.assert_allclose(together[:-100] / together[100:], 0.5)
    assert weighted.train.schema.column(WEIGHT).kind.value == "numeric"
    np.testing.assert_allclose(doubled.development.frame[WEIGHT].to_numpy(), 2 * together)


def _with_twos(split: Split) -> Split:
    parts = [
        Dataset(part.version_id, part.frame.with_columns(pl.lit(2.0).alias("two")), part.schema)
        for part in (split.train, split.validation)
    ]
    return dataclasses.replace(split, train=parts[0], validation=parts[1])


def test_all_rows_are_the_split_itself(split: Split) -> None:
    """Nothing is made where nothing is cut."""
    assert apply(WindowChoice(WindowPolicy(), "all"), split, None) is split


def test_a_windowed_split_is_kept_and_leads_back(split: Split, problem: Problem, tmp_path: Path) -> None:
    """What one retraining leaves out the next may learn from: the whole is found again."""
    workspace = Workspace(tmp_path)
    cut, asked = windowed(choice(WindowKind.WEIGHTED, span_s=50 * HOUR), split, problem, workspace)

    assert asked.data.weight == WEIGHT
    assert problem.data.weight is None
    assert whole_id(cut.record.id, workspace) == split.record.id
    assert without_window(cut, workspace).train.frame.equals(split.train.frame)
    assert without_window(split, workspace) is split


def test_what_cannot_be_applied_is_refused(split: Split) -> None:
    """Without a time column, and where next to nothing would be left."""
    with pytest.raises(ConfigError, match="needs a time column"):
        apply(choice(WindowKind.SLIDING, rows=100), split, None)
    with pytest.raises(DataError, match="too few rows to learn from"):
        apply(choice(WindowKind.SLIDING, span_s=HOUR), split, "at")
