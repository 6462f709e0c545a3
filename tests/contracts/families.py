"""What the suites of families share: each family quick to fit, and rows with a known signal."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.problem import Task
from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.boosting.xgboost import XGBoost
from modelyard.training.families.elastic_net import ElasticNet
from modelyard.training.families.family import Family, FitData
from modelyard.training.families.forests.decision_tree import DecisionTree
from modelyard.training.families.forests.extra_trees import ExtraTrees
from modelyard.training.families.forests.random_forest import RandomForest
from modelyard.training.families.forests.shallow_tree import ShallowTree
from modelyard.training.families.incremental import NaiveBayes, StochasticGradient
from modelyard.training.families.linear import Linear
from modelyard.training.families.nearest_neighbours import NearestNeighbours
from modelyard.training.families.networks import MultilayerPerceptron, RealMLP
from modelyard.training.families.optional import CatBoost, ExplainableBoosting
from modelyard.training.families.svm import SupportVectors
from modelyard.training.model import predict_matrix

Matrix = npt.NDArray[np.float64]

QUICK: tuple[Family, ...] = (
    Linear(),
    ElasticNet(),
    NaiveBayes(),
    StochasticGradient(),
    ShallowTree(),
    DecisionTree(),
    RandomForest(trees=5),
    ExtraTrees(trees=5),
    NearestNeighbours(),
    SupportVectors(),
    SupportVectors(exact_rows=50, landmarks=40),
    ExplainableBoosting(bags=2, max_rounds=100, pairs=2),
    LightGBM(max_rounds=20, patience=5),
    XGBoost(max_rounds=20, patience=5),
    CatBoost(max_rounds=40, patience=5),
    MultilayerPerceptron(max_rounds=40, fallback_rounds=40),
    RealMLP(),
)
NAMES = [f"{family.name}{'-approximate' if '=50' in repr(family) else ''}" for family in QUICK]
TASKS = (Task.BINARY, Task.MULTICLASS, Task.REGRESSION)
FEATURES = 4

every_family = pytest.mark.parametrize("family", QUICK, ids=NAMES)
each_task = pytest.mark.parametrize(
    ("family", "task"),
    [
        pytest.param(family, task, id=f"{name}-{task.value}")
        for family, name in zip(QUICK, NAMES, strict=True)
        for task in family.promises.tasks
    ],
)


def data_for(task: Task, rows: int = 240) -> FitData:
    """Rows whose target follows the first feature; the last one is constant."""
    generator = np.random.default_rng(1)
    matrix = generator.normal(size=(rows, FEATURES))
    matrix[:, -1] = 1.0
    signal = matrix[:, 0] + generator.normal(0, 0.3, rows)
    target = {Task.BINARY: signal > 0, Task.MULTICLASS: np.digitize(signal, [-0.5, 0.5]), Task.REGRESSION: signal * 50}
    return FitData(task, matrix, np.asarray(target[task], dtype=np.float64), np.arange(rows) % 7 == 0)


def fitted(family: Family, data: FitData, seed: int = 3_000_000_000) -> Any:
    """The estimator of the defaults."""
    return family.fit(data, family.defaults(data.task), seed=seed).estimator


def ready(family: Family, task: Task) -> Any:
    """The estimator of the defaults on :func:`data_for`, fitted once."""
    return _fitted_once(QUICK.index(family), task)


@functools.cache
def _fitted_once(place: int, task: Task) -> Any:
    return fitted(QUICK[place], data_for(task))


def predicted(estimator: Any, matrix: Matrix, task: Task, classes: int = 3) -> Matrix:
    """Predictions as the engine takes them."""
    return predict_matrix(estimator, matrix, task, classes, tuple(range(classes)))
