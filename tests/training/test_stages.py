"""Boosting watched on held-out rows: a stage answers as a model of so many rounds; the folds agree on one number."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.problem import Task
from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.boosting.stages import HeldRows, WatchedFamily, joint_rounds
from modelyard.training.families.boosting.xgboost import XGBoost
from modelyard.training.families.family import FitData
from modelyard.training.families.optional import CatBoost
from modelyard.training.model import predict_matrix

Array = npt.NDArray[np.float64]

BOOSTERS: Mapping[str, LightGBM | XGBoost | CatBoost] = {
    "lightgbm": LightGBM(max_rounds=45, patience=45),
    "xgboost": XGBoost(max_rounds=45, patience=45),
    "catboost": CatBoost(max_rounds=45, patience=45),
}
TASKS = {Task.BINARY: 2, Task.MULTICLASS: 3, Task.REGRESSION: 0}


def rows_for(task: Task) -> tuple[FitData, HeldRows]:
    """Rows to learn from and rows to watch, of one signal."""
    generator = np.random.default_rng(2)
    matrix: Array = generator.normal(size=(500, 4))
    value = matrix[:, 0] + np.abs(matrix[:, 1]) + generator.normal(0, 0.3, 500)
    edges = {Task.BINARY: [0.8], Task.MULTICLASS: [0.3, 1.3]}.get(task, [0.0])
    codes: Array = np.digitize(value, edges).astype(np.float64)
    target: Array = codes if task.is_classification else value.astype(np.float64)
    data = FitData(task, matrix[:350], target[:350], np.zeros(350, dtype=bool))
    return data, HeldRows(matrix[350:], target[350:], np.ones(150, dtype=bool))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.value)
@pytest.mark.parametrize("name", BOOSTERS)
def test_a_stage_answers_as_a_model_of_so_many_rounds(name: str, task: Task) -> None:
    """Fitted again with just these rounds, the answers are the same."""
    family, (data, held) = BOOSTERS[name], rows_for(task)
    params = family.defaults(task)
    watched = family.watch(data, params, held, seed=1)

    assert isinstance(family, WatchedFamily)
    assert watched.rounds == (10, 20, 30, 40, 45)
    for rounds, answers in zip(watched.rounds, watched.answers, strict=True):
        again = family.fit(data, params, seed=1, rounds=rounds)
        expected = predict_matrix(again.estimator, held.matrix, task, TASKS[task], tuple(range(TASKS[task])))
        np.testing.assert_allclose(answers, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", BOOSTERS)
def test_it_stops_when_held_rows_gain_nothing(name: str) -> None:
    """A target of pure chance is left soon."""
    data, held = rows_for(Task.BINARY)
    family = dataclasses.replace(BOOSTERS[name], max_rounds=400, patience=15)
    chance = np.random.default_rng(0).integers(0, 2, 500).astype(float)
    noise = FitData(Task.BINARY, data.matrix, chance[:350], data.stop)
    watched = family.watch(noise, family.defaults(Task.BINARY), HeldRows(held.matrix, chance[350:], held.known), seed=1)

    assert watched.rounds[-1] < 200


@pytest.mark.parametrize("name", BOOSTERS)
def test_rounds_after_the_best_one_are_kept(name: str) -> None:
    """What they cost is what another fold's longer training is weighed against."""
    data, held = rows_for(Task.REGRESSION)
    family = dataclasses.replace(BOOSTERS[name], max_rounds=800, patience=15)
    params = {**family.defaults(Task.REGRESSION), "learning_rate": 0.5}
    watched = family.watch(data, params, held, seed=1)
    losses = [float(np.square(held.target - answers).mean()) for answers in watched.answers]

    assert watched.rounds[-1] < 800
    assert losses[-1] > min(losses)


def test_folds_agree_on_the_rounds_that_are_best_on_average() -> None:
    """One fold alone would stop at 10, the other at 30; together they take 20."""
    truth = np.array([0.0, 0.0])
    one = np.array([[0.0, 0.0], [0.1, 0.1], [1.0, 1.0]])
    other = np.array([[1.0, 1.0], [0.2, 0.2], [0.1, 0.1]])
    rounds, kept = joint_rounds(Task.REGRESSION, [(10, 20, 30), (10, 20, 30)], [one, other], [truth, truth])

    assert rounds == 20
    np.testing.assert_array_equal(kept, [[0.1, 0.1], [0.2, 0.2]])


def test_a_fold_that_stopped_early_answers_with_its_last_rounds() -> None:
    """Where the others go on, it stays where it was."""
    truth = np.array([0.0])
    short, long = np.array([[0.5], [0.4]]), np.array([[0.9], [0.5], [0.1]])
    rounds, kept = joint_rounds(Task.REGRESSION, [(10, 15), (10, 20, 30)], [short, long], [truth, truth])

    assert rounds == 30
    assert [float(answer[0]) for answer in kept] == [0.4, 0.1]


def test_classes_are_judged_by_log_loss() -> None:
    """For two classes and for more."""
    truth = np.array([1.0, 0.0])
    two = np.array([[0.6, 0.4], [0.9, 0.1], [0.999, 0.9]])
    wide = np.stack([1 - two, two], axis=-1)

    assert joint_rounds(Task.BINARY, [(10, 20, 30)], [two], [truth])[0] == 20
    assert joint_rounds(Task.MULTICLASS, [(10, 20, 30)], [wide], [truth])[0] == 20
