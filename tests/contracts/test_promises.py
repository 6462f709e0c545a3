"""Every family keeps what it promises, and those that promise nothing are left out where it is needed."""

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contracts.families import NAMES, QUICK, data_for, each_task, every_family, fitted, predicted

from modelyard.packaging.compile import compile_estimator
from modelyard.problem import Task
from modelyard.training.families.family import Family, FitData, Updatable
from modelyard.training.families.fitness import Needs, unfit_reason
from modelyard.training.families.registry import FAMILIES

ROWS = 400
GUIDE = Path(__file__).parents[2] / "docs" / "04-training.md"
BUSY = 4
"""A machine that does other things too may take this many times longer."""


def followed(estimator: Any, data: FitData) -> float:
    """Correlation of predictions (of several classes, of their mean code) with the first feature."""
    shown = predicted(estimator, data.matrix, data.task)
    level = shown @ np.arange(3.0) if shown.ndim == 2 else shown
    return float(np.corrcoef(level, data.matrix[:, 0])[0, 1])


@each_task
def test_rows_count_by_their_weight(family: Family, task: Task) -> None:
    """Two halves contradict each other; the model follows the one that counts, and the other is as if not there."""
    data = data_for(task, rows=ROWS)
    turned = np.arange(ROWS) % 2 == 1
    highest = data.target.max() if task.is_classification else 0.0
    target = np.where(turned, highest - data.target, data.target)
    if not family.promises.sample_weights:
        assert "no sample weights" in unfit_reason(family, Needs(task, ROWS, weighted=True))
        return
    for weight, sign in ((np.where(turned, 0.0, 1.0), 1), (np.where(turned, 1.0, 0.0), -1)):
        mixed = dataclasses.replace(data, target=target, weight=weight)

        assert sign * followed(fitted(family, mixed), data) > 0.6


@pytest.mark.parametrize("name", ["linear", "naive_bayes", "decision_tree"])
def test_a_weight_of_two_is_a_row_twice(name: str) -> None:
    """Where nothing is drawn, whole weights equal repeated rows, and a weight of 0 a row that is not there."""
    family, data = FAMILIES[name], data_for(Task.BINARY)
    weight = np.array(np.arange(240) % 3, dtype=np.float64)
    configurations: Mapping[str, Mapping[str, Any]] = {
        "linear": {"C": 1.0},
        "naive_bayes": {"var_smoothing": 1e-9},  # its unit is the plain variance
        "decision_tree": {"max_leaf_nodes": 8, "min_samples_leaf": 1},
    }
    params = configurations[name]
    if name == "decision_tree":
        weight = np.maximum(weight, 1.0)  # leaves are kept from being small by rows, not by weights
    places = np.repeat(np.arange(240), weight.astype(int))
    nothing = np.zeros(len(places), dtype=bool)
    weighted = family.fit(dataclasses.replace(data, weight=weight), params, seed=1).estimator
    repeated = family.fit(FitData(data.task, data.matrix[places], data.target[places], nothing), params, seed=1)

    expected = repeated.estimator.predict_proba(data.matrix)
    np.testing.assert_allclose(weighted.predict_proba(data.matrix), expected, atol=1e-4)


@pytest.mark.parametrize("direction", [1, -1])
@each_task
def test_monotone_constraints_are_kept(family: Family, task: Task, direction: int) -> None:
    """A truth that rises and falls: along the feature, from many places, predictions go one way; unbound they do not."""
    if task is Task.MULTICLASS:
        return  # several classes have no order
    if not family.promises.monotone:
        assert "features.monotone" in unfit_reason(family, Needs(task, ROWS, monotone=True))
        return
    generator = np.random.default_rng(3)
    matrix = generator.uniform(-2, 2, size=(600, 4))
    truth = np.sin(3 * matrix[:, 0]) + direction * matrix[:, 0] / 2 + matrix[:, 1] * matrix[:, 0] / 2
    target = (truth + generator.normal(0, 0.2, 600) > 0).astype(np.float64) if task is Task.BINARY else truth * 10
    free = FitData(task, matrix, target, np.arange(600) % 7 == 0)
    bound = dataclasses.replace(free, monotone=(direction, 0, 0, 0))

    kept, unkept = (_steps(fitted(family, data), task) * direction for data in (bound, free))
    assert kept.min() >= -1e-6
    assert kept.max() > 0.01
    assert unkept.min() < -0.01


def _steps(estimator: Any, task: Task) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Differences of predictions along the first feature, from 60 places, beyond the rows too."""
    places = np.random.default_rng(4).uniform(-2.5, 2.5, size=(60, 4))
    walk = np.repeat(places, 80, axis=0)
    walk[:, 0] = np.tile(np.linspace(-2.5, 2.5, 80), 60)
    return np.diff(predicted(estimator, walk, task).reshape(60, 80), axis=1)


@every_family
def test_incremental_families_go_on_learning(family: Family) -> None:
    """Shown the contrary many times over, it changes its mind; what it was updated from stays as it was, and its native form
    answers alike.
    """
    assert isinstance(family, Updatable) == family.promises.incremental
    if not isinstance(family, Updatable):
        return
    for task in family.promises.tasks:
        data = data_for(task)
        highest = data.target.max() if task.is_classification else 0.0
        contrary = dataclasses.replace(data, target=highest - data.target)
        params = family.defaults(task)
        first = fitted(family, data)
        before = predicted(first, data.matrix, task)
        later = first
        for seed in range(30):
            later = family.update(later, contrary, params, seed=seed).estimator

        after = predicted(later, data.matrix, task).reshape(240, -1)
        compiled = compile_estimator(later, task, family.name)

        np.testing.assert_array_equal(predicted(first, data.matrix, task), before)
        np.testing.assert_allclose(compiled.predict_matrix(data.matrix), after, rtol=0, atol=1e-4)
        assert followed(first, data) > 0.6
        assert followed(later, data) < -0.6


def test_naive_bayes_learns_in_parts_what_it_learns_at_once() -> None:
    """Half and half is the whole."""
    family, data = FAMILIES["naive_bayes"], data_for(Task.MULTICLASS)
    assert isinstance(family, Updatable)
    half = np.arange(240) < 120
    params = {"var_smoothing": 1e-12}  # its unit is the largest variance of the first part
    whole = family.fit(data, params, seed=0).estimator
    parts = family.update(
        family.fit(data.rows(half), params, seed=0).estimator, data.rows(~half), params, seed=0
    ).estimator

    np.testing.assert_allclose(parts.theta_, whole.theta_, rtol=1e-9)
    free = slice(0, 3)  # the last feature is constant
    np.testing.assert_allclose(parts.var_[:, free], whole.var_[:, free], rtol=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_one_row_takes_as_long_as_the_latency_class_says(name: str) -> None:
    """The packaged form of the family's defaults, fitted on 300 rows of 20 features, answers within its class."""
    family, data = FAMILIES[name], data_for(Task.BINARY, rows=300)
    matrix = np.random.default_rng(0).normal(size=(300, 20))
    matrix[:, 0] = data.matrix[:, 0]
    estimator = fitted(family, dataclasses.replace(data, matrix=matrix))
    predictor = compile_estimator(estimator, Task.BINARY, name)
    rows = matrix[:50].tolist()

    assert min(_round_ms(predictor, rows) for _ in range(5)) < family.promises.latency.most_ms * BUSY


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.promises.boosted])
def test_one_row_of_many_trees_takes_as_long_as_is_said(name: str) -> None:
    """A thousand rounds of three classes: three thousand trees."""
    family, data = FAMILIES[name], data_for(Task.MULTICLASS, rows=300)
    params = family.defaults(Task.MULTICLASS)
    estimator = family.fit(data, params, seed=0, rounds=1_000).estimator
    predictor = compile_estimator(estimator, Task.MULTICLASS, name)
    took = min(_round_ms(predictor, data.matrix[:50].tolist()) for _ in range(5))

    assert took < family.promises.most_ms(trees=3_000) * BUSY


@each_task
def test_another_seed_makes_another_model_where_that_is_promised(family: Family, task: Task) -> None:
    """Means of several fits are made of these alone: their answers move with the seed, and a mean of four moves less."""
    if not family.promises.varies:
        return
    data = data_for(task)
    answers = np.stack([predicted(fitted(family, data, seed), data.matrix, task) for seed in range(8)])
    alone, means = answers.std(axis=0, ddof=1).mean(), np.stack([answers[:4].mean(axis=0), answers[4:].mean(axis=0)])

    assert alone > 0
    assert means.std(axis=0, ddof=1).mean() < alone


def _round_ms(predictor: Any, rows: list[list[float]]) -> float:
    start = time.perf_counter()
    for row in rows:
        predictor.predict_row(row)
    return (time.perf_counter() - start) / len(rows) * 1e3


def test_the_guide_tells_the_promises() -> None:
    """Every family has its line in the guide's table of promises, and the line is true."""
    lines = [line.strip("| \n").split(" | ") for line in GUIDE.read_text(encoding="utf-8").splitlines()]
    told = {
        line[0].strip("`"): line[1:] for line in lines if len(line) == 7 and line[1] in ("fast", "moderate", "slow")
    }

    assert told == {name: _line(family) for name, family in FAMILIES.items()}


def _line(family: Family) -> list[str]:
    kept = family.promises
    flags = (kept.sample_weights, kept.monotone, kept.incremental, kept.varies)
    tasks = "all" if len(kept.tasks) == 3 else "classes"
    return [kept.latency.value, tasks, *("yes" if flag else "no" for flag in flags)]


def test_all_promises_are_tried_here() -> None:
    """Each promise is made by some family and withheld by another, so that both ways are tested."""
    for name in ("sample_weights", "monotone", "incremental", "varies", "boosted"):
        assert {getattr(family.promises, name) for family in QUICK} == {True, False}
    assert len(NAMES) == len(QUICK)
