"""What every family of models must do, whatever library stands behind it: the duties of ``modelyard.training.families``."""

import pickle
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from tests.contracts.families import FEATURES, QUICK, data_for, each_task, every_family, fitted, predicted, ready
from threadpoolctl import threadpool_info, threadpool_limits

from modelyard.features import EncodingStyle
from modelyard.features.exact.distances import squared_distances
from modelyard.packaging.compile import compile_estimator
from modelyard.packaging.predictors import load_predictor
from modelyard.problem import FAMILY_NAMES, Task
from modelyard.training.families.custom import CustomFamily
from modelyard.training.families.family import Family, FitData
from modelyard.training.families.nearest_neighbours import NearestNeighbours
from modelyard.training.families.networks import MultilayerPerceptron
from modelyard.training.families.registry import FAMILIES
from modelyard.training.families.svm import SupportVectors


def test_every_shipped_family_is_held_to_its_duties() -> None:
    """No family is forgotten here."""
    assert {family.name for family in QUICK} == set(FAMILIES) == set(FAMILY_NAMES)


@every_family
def test_it_keeps_the_protocol_and_is_picklable(family: Family) -> None:
    """It is a Family, and equal after a journey to another process."""
    assert isinstance(family, Family)
    assert pickle.loads(pickle.dumps(family)) == family  # noqa: S301
    assert family.style in EncodingStyle
    assert family.complexity in (1, 2, 3)


@each_task
def test_equal_seeds_give_equal_bits_and_the_signal_is_found(family: Family, task: Task) -> None:
    """Two fits and a pickled estimator predict alike, and far better than chance; nothing warns in prediction."""
    data = data_for(task)
    first, second = ready(family, task), fitted(family, data)
    expected = predicted(first, data.matrix, task)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = predicted(pickle.loads(pickle.dumps(second)), data.matrix, task)  # noqa: S301

    np.testing.assert_array_equal(expected, again)
    if task is Task.MULTICLASS:
        assert (expected.argmax(axis=1) == data.target).mean() > 0.7
    else:
        assert np.corrcoef(expected, data.target)[0, 1] > 0.8


@each_task
def test_one_row_answers_as_many_and_probabilities_sum_to_one(family: Family, task: Task) -> None:
    """Single rows equal the batch to 1e-12; classes have probabilities from 0 to 1 that sum to 1."""
    data = data_for(task)
    estimator = ready(family, task)
    batch = predicted(estimator, data.matrix, task)
    single = np.concatenate([predicted(estimator, data.matrix[at : at + 1], task) for at in range(20)])

    np.testing.assert_allclose(single, batch[:20], rtol=1e-12, atol=1e-12)
    if task.is_classification:
        whole = estimator.predict_proba(data.matrix)
        np.testing.assert_allclose(whole.sum(axis=1), 1.0, atol=1e-6)
        assert whole.min() >= 0


@every_family
def test_a_fit_uses_the_threads_it_is_given(family: Family) -> None:
    """Under a limit of one thread, one thread is what the pools report after the fit."""
    with threadpool_limits(1):
        fitted(family, data_for(Task.BINARY))
        pools = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    assert pools <= {1}


@every_family
def test_a_class_of_three_rows_is_learnt_without_harm(family: Family) -> None:
    """One very rare class: it has its column, and seldom the highest probability."""
    data = data_for(Task.MULTICLASS)
    target = np.where(np.arange(240) < 3, 2.0, np.minimum(data.target, 1.0))
    rare = FitData(Task.MULTICLASS, data.matrix, target, data.stop)
    shown = predicted(fitted(family, rare), data.matrix, Task.MULTICLASS)

    assert shown.shape == (240, 3)
    assert np.isfinite(shown).all()
    assert (shown.argmax(axis=1) == 2).sum() <= 6


@each_task
def test_ten_rows_are_enough(family: Family, task: Task) -> None:
    """A tiny table without stopping rows is fitted."""
    data = data_for(task, rows=10)
    target = np.arange(10.0) % 3 if task is Task.MULTICLASS else data.target
    tiny = FitData(task, data.matrix, target, np.zeros(10, dtype=bool))

    assert np.isfinite(predicted(fitted(family, tiny), data.matrix, task)).all()


@each_task
def test_its_native_form_answers_alike_even_far_outside(family: Family, task: Task) -> None:
    """Compiled, written and read again, every family answers as in training, one row or many, near or far."""
    data = data_for(task)
    estimator = ready(family, task)
    compiled = compile_estimator(estimator, task, family.name)
    predictor = load_predictor(compiled.kind, compiled.to_files())
    far = data.matrix[:30] * np.logspace(0, 8, 30)[:, np.newaxis]
    expected = predicted(estimator, far, task).reshape(len(far), -1)
    together = predictor.predict_matrix(far)
    single = np.array([predictor.predict_row(row) for row in far.tolist()])
    absurd = predictor.predict_row([1e300, -1e300, 1e300, 1.0])

    scale = np.maximum(1.0, np.abs(expected))
    assert (np.abs(together - expected) / scale).max() <= predictor.tolerance
    assert (np.abs(single - expected) / scale).max() <= predictor.tolerance
    assert predictor.features == FEATURES
    assert np.isfinite(absurd).all()


@pytest.mark.parametrize(
    ("path", "params"), [("sklearn.linear_model.ElasticNet", {"alpha": 0.1}), ("sklearn.tree.ExtraTreeRegressor", {})]
)
def test_estimators_of_ones_own_keep_the_duties(path: str, params: Mapping[str, Any]) -> None:
    """A class by its path is seeded, and has a native form if it descends from one that has."""
    family = CustomFamily("mine", path, params, EncodingStyle.LINEAR)
    data = data_for(Task.REGRESSION)
    first, second = (predicted(fitted(family, data), data.matrix, Task.REGRESSION) for _ in range(2))
    compiled = compile_estimator(fitted(family, data), Task.REGRESSION, family.name)

    assert isinstance(family, Family)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(compiled.predict_matrix(data.matrix)[:, 0], first, atol=1e-9)


def test_neighbours_that_are_equally_far_all_count() -> None:
    """Four corners are equally far from the middle: asked for one neighbour, all four answer."""
    corners = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    data = FitData(Task.REGRESSION, corners, np.array([0.0, 0.0, 4.0, 8.0]), np.zeros(4, dtype=bool))
    estimator = NearestNeighbours().fit(data, {"neighbours": 1}, seed=0).estimator

    assert estimator.predict(np.zeros((1, 2))).tolist() == [3.0]
    assert estimator.predict(corners).tolist() == [0.0, 0.0, 4.0, 8.0]


def test_neighbours_of_one_class_leave_a_chance_to_the_other() -> None:
    """Of 4 neighbours all in class 1, and half of all rows in it: (4 + 0.5) / 5, not certainty."""
    matrix = np.arange(8.0)[:, np.newaxis]
    data = FitData(Task.BINARY, matrix, np.repeat([0.0, 1.0], 4), np.zeros(8, dtype=bool))
    estimator = NearestNeighbours().fit(data, {"neighbours": 4}, seed=0).estimator

    np.testing.assert_allclose(estimator.predict_proba(np.array([[9.0]])), [[0.1, 0.9]])


def test_svm_is_scikit_learns_machine() -> None:
    """The sums of the exact machine order rows as scikit-learn's decision function does, up to Platt's straight line."""
    from sklearn.svm import SVC

    data = data_for(Task.BINARY)
    own = fitted(SupportVectors(), data)
    reference = SVC(C=1.0, gamma=0.1 / (FEATURES * data.matrix.var())).fit(data.matrix, data.target)
    decision = reference.decision_function(data.matrix)
    slope, offset = np.polyfit(decision, own.sums(data.matrix)[:, 0], 1)

    assert slope > 0
    np.testing.assert_allclose(own.sums(data.matrix)[:, 0], slope * decision + offset, atol=1e-8)


def test_distances_are_those_of_the_formula() -> None:
    """Squared differences, summed."""
    generator = np.random.default_rng(0)
    ours, theirs = generator.normal(size=(7, 5)), generator.normal(size=(11, 5))

    expected = ((ours[:, np.newaxis] - theirs) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(ours, theirs), expected, rtol=1e-12)


def test_network_epochs_are_found_on_the_stopping_rows() -> None:
    """The network stops before its last epoch on noise, and a fit with these epochs gives the same network."""
    generator = np.random.default_rng(0)
    noise = FitData(
        Task.REGRESSION, generator.normal(size=(120, 8)), generator.normal(size=120), np.arange(120) % 5 == 0
    )
    family = MultilayerPerceptron()
    found = family.fit(noise, family.defaults(noise.task), seed=1)
    again = family.fit(noise, family.defaults(noise.task), seed=1, rounds=found.rounds)

    assert found.rounds is not None
    assert 1 <= found.rounds < family.max_rounds
    np.testing.assert_array_equal(found.estimator.predict(noise.matrix), again.estimator.predict(noise.matrix))
