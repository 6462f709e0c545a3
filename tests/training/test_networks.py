"""How RealMLP learns: its gradients are those of differences, its steps Adam's, its course the paper's."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.features.exact.activations import Activation, activated
from modelyard.problem import Task
from modelyard.training.families.boosting.stages import HeldRows
from modelyard.training.families.family import FitData
from modelyard.training.families.networks import NetworkEstimator, RealMLP
from modelyard.training.families.networks.descent import Descent
from modelyard.training.families.networks.learning import Course, NetworkLearner

Array = npt.NDArray[np.float64]


def layered(learner: NetworkLearner, kind: Activation, matrix: Array) -> Array:
    """Sums of the last layer, from the layers that the learner shows."""
    (*hidden, last), (*offsets, end) = learner.layers()
    flow = matrix
    for weights, offset in zip(hidden, offsets, strict=True):
        flow = activated(kind, flow @ weights + offset)
    return np.asarray(flow @ last + end)


@pytest.mark.parametrize(("kind", "is_classes"), [(Activation.SELU, True), (Activation.MISH, False)])
def test_gradients_are_those_of_differences(
    kind: Activation, is_classes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each parameter moved a little to both sides: the loss of the layers that are shown changes as its gradient says."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(64, 5))
    goals = np.eye(3)[random.integers(0, 3, 64)] if is_classes else random.normal(size=(64, 1))
    weight = random.uniform(0.5, 1.5, 64)
    course = Course((6, 6), kind, 0.04, 10, 0.0, 0.0)
    single = matrix.astype(np.float32), goals.astype(np.float32), weight.astype(np.float32)
    found: list[Array] = []
    descents: list[Descent] = []

    def caught(descent: Descent, rate: float, decay: float) -> None:
        del rate, decay
        descents.append(descent)
        found.append(np.concatenate([part.ravel() for part in descent.gradients]).astype(np.float64))

    monkeypatch.setattr(Descent, "step", caught)
    monkeypatch.setattr("modelyard.training.families.networks.learning._LEAST_BATCHES", 1)
    learner = NetworkLearner(*single, course, is_classes=is_classes, seed=1)
    learner.epoch()
    for part in descents[0].values[-2:]:  # the last layer begins at 0, where the gradients of all before it vanish
        part[...] = random.normal(size=part.shape)
    learner.epoch()

    def loss() -> float:
        sums = layered(learner, kind, matrix)
        if not is_classes:
            return float((weight * ((sums - goals) ** 2).sum(axis=1)).mean())
        chances = np.exp(sums - sums.max(axis=1, keepdims=True))
        chances = chances / chances.sum(axis=1, keepdims=True)
        return float((weight * -np.log((chances * goals).sum(axis=1))).mean())

    slopes = []
    for part in descents[0].values:
        for place in itertools.islice(np.ndindex(part.shape), 4):
            kept = part[place]
            sides = []
            for step in (-1e-2, 1e-2):
                part[place] = kept + np.float32(step)
                sides.append(loss())
            part[place] = kept
            slopes.append((sides[1] - sides[0]) / 2e-2)
    places = np.cumsum([0, *(part.size for part in descents[0].values)])
    shown = [
        found[1][start + index] for start, end in itertools.pairwise(places) for index in range(min(4, end - start))
    ]

    np.testing.assert_allclose(shown, slopes, rtol=0.01, atol=2e-3)


def test_a_step_is_adams() -> None:
    """Two steps worked out by the paper's formulas, in double precision; what decays is drawn to 0 besides."""
    descent = Descent([(2,), (1, 1)])
    descent.values[0][...] = [1.0, -2.0]
    descent.values[1][...] = 4.0
    descent.rates[1][...] = 0.1
    descent.decaying[0][...] = 1.0
    expected, mean, square = np.array([1.0, -2.0, 4.0]), np.zeros(3), np.zeros(3)
    for step, slopes in enumerate(([0.5, -0.25, 2.0], [0.1, 0.3, -1.0]), 1):
        gradient = np.array(slopes)
        descent.gradients[0][...], descent.gradients[1][...] = gradient[:2], gradient[2]
        descent.step(0.05, decay=0.02)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.95 * square + 0.05 * gradient**2
        move = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.95**step)) + 1e-8)
        expected = expected * (1 - 0.05 * 0.02 * np.array([1, 1, 0])) - 0.05 * np.array([1, 1, 0.1]) * move

    np.testing.assert_allclose([*descent.values[0], descent.values[1][0, 0]], expected, rtol=1e-5)


def test_the_rate_rises_and_falls_four_times_and_dropout_fades() -> None:
    """Rates of 0 at a fifteenth, a fifth, seven fifteenths and the end; dropout whole for half of the course."""
    from modelyard.training.families.networks.learning import _fading, _wave

    ends = [(2**wave - 1) / 15 for wave in range(5)]
    tops = [(2 ** (wave + 0.5) - 1) / 15 for wave in range(4)]

    assert [_wave(done) for done in ends] == pytest.approx([0.0] * 5, abs=1e-9)
    assert [_wave(done) for done in tops] == pytest.approx([1.0] * 4)
    assert [_fading(done) for done in (0.0, 0.5, 0.75, 1.0)] == pytest.approx([1.0, 1.0, 0.5, 0.0])


def made(task: Task, rows: int = 500) -> FitData:
    """A curve that no straight line follows."""
    random = np.random.default_rng(5)
    matrix = random.normal(size=(rows, 3))
    signal = np.sin(2 * matrix[:, 0]) + matrix[:, 1] ** 2
    target = (signal > 0.8).astype(np.float64) if task is Task.BINARY else 100 + 20 * signal
    return FitData(task, matrix, target, np.zeros(rows, dtype=bool))


@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_what_is_said_after_an_epoch_is_what_a_fit_of_so_many_says(task: Task) -> None:
    """So the folds may agree on a number of epochs, and the winner is fitted for as many."""
    data, family = made(task), RealMLP()
    params = {**family.defaults(task), "epochs": 6}
    held = HeldRows(data.matrix[:50], data.target[:50], np.ones(50, dtype=bool))
    watched = family.watch(data, params, held, seed=3)
    fitted = family.fit(data, params, seed=3, rounds=4).estimator
    assert isinstance(fitted, NetworkEstimator)
    said = fitted.predict(held.matrix) if task is Task.REGRESSION else fitted.predict_proba(held.matrix)[:, 1]

    assert watched.rounds == (1, 2, 3, 4, 5, 6)
    np.testing.assert_array_equal(watched.answers[3], said)


def test_curves_are_learnt_and_wild_values_carry_nothing_away() -> None:
    """It explains most of a curve; a feature a million times as large answers like one of thrice the usual size."""
    data, family = made(Task.REGRESSION, 2_000), RealMLP()
    estimator = family.fit(data, family.defaults(data.task), seed=0).estimator
    left = float(np.mean((estimator.predict(data.matrix) - data.target) ** 2)) / float(np.var(data.target))
    wild = estimator.predict(np.array([[1e6, 0.0, 0.0], [1e9, 0.0, 0.0]]))

    assert left < 0.1
    assert math.isclose(wild[0], wild[1], rel_tol=1e-6)
    assert data.target.min() - 100 < wild[0] < data.target.max() + 100
