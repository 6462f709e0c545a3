"""Blends: weights by greedy selection, scores by cross-fitting, calibration, and one model of several members."""

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.training.blending import Calibration
from modelyard.training.blending.trial import Trial, blended, calibrated
from modelyard.training.blending.weights import cross_fitted, greedy_weights
from modelyard.training.folds import FoldPlan, RowKeys, plan_folds
from modelyard.training.metrics import score
from modelyard.training.records import Candidate, CandidateRole, CandidateStatus

Array = npt.NDArray[np.float64]

ROWS = 3_000


def sigmoid(values: Array) -> Array:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-values)))


@dataclasses.dataclass(frozen=True)
class World:
    """A truth that two models know half of each, and a third that knows nothing."""

    truth: Array
    predictions: dict[str, Array]
    trial: Trial


@pytest.fixture
def world() -> World:
    """Two classes; models that see one of two independent signals."""
    generator = np.random.default_rng(3)
    one, other, noise = generator.normal(size=(3, ROWS))
    truth = (generator.random(ROWS) < sigmoid(1.5 * one + 1.5 * other)).astype(float)
    predictions = {"one": sigmoid(1.2 * one), "other": sigmoid(1.2 * other), "noise": sigmoid(noise)}
    keys = RowKeys("stratified", truth.astype(np.int64), np.empty(0, dtype=np.int64))
    plan = plan_folds(keys, 5, seed=0)
    return World(truth, predictions, Trial(truth, plan, "log_loss", predictions.__getitem__))


def candidate(name: str, predictions: Array, truth: Array) -> Candidate:
    """A complete candidate with that mean score."""
    return Candidate(
        name=name,
        family=name,
        role=CandidateRole.CANDIDATE,
        params={},
        status=CandidateStatus.DONE,
        fold_scores=(),
        mean=score("log_loss", truth, predictions),
        sd=0.0,
        fit_seconds=1.0,
        predict_ms=0.5,
        complexity=1,
        rows_per_s=1_000.0,
        size_mb=2.0,
    )


def test_weights_take_what_helps_and_leave_noise(world: World) -> None:
    """Two halves of the truth share the weight; a model of noise gets none."""
    weights = greedy_weights(world.predictions, world.truth, world.trial.parts, "log_loss")

    assert set(weights) == {"one", "other"}
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["one"] == pytest.approx(0.5, abs=0.1)


def test_a_perfect_member_is_left_alone(world: World) -> None:
    """Where one member is best by itself, nothing is mixed in."""
    perfect = {**world.predictions, "perfect": np.clip(world.truth, 1e-6, 1 - 1e-6)}

    assert greedy_weights(perfect, world.truth, world.trial.parts, "log_loss") == {"perfect": 1.0}


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "f1", "accuracy"])
def test_a_blend_is_better_than_its_members(world: World, metric: str) -> None:
    """Scored on rows that had no say in the weights."""
    blend = cross_fitted(world.predictions, world.truth, world.trial.parts, metric, forward=False)
    alone = score("log_loss", world.truth, world.predictions["one"])

    assert np.isfinite(blend).all()
    assert score("log_loss", world.truth, blend) < alone - 0.02
    assert score("roc_auc", world.truth, blend) > score("roc_auc", world.truth, world.predictions["one"]) + 0.05


def test_rows_of_a_fold_have_no_say_in_its_weights(world: World) -> None:
    """Other answers in a fold change the weights of all folds but its own."""
    held, parts = world.trial.parts[0], world.trial.parts
    before = cross_fitted(world.predictions, world.truth, parts, "log_loss", forward=False)
    changed = world.truth.copy()
    changed[held] = world.predictions["noise"][held] > 0.5
    after = cross_fitted(world.predictions, changed, parts, "log_loss", forward=False)

    np.testing.assert_array_equal(before[held], after[held])
    assert not np.array_equal(before[parts[1]], after[parts[1]])


def test_in_time_only_earlier_parts_teach(world: World) -> None:
    """The first part gets equal weights; what later parts hold changes nothing in earlier ones."""
    parts = world.trial.parts
    before = cross_fitted(world.predictions, world.truth, parts, "log_loss", forward=True)
    changed = world.truth.copy()
    changed[parts[-1]] = 1 - changed[parts[-1]]
    after = cross_fitted(world.predictions, changed, parts, "log_loss", forward=True)

    np.testing.assert_array_equal(before, after)
    np.testing.assert_allclose(before[parts[0]], np.mean(list(world.predictions.values()), axis=0)[parts[0]])


def test_a_blend_costs_what_its_members_cost(world: World) -> None:
    """Speed and size add up; the weights are named."""
    tried = [candidate(name, values, world.truth) for name, values in world.predictions.items()]
    made = blended(tried, world.trial)

    assert made is not None
    assert set(made[0].members) == {"one", "other"}
    assert (made[0].predict_ms, made[0].size_mb, made[0].complexity) == (1.0, 4.0, 4)
    assert made[0].rows_per_s == pytest.approx(500)


def test_the_best_of_each_family_is_weighed_however_many_are_better(world: World) -> None:
    """Thirteen that know one half of the truth, and one of another family that knows less of the other half: it has its weight."""
    generator = np.random.default_rng(4)
    alike = {f"boosted-{number}": world.predictions["one"] for number in range(13)}
    weaker = np.clip(world.predictions["other"] + generator.normal(0, 0.15, ROWS), 0.02, 0.98)
    predictions = {
        **alike,
        "network": weaker,
        "network-2": np.clip(weaker + generator.normal(0, 0.1, ROWS), 0.02, 0.98),
    }
    candidates = [
        dataclasses.replace(candidate(name, answers, world.truth), family=name.split("-")[0])
        for name, answers in predictions.items()
    ]
    made = blended(candidates, dataclasses.replace(world.trial, predictions=predictions.__getitem__))

    assert sorted(candidates, key=lambda item: item.mean or 0.0)[13].name == "network"
    assert made is not None
    assert 0.2 < made[0].members["network"] < 0.8
    assert "network-2" not in made[0].members


def test_one_candidate_is_no_blend(world: World) -> None:
    """Nor are two of which one has nothing to add."""
    alone = candidate("one", world.predictions["one"], world.truth)
    noise = candidate("noise", world.predictions["noise"], world.truth)

    assert blended([alone], world.trial) is None
    assert blended([alone, noise], world.trial) is None


def test_calibration_finds_the_curve_that_was_bent() -> None:
    """Log odds that were tripled and shifted are brought back."""
    generator = np.random.default_rng(0)
    odds = generator.normal(size=20_000)
    truth = (generator.random(len(odds)) < sigmoid(odds)).astype(float)
    found = Calibration.learn(truth, sigmoid(3 * odds + 1))

    assert found.slope == pytest.approx(1 / 3, abs=0.02)
    assert found.offset == pytest.approx(-1 / 3, abs=0.05)


def test_a_temperature_for_several_classes() -> None:
    """Probabilities that are too sure are softened; rows still sum to 1."""
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(20_000, 4))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (shares.cumsum(axis=1) < generator.random((len(shares), 1))).sum(axis=1).astype(float)
    sharp = shares**2.5 / (shares**2.5).sum(axis=1, keepdims=True)
    found = Calibration.learn(truth, sharp)

    assert found.slope == pytest.approx(1 / 2.5, abs=0.02)
    np.testing.assert_allclose(found.apply(sharp), shares, atol=0.02)
    np.testing.assert_allclose(found.apply(sharp).sum(axis=1), 1)


def test_shifts_mend_shares_that_a_temperature_cannot() -> None:
    """Probabilities learnt from even classes, by the slope 0.5 too flat: both come back, and the shares of the classes."""
    generator = np.random.default_rng(3)
    odds = np.column_stack([np.full(6_000, 2.0), generator.normal(size=(6_000, 2))])
    truth = (odds + generator.gumbel(size=odds.shape)).argmax(axis=1).astype(np.float64)
    shares = np.bincount(truth.astype(np.intp)) / len(truth)
    even = np.exp(0.5 * odds) / shares**0.5
    even /= even.sum(axis=1, keepdims=True)
    right = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    found = Calibration.learn(truth, even, shifts=True)

    assert found.slope == pytest.approx(2, rel=0.1)
    assert found.apply(even).mean(axis=0) == pytest.approx(shares, abs=1e-3)
    assert np.abs(found.apply(even) - right).max() < 0.03
    assert np.abs(Calibration.learn(truth, even).apply(even) - right).max() > 0.2


def test_calibration_is_cross_fitted_and_needs_rows(world: World) -> None:
    """It lowers the log loss of a model that is too sure; below 500 rows it is not tried."""
    sure = sigmoid(4 * np.log(world.predictions["one"] / (1 - world.predictions["one"])))
    trial = dataclasses.replace(world.trial, predictions={"sure": sure}.__getitem__)
    made = calibrated(candidate("sure", sure, world.truth), trial)
    few = dataclasses.replace(trial, plan=_first_rows(trial.plan, 90))

    assert made is not None
    assert made[0].name == "sure-calibrated"
    assert made[0].calibration is not None
    assert made[0].calibration.slope < 0.5
    assert score("log_loss", world.truth, made[1]) < score("log_loss", world.truth, sure) - 0.05
    assert score("roc_auc", world.truth, made[1]) == pytest.approx(score("roc_auc", world.truth, sure), abs=0.002)
    assert calibrated(candidate("sure", sure, world.truth), few) is None


def _first_rows(plan: FoldPlan, count: int) -> FoldPlan:
    """The plan with so many rows held out in each fold."""
    folds = tuple(dataclasses.replace(fold, held=fold.held[:count]) for fold in plan.folds)
    return dataclasses.replace(plan, folds=folds)
