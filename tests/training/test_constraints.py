"""Sample weights and monotone constraints, from the project file to the model that is packaged."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import ConfigError, DataError, MissingExtraError
from modelyard.data.schema import Column, ColumnKind
from modelyard.features import EncodingStyle
from modelyard.features.encoder import TableEncoder
from modelyard.problem import FeaturePlan, Task
from modelyard.store import Workspace
from modelyard.training.engine import train
from modelyard.training.executor import InProcessExecutor
from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.boosting.xgboost import XGBoost
from modelyard.training.families.constraints import check_monotone, directions, row_weights
from modelyard.training.families.linear import Linear
from modelyard.training.families.nearest_neighbours import NearestNeighbours
from modelyard.training.families.optional import CatBoost
from modelyard.training.folds import RowKeys, plan_folds
from modelyard.training.model import Learning
from modelyard.training.preparation import prepare
from modelyard.training.records import CandidateStatus
from modelyard.training.search import FoldMatrices
from modelyard.training.search.matrices import load_training
from modelyard.training.search.refit import fit_alone

PLAN: dict[str, Any] = {
    "folds": 3,
    "tuning_rounds": 2,
    "workers": 1,
    "unit_minutes": None,
    "learning_curve": False,
    "class_weights": False,
}
NUMBER = Column("tenure", ColumnKind.NUMERIC, "Float64", True)
WORD = Column("contract", ColumnKind.CATEGORY, "String", True)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.just(0.0) | st.floats(1e-6, 1e6), min_size=1, max_size=20).filter(any), st.floats(1e-3, 1e3))
def test_only_the_ratios_of_weights_matter(values: list[float], unit: float) -> None:
    """Weights have a mean of 1, whatever their unit."""
    plain = row_weights("w", pl.DataFrame({"w": values}))
    other = row_weights("w", pl.DataFrame({"w": [value * unit for value in values]}))

    assert plain is not None
    assert other is not None
    assert plain.mean() == pytest.approx(1.0)
    np.testing.assert_allclose(other, plain, rtol=1e-9)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, None, 2.0], r"1 of 3 rows have a weight that is missing.*got None"),
        ([1.0, -2.0, -3.0], r"2 of 3 rows .*got -2\.0"),
        ([1.0, float("inf"), 1.0], "got inf"),
        ([1.0, float("nan"), 1.0], "got nan"),
        ([0, 0, 0], "all weights are 0"),
        (["1", "2", "3"], "weights are no numbers.*got String"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(values: list[Any], message: str) -> None:
    """Nothing is guessed: the error counts the rows and shows the first."""
    with pytest.raises(DataError, match=message):
        row_weights("w", pl.DataFrame({"w": values}))
    assert row_weights(None, pl.DataFrame({"w": values})) is None


def test_a_heavy_half_is_what_is_learnt(workspace: Workspace, split_of: Any) -> None:
    """Two halves contradict each other; every candidate follows the one that counts, in the folds and in the refit.

    Neighbours take no weights, and are left out.
    """
    generator = np.random.default_rng(0)
    x, turned = generator.normal(size=600), np.arange(600) % 3 == 0
    frame = pl.DataFrame(
        {
            "x": x,
            "noise": generator.normal(size=600),
            "w": np.where(turned, 9.0, 0.5),
            "y": np.where((x > 0) ^ turned, "b", "a"),
        }
    )
    quick = (Linear(), NearestNeighbours(), LightGBM(max_rounds=30, fallback_rounds=30), CatBoost(max_rounds=30))
    families = {family.name: family for family in quick}
    split, problem = split_of(
        frame, "y", data={"weight": "w", "positive": "b"}, training=PLAN | {"families": list(families)}
    )
    run = train(split, problem, workspace, families=families, executor=InProcessExecutor())
    left = run.record.candidate("nearest_neighbours")
    rows = split.train.frame
    setup = prepare(split, problem)
    refitted = fit_alone(setup.learning, rows, setup.truth, run.record.candidate("linear"), Linear(), seed=1)
    low, high = refitted.predict(pl.DataFrame({"x": [-1.5, 1.5], "noise": [0.0, 0.0]}))

    assert [column.name for column in run.record.columns] == ["x", "noise"]
    assert (left.status, left.error) == (
        CandidateStatus.LEFT_OUT,
        "it takes no sample weights, and data.weight declares them",
    )
    for name in ("linear", "lightgbm", "catboost"):
        assert np.corrcoef(run.out_of_fold(name), rows["x"].to_numpy())[0, 1] < -0.6
    assert low > 0.8
    assert high < 0.2


@pytest.mark.parametrize(("direction", "sign"), [("increasing", 1), ("decreasing", -1)])
def test_directions_are_kept_from_the_table_to_the_packaged_model(
    workspace: Workspace, split_of: Any, table: pl.DataFrame, direction: str, sign: int
) -> None:
    """Risk falls with tenure; bound either way, no answer of the final model ever goes the other way."""
    quick = (Linear(), LightGBM(max_rounds=40), XGBoost(max_rounds=40))
    families = {family.name: family for family in quick}
    split, problem = split_of(
        table,
        "amount",
        features={"monotone": {"tenure": direction}},
        training=PLAN | {"families": list(families)},
    )
    run = train(split, problem, workspace, families=families, executor=InProcessExecutor())
    model = run.model("final")
    places = split.train.frame[:25]
    walk = places[np.repeat(np.arange(25), 60)].with_columns(pl.Series("tenure", np.tile(np.linspace(-5, 80, 60), 25)))
    steps = np.diff(model.predict(walk).reshape(25, 60), axis=1)

    assert model.family in ("lightgbm", "xgboost")
    assert (steps * sign).min() >= -1e-4
    assert run.record.candidate("linear").error == "it cannot keep what features.monotone declares"
    if sign < 0:
        assert steps.min() < -1


def test_directions_stand_at_their_features() -> None:
    """Numbers have one, also in bins; that a value is missing, and all other columns, have none."""
    frame = pl.DataFrame({"tenure": [*map(float, range(98)), None, None], "contract": ["a", "b"] * 50})
    encoder = TableEncoder((WORD, NUMBER), EncodingStyle.FOREST).fit(frame)
    names = [name for encoding in encoder.encodings_ for name in encoding.names()]
    signs = directions(encoder.encodings_, {"tenure": "decreasing"})

    assert signs is not None
    assert dict(zip(names, signs, strict=True)) == {
        "contract=a": 0,
        "contract=b": 0,
        "tenure": -1,
        "tenure (missing)": 0,
    }
    assert directions(encoder.encodings_, {}) is None


@pytest.mark.parametrize(
    ("plan", "task", "message"),
    [
        ({"monotone": {"tenure": "increasing"}}, Task.MULTICLASS, "several classes have no order"),
        ({"monotone": {"tenur": "increasing"}}, Task.BINARY, "no feature.*Did you mean 'tenure'"),
        ({"monotone": {"contract": "increasing"}}, Task.BINARY, "only numbers have a direction"),
        (
            {"monotone": {"tenure": "increasing"}, "interactions": [["tenure", "age"]]},
            Task.REGRESSION,
            "part of another feature",
        ),
    ],
)
def test_directions_that_no_model_could_keep_are_refused(plan: dict[str, Any], task: Task, message: str) -> None:
    """A constraint that is not kept is no constraint."""
    age = Column("age", ColumnKind.NUMERIC, "Float64", True)
    with pytest.raises(ConfigError, match=message):
        check_monotone(FeaturePlan.model_validate(plan), task, (NUMBER, WORD, age), None)


def test_weights_and_directions_reach_every_unit(tmp_path: Path) -> None:
    """A fold's training rows come with their weights, in parts too; rows that do not count decide no stop."""
    frame = pl.DataFrame({"tenure": np.arange(90.0), "w": np.arange(90) % 3.0})
    truth = (np.arange(90) % 2).astype(np.float64)
    keys = RowKeys("stratified", truth.astype(np.int64), np.empty(0, dtype=np.int64))
    folds = plan_folds(keys, 2, 0)
    plan = FeaturePlan.model_validate({"monotone": {"tenure": "decreasing"}})
    learning = Learning((NUMBER,), None, Task.BINARY, ("no", "yes"), plan=plan, weight="w")
    matrices = FoldMatrices(tmp_path, frame, learning)
    matrices.write_folds(folds, keys, truth, 0)
    matrices.require(EncodingStyle.TREE)
    some = np.array([4, 7, 11])
    matrices.write_part(0, "part", some, np.ones(3, dtype=bool))
    whole, _ = load_training(tmp_path, 0, EncodingStyle.TREE, Task.BINARY)
    part, _ = load_training(tmp_path, 0, EncodingStyle.TREE, Task.BINARY, "part")
    expected = frame["w"].to_numpy()[folds.folds[0].train]

    assert whole.weight is not None
    assert part.weight is not None
    assert whole.weight.tolist() == expected.tolist()
    assert part.weight.tolist() == expected[some].tolist()
    assert whole.monotone == part.monotone == (-1,)
    assert whole.stop.any()
    assert (whole.weight[whole.stop] > 0).all()


def test_a_family_without_its_library_is_refused_before_anything_is_fitted(
    workspace: Workspace, split_of: Any, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the extra; nothing is left behind."""
    split, problem = split_of(table, "churn", training=PLAN | {"families": ["linear", "catboost"]})
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "catboost" else real(name, *rest)
    )

    with pytest.raises(MissingExtraError, match=r"pip install 'modelyard\[catboost\]'"):
        train(split, problem, workspace, executor=InProcessExecutor())
    assert not workspace.folder("runs").exists()
