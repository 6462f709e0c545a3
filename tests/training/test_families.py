"""Every family fits every task, equally in every process, and says what it is."""

import warnings
from typing import Any

import numpy as np
import pytest

from modelyard.core import MissingExtraError
from modelyard.problem import FAMILY_NAMES, Task
from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.boosting.xgboost import XGBoost
from modelyard.training.families.family import Family, FitData
from modelyard.training.families.forests.random_forest import RandomForest
from modelyard.training.families.linear import Linear
from modelyard.training.families.optional import CatBoost, ExplainableBoosting, ebm, require_library
from modelyard.training.families.optional.ebm import AdditiveEstimator, tables_of
from modelyard.training.families.registry import FAMILIES
from modelyard.training.model import predict_matrix

QUICK: tuple[Family, ...] = (
    Linear(),
    RandomForest(trees=5),
    LightGBM(max_rounds=20, patience=5),
    XGBoost(max_rounds=20, patience=5),
    CatBoost(max_rounds=40, patience=5),
)
TASKS = (Task.BINARY, Task.MULTICLASS, Task.REGRESSION)


def data_for(task: Task, rows: int = 240) -> FitData:
    """Rows whose target follows the first feature."""
    generator = np.random.default_rng(1)
    matrix = generator.normal(size=(rows, 4))
    signal = matrix[:, 0] + generator.normal(0, 0.3, rows)
    target = {Task.BINARY: (signal > 0), Task.MULTICLASS: np.digitize(signal, [-0.5, 0.5]), Task.REGRESSION: signal}
    return FitData(task, matrix, np.asarray(target[task], dtype=np.float64), np.arange(rows) % 7 == 0)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", QUICK, ids=lambda family: family.name)
def test_equal_seeds_give_equal_predictions(family: Family, task: Task) -> None:
    """Fitting twice gives the same bits, and better ones than chance; nothing warns when one row is predicted."""
    data = data_for(task)
    first, second = (family.fit(data, family.defaults(task), seed=3_000_000_000) for _ in range(2))
    shown = [predict_matrix(item.estimator, data.matrix, task, 3, (0, 1, 2)) for item in (first, second)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = predict_matrix(first.estimator, data.matrix[:1], task, 3, (0, 1, 2))

    assert np.array_equal(shown[0], shown[1])
    assert np.allclose(one[0], shown[0][0])
    assert shown[0].shape == ((240, 3) if task is Task.MULTICLASS else (240,))
    if task is Task.MULTICLASS:
        assert (shown[0].argmax(axis=1) == data.target).mean() > 0.6
    else:
        assert np.corrcoef(shown[0], data.target)[0, 1] > 0.6


@pytest.mark.parametrize(
    "family",
    [LightGBM(max_rounds=200, patience=5), XGBoost(max_rounds=200, patience=5), CatBoost(max_rounds=200, patience=5)],
)
def test_boosting_stops_early_and_refits_on_all_rows(family: Family) -> None:
    """The rounds found are fewer than the most allowed, and a fit with these rounds gives the same estimator."""
    data = data_for(Task.BINARY)
    found = family.fit(data, family.defaults(Task.BINARY), seed=1)
    again = family.fit(data, family.defaults(Task.BINARY), seed=1, rounds=found.rounds)

    assert found.rounds is not None
    assert 1 <= found.rounds < 200
    assert np.array_equal(found.estimator.predict_proba(data.matrix), again.estimator.predict_proba(data.matrix))


@pytest.mark.parametrize(
    "family", [LightGBM(fallback_rounds=7), XGBoost(fallback_rounds=7), CatBoost(fallback_rounds=7)]
)
def test_without_stopping_rows_boosting_takes_fixed_rounds(family: Family) -> None:
    """No row may be held back, so the fallback counts."""
    data = data_for(Task.REGRESSION)
    fitted = family.fit(
        FitData(data.task, data.matrix, data.target, np.zeros(240, dtype=bool)),
        family.defaults(data.task),
        seed=1,
    )

    assert fitted.rounds == 7


@pytest.mark.parametrize(
    ("family", "task"),
    [(family, task) for family in FAMILIES.values() for task in family.promises.tasks],
    ids=lambda item: getattr(item, "name", item),
)
def test_portfolio_and_defaults_lie_in_the_space(family: Family, task: Task) -> None:
    """Every proven point names the whole space and lies inside it, so that tuning can learn from it."""
    space = family.space(task)
    points = [dict(point) for point in family.portfolio(task)]
    if space:
        points.append({name: family.defaults(task)[name] for name in space})
    for point in points:
        assert set(point) == set(space)
        for name, dimension in space.items():
            assert dimension.low <= point[name] <= dimension.high


def test_families_are_ordered_simple_first() -> None:
    """The registry follows the ladder from simple to complex."""
    assert tuple(FAMILIES) == FAMILY_NAMES
    assert [family.complexity for family in FAMILIES.values()] == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3]


@pytest.mark.parametrize("task", TASKS)
def test_explainable_boosting_keeps_interprets_answers(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables answer as interpret's own model does, with gaps, at the cuts, and far outside; terms add up."""
    seen: list[Any] = []

    def kept(model: Any, features: int) -> AdditiveEstimator:
        seen.append(model)
        return tables_of(model, features)

    monkeypatch.setattr(ebm, "tables_of", kept)
    data = data_for(task)
    data.matrix[::9, 1] = np.nan
    family = ExplainableBoosting(bags=2, max_rounds=100, pairs=3)
    tables = family.fit(data, family.defaults(task), seed=1).estimator
    (model,) = seen
    at_cuts = np.zeros((20, 4))
    at_cuts[:, 0] = model.bins_[0][0][:20]
    rows = np.vstack([data.matrix, data.matrix * 1e9, at_cuts])
    answer = "predict_proba" if task.is_classification else "predict"
    added = tables.contributions(rows).sum(axis=1) + tables.intercept

    np.testing.assert_allclose(getattr(tables, answer)(rows), getattr(model, answer)(rows), rtol=0, atol=1e-12)
    np.testing.assert_allclose(added, tables.sums(rows), atol=1e-9)


def test_a_family_whose_library_is_absent_is_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the family and the extra; others are not asked for anything."""
    require_library("catboost")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    require_library("linear")
    with pytest.raises(MissingExtraError, match=r"'catboost' needs .*pip install 'modelyard\[catboost\]'"):
        require_library("catboost")
