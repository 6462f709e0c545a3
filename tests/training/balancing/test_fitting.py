"""A fit on even classes answers for the uneven ones."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.packaging.compile import compile_estimator
from modelyard.packaging.predictors import BlendPredictor, load_predictor
from modelyard.problem import Task
from modelyard.training.balancing.fitting import even_weights, fit_balanced
from modelyard.training.balancing.resampling import Resampling
from modelyard.training.blending import BlendEstimator, Calibration, Member
from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.family import Family, FitData
from modelyard.training.families.linear import Linear
from modelyard.training.families.nearest_neighbours import NearestNeighbours

WAYS = [Resampling.WEIGHTS, Resampling.SMOTE, Resampling.UNDER]


def logistic(rows: int, seed: int, *, weight: bool = False) -> tuple[FitData, npt.NDArray[np.float64]]:
    """Rows of a logistic law, about one in twelve positive, a seventh of them for stopping; and the true probabilities."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 2))
    chance = 1 / (1 + np.exp(3.6 - 1.5 * x[:, 0] - x[:, 1]))
    target = (generator.random(rows) < chance).astype(np.float64)
    stop = np.arange(rows) % 7 == 0
    given = generator.uniform(0.5, 2, rows) if weight else None
    return FitData(Task.BINARY, x, target, stop, given), chance


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("family", [Linear(), LightGBM(max_rounds=100, patience=20)], ids=lambda family: family.name)
def test_probabilities_are_those_of_the_true_share(family: Family, how: Resampling) -> None:
    """Without the correction they say about four in ten on average; with it about one in twelve, and near the truth."""
    data, _ = logistic(6_000, 0)
    fresh, chance = logistic(4_000, 1)
    params = dict(family.defaults(Task.BINARY))
    fitted = fit_balanced(family, data, params, how, seed=0)
    raw = fitted.estimator.members[0].estimator.predict_proba(fresh.matrix)[:, 1]
    said = fitted.estimator.predict_proba(fresh.matrix)[:, 1]

    assert raw.mean() > 3 * chance.mean()
    # Boosting that stops early stays cautious, which the calibration of a winner mends.
    assert said.mean() == pytest.approx(chance.mean(), rel=0.1 if family.name == "linear" else 0.3)
    assert np.abs(said - chance).mean() < 0.035
    assert np.array_equal(np.argsort(raw, kind="stable"), np.argsort(said, kind="stable"))


def multinomial(rows: int, seed: int) -> tuple[FitData, npt.NDArray[np.float64]]:
    """Rows of four classes by a multinomial law, the rarest one in thirty, a seventh of them for stopping; and its truth."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 2))
    odds = np.column_stack([np.full(rows, 2.0), 0.8 * x[:, 0], x[:, 1] - 0.5, -1.3 + x[:, 0] - x[:, 1]])
    target = (odds + generator.gumbel(size=odds.shape)).argmax(axis=1).astype(np.float64)
    chance = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    return FitData(Task.MULTICLASS, x, target, np.arange(rows) % 7 == 0), chance


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("family", [Linear(), LightGBM(max_rounds=60, patience=20)], ids=lambda family: family.name)
def test_probabilities_of_several_classes_are_those_of_their_shares(family: Family, how: Resampling) -> None:
    """Without the correction the rarest of four is said three times too often; with it near its share, and the truth."""
    data, _ = multinomial(6_000, 0)
    fresh, chance = multinomial(3_000, 1)
    fitted = fit_balanced(family, data, dict(family.defaults(Task.MULTICLASS)), how, seed=0)
    raw = fitted.estimator.members[0].estimator.predict_proba(fresh.matrix)
    said = fitted.estimator.predict_proba(fresh.matrix)
    shares = np.bincount(data.target.astype(np.intp)) / len(data.target)

    assert fitted.estimator.calibration.offsets == pytest.approx(np.log(shares))
    assert raw.mean(axis=0)[3] > 3 * chance.mean(axis=0)[3]
    assert said.mean(axis=0) == pytest.approx(chance.mean(axis=0), abs=0.015 if family.name == "linear" else 0.05)
    assert np.abs(said - chance).mean() < 0.04
    assert np.allclose(said.sum(axis=1), 1)


def test_the_factor_is_that_of_the_odds() -> None:
    """With weights of one's own it is their share that counts, as a model without resampling would learn it."""
    data, _ = logistic(500, 2, weight=True)
    assert data.weight is not None
    fitted = fit_balanced(Linear(), data, {"C": 1.0}, Resampling.WEIGHTS, seed=0)
    positive = data.weight[data.target == 1].sum() / data.weight.sum()

    assert fitted.estimator.calibration.slope == 1.0
    assert fitted.estimator.calibration.offset == pytest.approx(math.log(positive / (1 - positive)))


def test_even_weights_make_both_classes_count_alike() -> None:
    """Both halves of the total, in proportion within a class; one class alone stays as it is."""
    target = np.array([1.0, 0.0, 0.0, 0.0])
    found = even_weights(target, np.array([1.0, 1.0, 2.0, 3.0]))

    assert found.sum() == pytest.approx(4)
    assert found[0] == pytest.approx(2)
    assert found[1:].tolist() == pytest.approx([2 / 6, 4 / 6, 1.0])
    assert even_weights(np.zeros(3)).tolist() == [1.0, 1.0, 1.0]
    assert even_weights(np.array([0.0, 0.0, 1.0, 2.0, 2.0, 4.0])).tolist() == [0.75, 0.75, 1.5, 0.75, 0.75, 1.5]


def test_equal_seeds_give_equal_models_and_neighbours_need_no_weights() -> None:
    """A family that takes no weights is resampled whole, its stopping rows too."""
    data, _ = logistic(400, 3)
    answers = [
        fit_balanced(NearestNeighbours(), data, {"neighbours": 5}, Resampling.UNDER, seed=4).estimator for _ in range(2)
    ]
    first, second = (item.predict_proba(data.matrix)[:, 1] for item in answers)

    assert np.array_equal(first, second)
    assert len(answers[0].members[0].estimator.known) == 2 * int(data.target.sum())


def test_a_blend_of_corrected_models_is_packaged() -> None:
    """A blend within a blend: compiled, written and read, it answers as in training, and names all that it needs."""
    data, _ = logistic(800, 5)
    boosted = LightGBM(max_rounds=20, patience=5)
    fits = [
        fit_balanced(family, data, dict(family.defaults(Task.BINARY)), Resampling.WEIGHTS, seed=0).estimator
        for family in (Linear(), boosted)
    ]
    members = [Member(name, item, 0, 2, 0.5) for name, item in zip(("linear", "lightgbm"), fits, strict=True)]
    blend = BlendEstimator(members, Calibration(1.2, -0.1))
    predictor = compile_estimator(blend, Task.BINARY, "blend")
    reread = load_predictor(predictor.kind, predictor.to_files())

    assert isinstance(reread, BlendPredictor)
    assert reread.kinds == ("linear", "lightgbm")
    assert np.allclose(reread.predict_matrix(data.matrix)[:, 0], blend.predict_proba(data.matrix)[:, 1], atol=1e-12)
