"""Outcomes by score: what was before, and whether only the share of the outcome moved."""

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.evaluation.curves import curves_of
from modelyard.monitoring.causes import ScoreReference
from modelyard.monitoring.causes.light_models import chance
from modelyard.monitoring.causes.outcomes import (
    PriorTest,
    mixture_fit,
    prior_test,
    prior_test_of_classes,
    prior_test_of_numbers,
)
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


Rows = tuple[Floats, Floats]


def _class_rows(shares: tuple[float, ...], rows: int, seed: int, move: float = 0.0) -> Rows:
    """Three classes around the corners of a triangle, and their probabilities at equal shares; ``move`` pulls the first astray."""
    generator = np.random.default_rng(seed)
    truth = generator.choice(3, rows, p=list(shares)).astype(np.float64)
    corners = np.array([[0.0, 2.0], [1.7, -1.0], [-1.7, -1.0]])
    place = corners[truth.astype(np.int64)] + generator.normal(size=(rows, 2))
    place[truth == 0, 1] -= move
    return truth, _class_shares(place @ corners.T - (corners**2).sum(axis=1) / 2)


def _class_shares(logits: Floats) -> Floats:
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _number_rows(rows: int, seed: int, tilt: float = 0.0, move: float = 0.0) -> Rows:
    """Numbers around 100, predicted with noise; ``tilt`` moves their law, ``move`` the predictions within it."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(100 + 20 * tilt, 20, rows)
    return truth, 100 + 0.7 * (truth - 100) + generator.normal(move, 9, rows)


def _known(test: PriorTest | None) -> PriorTest:
    assert test is not None
    return test


@pytest.mark.parametrize("shares", [(0.7, 0.2, 0.1), (0.1, 0.3, 0.6)])
def test_other_shares_of_three_classes_are_a_prior_shift(shares: tuple[float, ...]) -> None:
    """Each class has the probabilities that it had, though those of all the others together moved."""
    before = _class_rows((1 / 3, 1 / 3, 1 / 3), 3_000, 0)
    test = _known(prior_test_of_classes(before, _class_rows(shares, 2_000, 1)))

    assert test.statistic < 0.7
    assert test.advantage > 0.01
    assert test.held


def test_a_class_that_looks_otherwise_is_no_prior_shift() -> None:
    """The first class comes nearer to the others: its probability among its own rows fell."""
    before = _class_rows((0.5, 0.3, 0.2), 3_000, 0)

    assert not _known(prior_test_of_classes(before, _class_rows((0.3, 0.4, 0.3), 2_000, 1, move=1.5))).held


def test_another_level_of_a_class_at_the_same_inputs_is_no_prior_shift() -> None:
    """If probabilities are as before and the first class is seen more often at each, its level moved."""
    truth, shares = _class_rows((1 / 3, 1 / 3, 1 / 3), 6_000, 0)
    risen = _class_shares(np.log(shares[3_000:]) + np.array([1.5, 0.0, 0.0]))
    drawn = (np.random.default_rng(2).random((3_000, 1)) > risen.cumsum(axis=1)).sum(axis=1).astype(np.float64)
    test = _known(prior_test_of_classes((truth[:3_000], shares[:3_000]), (drawn, shares[3_000:])))

    assert test.advantage < 0
    assert not test.held


@pytest.mark.parametrize("tilt", [-0.6, 0.6])
def test_another_law_of_a_number_is_a_prior_shift(tilt: float) -> None:
    """Predictions at each outcome are as before, where outcomes lie higher or lower."""
    test = _known(prior_test_of_numbers(_number_rows(3_000, 0), _number_rows(2_000, 1, tilt=tilt)))

    assert test.statistic < 0.7
    assert test.advantage > 0.01
    assert test.held


def test_predictions_that_moved_at_the_same_outcomes_are_no_prior_shift() -> None:
    """They rose by a spread of their noise, whatever the outcome."""
    assert not _known(prior_test_of_numbers(_number_rows(3_000, 0), _number_rows(2_000, 1, tilt=0.3, move=9.0))).held


def test_outcomes_that_rose_at_the_same_predictions_are_no_prior_shift() -> None:
    """The inputs are as before and the outcomes 15 higher: the relation's level moved."""
    truth, prediction = _number_rows(2_000, 1)
    test = _known(prior_test_of_numbers(_number_rows(3_000, 0), (truth + 15, prediction)))

    assert test.advantage < 0
    assert not test.held


def test_without_rows_of_two_outcomes_nothing_is_compared() -> None:
    """One class among the labels, or a number that never varies, says nothing of outcomes."""
    before, one = _class_rows((0.5, 0.3, 0.2), 900, 0), _class_rows((1.0, 0.0, 0.0), 900, 1)
    constant = np.full(900, 5.0), np.random.default_rng(0).normal(size=900)

    assert prior_test_of_classes(before, one) is None
    assert prior_test_of_numbers(constant, constant) is None
