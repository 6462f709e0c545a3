"""The promise by simulation: of 90 or 95 % of new cases, whatever the model, for rows, classes and groups.

Each repetition calibrates anew and judges new cases, so that the chance in the rows of calibration is part of it.
"""

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.conformal import calibrate_intervals, calibrate_sets, fit_scale

Array = npt.NDArray[np.float64]
REPETITIONS = 600


def _values(generator: np.random.Generator, rows: int) -> tuple[Array, Array]:
    """A poor model of a skewed target whose errors grow with it."""
    x = generator.uniform(0, 3, rows)
    return np.exp(x) + generator.exponential(np.exp(x)), 1 + 4 * x


@pytest.mark.parametrize("coverage", [0.9, 0.95])
@pytest.mark.parametrize("scaled", [False, True])
def test_intervals_hold_the_truth_as_often_as_they_say(coverage: float, scaled: bool) -> None:
    """A wrong model, skewed and uneven errors: the mean coverage of 600 calibrations is right within 1 point."""
    covered = []
    for repetition in range(REPETITIONS):
        generator = np.random.default_rng(repetition)
        truth, predictions = _values(generator, 300)
        scale = fit_scale(predictions[:100], np.abs(truth - predictions)[:100]) if scaled else None
        rule = calibrate_intervals(truth[100:], predictions[100:], coverage, scale=scale)
        new, predicted = _values(generator, 100)
        low, high = rule.ends(predicted) if rule else (new, new - 1)
        covered.append(((low <= new) & (new <= high)).mean())

    assert coverage - 0.005 <= np.mean(covered) <= coverage + 0.012


@pytest.mark.parametrize("coverage", [0.9, 0.95])
def test_sets_hold_the_truth_of_every_class(coverage: float) -> None:
    """Scores that are no probabilities at all: both classes are covered as often as was said, the rare one too."""
    covered: dict[int, list[float]] = {0: [], 1: []}
    for repetition in range(REPETITIONS):
        generator = np.random.default_rng(repetition)
        truth = (generator.random(800) < 0.15).astype(float)
        scores = 1 / (1 + np.exp(-generator.normal(truth * 1.2 + 1, 1)))
        members = calibrate_sets(truth[:600], scores[:600], 2, coverage).members(scores[600:])
        hit = members[np.arange(200), truth[600:].astype(int)]
        for code, hits in covered.items():
            hits.append(float(hit[truth[600:] == code].mean()))

    assert coverage - 0.007 <= np.mean(covered[0]) <= coverage + 0.012
    assert coverage - 0.007 <= np.mean(covered[1]) <= coverage + 0.02


def test_new_groups_are_covered_only_if_groups_count() -> None:
    """30 groups of 20 rows whose errors share a part: the promise for a new group is kept; by rows it is not."""
    by_group: list[float] = []
    by_row: list[float] = []
    names = np.repeat(np.arange(30), 20)
    for repetition in range(REPETITIONS):
        generator = np.random.default_rng(repetition)
        truth = generator.normal(0, 1, 30)[names] + generator.normal(0, 0.3, 600)
        new = generator.normal(0, 1, 20) + generator.normal(0, 0.3, 20)
        for found, groups in ((by_group, names), (by_row, None)):
            rule = calibrate_intervals(truth, np.zeros(600), 0.9, groups=groups)
            found.append(float(np.mean(np.abs(new) <= (rule.margin if rule else 0))))

    assert 0.89 <= np.mean(by_group) <= 0.94
    assert np.mean(by_row) < np.mean(by_group) - 0.015


def test_mapie_says_the_same() -> None:
    """An independent implementation gives the same intervals for the same model and rows."""
    pytest.importorskip("mapie")
    from mapie.regression import SplitConformalRegressor
    from sklearn.linear_model import LinearRegression

    truth, x = _values(np.random.default_rng(0), 500)
    features = x[:, np.newaxis]
    model = LinearRegression().fit(features[:200], truth[:200])
    witness = SplitConformalRegressor(model, confidence_level=0.9, prefit=True)
    witness.conformalize(features[200:400], truth[200:400])
    _, ends = witness.predict_interval(features[400:])
    rule = calibrate_intervals(truth[200:400], model.predict(features[200:400]), 0.9)

    assert rule is not None
    low, high = rule.ends(model.predict(features[400:]))
    np.testing.assert_allclose(np.column_stack([low, high]), ends[:, :, 0], rtol=1e-12)
