"""Outcomes by score: what was before, and whether only the share of the outcome moved."""

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.evaluation.curves import curves_of
from modelyard.monitoring.causes import ScoreReference
from modelyard.monitoring.causes.light_models import chance
from modelyard.monitoring.causes.outcomes import mixture_fit, prior_test
from modelyard.problem import Task

Floats = npt.NDArray[np.float64]


def _rows(share: float, rows: int, seed: int, move: float = 0.0) -> tuple[Floats, Floats]:
    """Outcomes with the given share, and scores that are two standard deviations apart; calibrated at a share of 0.3."""
    generator = np.random.default_rng(seed)
    truth = (generator.random(rows) < share).astype(np.float64)
    value = generator.normal(2.0 * truth + move, 1.0)
    return truth, chance(2 * value - 2 + np.log(0.3 / 0.7))


def _reference() -> ScoreReference:
    found = ScoreReference.of_rows(*_rows(0.3, 20_000, 0))
    assert found is not None
    return found


def test_a_reference_knows_level_and_slope_of_the_scores() -> None:
    """Calibrated scores have level 0 and slope 1; scores that were pushed by 1 have level -1."""
    truth, score = _rows(0.3, 20_000, 0)
    calibrated, pushed = (
        ScoreReference.of_rows(truth, one) for one in (score, chance(np.log(score / (1 - score)) + 1))
    )

    assert calibrated is not None
    assert pushed is not None
    assert calibrated.level == pytest.approx(0, abs=0.1)
    assert calibrated.slope == pytest.approx(1, abs=0.05)
    assert pushed.level == pytest.approx(-1, abs=0.1)
    assert calibrated.share == pytest.approx(0.3, abs=0.01)


def test_the_evaluations_curves_hold_the_same_reference() -> None:
    """From ROC curve and calibration bins: the same counts over its own bins, and the same level and slope."""
    truth, score = _rows(0.3, 5_000, 3)
    curves = curves_of(Task.BINARY, truth, score, ("No", "Yes"))
    by_rows, by_curves = ScoreReference.of_rows(truth, score), ScoreReference.of_curves(curves)

    assert by_rows is not None
    assert by_curves is not None
    assert by_curves.counts.sum() == pytest.approx(5_000)
    for side in (0, 1):
        again = by_curves.histogram(score[truth == side])
        assert by_curves.counts[side] == pytest.approx(again, abs=1e-6)
    assert by_curves.level == pytest.approx(by_rows.level, abs=0.15)
    assert by_curves.slope == pytest.approx(by_rows.slope, abs=0.1)


def test_curves_of_other_tasks_give_none() -> None:
    """Numbers have no outcomes by score."""
    values = np.linspace(0, 1, 50)

    assert ScoreReference.of_curves(curves_of(Task.REGRESSION, values, values, ())) is None
    assert ScoreReference.of_curves({}) is None


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_another_share_of_the_outcome_is_a_prior_shift(share: float) -> None:
    """Scores within each outcome are as before; without labels the new share is found from scores alone, twice."""
    truth, score = _rows(share, 4_000, 1)
    test, fit = prior_test(_reference(), truth, score), mixture_fit(_reference(), score)

    assert test.held
    assert fit.holds
    assert fit.share == pytest.approx(share, abs=0.03)
    assert fit.by_counting == pytest.approx(share, abs=0.04)


def test_moved_scores_are_no_prior_shift() -> None:
    """Scores that rose within both outcomes: the test says no, and no share of the outcome explains them."""
    truth, score = _rows(0.3, 4_000, 2, move=1.0)

    assert not prior_test(_reference(), truth, score).held
    assert not mixture_fit(_reference(), score * 0.4 + 0.3).holds


def test_another_level_at_the_same_inputs_is_no_prior_shift() -> None:
    """If scores are as before and more of each score have the outcome, the relation's level moved, not the share."""
    _, score = _rows(0.3, 4_000, 4)
    truth = (np.random.default_rng(9).random(4_000) < chance(np.log(score / (1 - score)) + 1.2)).astype(np.float64)
    test = prior_test(_reference(), truth, score)

    assert test.advantage < 0
    assert not test.held
