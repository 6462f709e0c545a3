"""Models that go on learning: what was known is kept, what is new is added, and the old model is left alone."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.core import ConfigError, DataError
from modelyard.data.schema import Column, ColumnKind
from modelyard.problem import Task
from modelyard.problem.schema import CustomEstimator
from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.boosting.xgboost import XGBoost
from modelyard.training.families.custom import custom_family
from modelyard.training.families.family import Family, Updatable
from modelyard.training.families.linear import Linear
from modelyard.training.metrics import score
from modelyard.training.model import FittedModel, Learning
from modelyard.training.records import Candidate, CandidateRole, CandidateStatus
from modelyard.training.search.refit import fit_alone
from modelyard.training.update.continuation import continued

LIGHTGBM = LightGBM(max_rounds=60, patience=10, fallback_rounds=20)
XGBOOST = XGBoost(max_rounds=60, patience=10, fallback_rounds=20)
SGD = custom_family(
    "sgd", CustomEstimator(path="sklearn.linear_model.SGDClassifier", params={"loss": "log_loss"}), Task.BINARY
)
COLUMNS = tuple(Column(name, ColumnKind.NUMERIC, "Float64", nullable=False) for name in ("a", "b"))
CLASSES: Mapping[Task, tuple[str, ...]] = {
    Task.BINARY: ("no", "yes"),
    Task.MULTICLASS: ("low", "mid", "high"),
    Task.REGRESSION: (),
}


def world(task: Task, rows: int, seed: int, *, moved: bool = False) -> tuple[pl.DataFrame, npt.NDArray[np.float64]]:
    """Two numbers, and a target that depends on the first of them; after it moved, on the second."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 2))
    signal = 2 * x[:, 1 if moved else 0] + generator.normal(0, 0.5, rows)
    truth = {
        Task.BINARY: (signal > 0).astype(np.float64),
        Task.MULTICLASS: np.digitize(signal, [-1, 1]).astype(np.float64),
        Task.REGRESSION: signal,
    }[task]
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1]}), truth


def champion(family: Family, task: Task) -> FittedModel:
    """A model of the old world."""
    frame, truth = world(task, 600, 0)
    won = Candidate(
        family.name, family.name, CandidateRole.CANDIDATE, family.defaults(task), CandidateStatus.DONE,
        (), None, None, 0.0, None, 3, rounds=30,
    )  # fmt: skip
    return fit_alone(Learning(COLUMNS, None, task, CLASSES[task]), frame, truth, won, family, seed=1)


def stopping(rows: int) -> npt.NDArray[np.bool_]:
    """Every seventh row."""
    return np.asarray(np.arange(rows) % 7 == 0)


@pytest.mark.parametrize("task", sorted(CLASSES))
@pytest.mark.parametrize("family", [LIGHTGBM, XGBOOST], ids=lambda family: str(family.name))
def test_boosting_goes_on(family: Family, task: Task) -> None:
    """It learns the new world from 400 rows, keeps its trees, and the old model says what it said."""
    model = champion(family, task)
    test, right = world(task, 500, 9, moved=True)
    said = model.predict(test)
    frame, truth = world(task, 400, 5, moved=True)
    found = continued(model, family, family.defaults(task), (frame, truth, stopping(400)), seed=2)
    metric = {Task.BINARY: "log_loss", Task.MULTICLASS: "log_loss", Task.REGRESSION: "rmse"}[task]

    assert isinstance(family, Updatable)
    assert found.rounds_added is not None
    assert trees(found.model.estimator) == 30 + found.rounds_added
    assert score(metric, right, found.model.predict(test)) < 0.7 * score(metric, right, said)
    assert np.array_equal(model.predict(test), said)
    assert trees(model.estimator) == 30


def trees(estimator: Any) -> int:
    """Rounds of boosting that an estimator holds."""
    if hasattr(estimator, "booster_"):
        return int(estimator.booster_.current_iteration())
    return int(estimator.get_booster().num_boosted_rounds())


@pytest.mark.parametrize("family", [LIGHTGBM, XGBOOST], ids=lambda family: str(family.name))
def test_equal_rows_and_seeds_give_equal_updates(family: Family) -> None:
    """Bit for bit; without stopping rows a few rounds are added."""
    model = champion(family, Task.BINARY)
    frame, truth = world(Task.BINARY, 300, 5, moved=True)
    rows = (frame, truth, np.zeros(300, dtype=np.bool_))
    first, second = (continued(model, family, family.defaults(Task.BINARY), rows, seed=2) for _ in range(2))

    assert first.rounds_added == 2
    assert np.array_equal(first.model.predict(frame), second.model.predict(frame))


def test_an_estimator_with_partial_fit_goes_on() -> None:
    """One of one's own that can learn in portions is given the new rows."""
    model = champion(SGD, Task.BINARY)
    frame, truth = world(Task.BINARY, 400, 5, moved=True)
    before = score("log_loss", truth, model.predict(frame))
    found = continued(model, SGD, {}, (frame, truth, stopping(400)), seed=2)

    assert found.rounds_added is None
    assert score("log_loss", truth, found.model.predict(frame)) < before
    assert score("log_loss", truth, model.predict(frame)) == before


def test_what_has_to_see_all_rows_is_refused() -> None:
    """The cure names the way that there is for every model."""
    model = champion(Linear(), Task.BINARY)
    frame, truth = world(Task.BINARY, 50, 5)
    with pytest.raises(ConfigError, match=r"has to see all rows at once.*got linear.*modelyard retrain"):
        continued(model, Linear(), {}, (frame, truth, stopping(50)), seed=2)


@pytest.mark.parametrize("kept", [(0.0,), (0.0, 1.0)])
def test_new_rows_must_hold_all_classes(kept: tuple[float, ...]) -> None:
    """A class that is not there any more would be forgotten without a word."""
    model = champion(LIGHTGBM, Task.MULTICLASS)
    frame, truth = world(Task.MULTICLASS, 300, 5)
    chosen = np.isin(truth, kept)
    rows = (frame.filter(chosen), truth[chosen], stopping(int(chosen.sum())))
    with pytest.raises(DataError, match="must hold the classes that the model knows"):
        continued(model, LIGHTGBM, {}, rows, seed=2)


def test_a_class_that_the_model_never_saw_is_refused() -> None:
    """Its name is told."""
    model = dataclasses.replace(champion(LIGHTGBM, Task.BINARY), classes=("no", "yes", "perhaps"))
    frame, truth = world(Task.BINARY, 300, 5)
    truth[:5] = 2
    with pytest.raises(DataError, match="got no, yes, perhaps"):
        continued(model, LIGHTGBM, {}, (frame, truth, stopping(300)), seed=2)
