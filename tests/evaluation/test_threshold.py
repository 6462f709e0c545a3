"""The threshold follows from the costs, or from the best balance, and says why."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.evaluation.threshold import OutcomeValues, choose_threshold
from modelyard.problem import Problem
from modelyard.training.metrics import decide_labels, score

Array = npt.NDArray[np.float64]


def problem_with(**settings_: Any) -> Problem:
    """A binary problem."""
    return Problem.model_validate({"task": "binary", "data": {"source": "t.csv", "target": "y"}, **settings_})


def calibrated(rows: int = 2000, seed: int = 0) -> tuple[Array, Array]:
    """Scores that are the true probabilities."""
    generator = np.random.default_rng(seed)
    scores = generator.beta(1.0, 3.0, rows)
    return (generator.random(rows) < scores).astype(float), scores


def test_costs_give_the_threshold_of_decision_theory() -> None:
    """An alarm that costs 50 and a miss that costs 500 call for action from 1/11 on; calibrated rows agree."""
    problem = problem_with(costs={"false_positive": -50, "false_negative": -500})
    choice = choose_threshold(problem, *calibrated(), seed=0)

    assert choice.value == choice.analytic == pytest.approx(1 / 11)
    assert choice.low <= 1 / 11 <= choice.high
    assert abs(choice.empirical - 1 / 11) < 0.05
    assert "follows from the costs" in choice.reason


def test_values_of_all_four_outcomes_count() -> None:
    """The threshold is (v_tn - v_fp) / ((v_tn - v_fp) + (v_tp - v_fn))."""
    values = OutcomeValues(true_positive=80, false_positive=-20, false_negative=-100, true_negative=10)

    assert values.analytic_threshold == pytest.approx(30 / (30 + 180))
    assert values.per_row(np.array([1.0, 0.0, 1.0, 0.0]), np.array([1.0, 1.0, 0.0, 0.0])).tolist() == [
        80,
        -20,
        -100,
        10,
    ]


def test_uncalibrated_scores_are_cut_where_it_pays() -> None:
    """Scores squeezed to a tenth never reach the analytic threshold; the best on held-out rows is taken instead."""
    problem = problem_with(costs={"true_positive": 100, "false_positive": -100})
    truth, scores = calibrated()
    choice = choose_threshold(problem, truth, scores / 10, seed=0)

    assert choice.analytic == pytest.approx(0.5)
    assert choice.value == choice.empirical == pytest.approx(0.05, abs=0.012)
    assert choice.value_per_case is not None
    assert choice.value_per_case > 0
    assert "not calibrated" in choice.reason


def test_value_per_case_is_the_mean_over_decisions() -> None:
    """The figure equals that of counting each decision by hand, and the alternatives are consistent with it."""
    problem = problem_with(costs={"true_positive": 90, "false_positive": -10, "currency": "CHF"})
    truth, scores = calibrated(300)
    choice = choose_threshold(problem, truth, scores, seed=0)
    by_hand = OutcomeValues.of(problem.costs).per_row(truth, decide_labels(scores, choice.value)).mean()
    named = {item.name: item.value for item in choice.alternatives}

    assert choice.value_per_case == pytest.approx(by_hand)
    assert choice.currency == "CHF"
    assert named["chosen"] == pytest.approx(by_hand)
    assert named["nobody positive"] == 0.0
    assert named["everybody positive"] == pytest.approx(float((100 * truth - 10).mean()))


@pytest.mark.parametrize(
    ("primary", "objective"),
    [
        ("roc_auc", "f1"),
        ("mcc", "mcc"),
        ("balanced_accuracy", "balanced_accuracy"),
        ("recall", "f1"),
        ("accuracy", "accuracy"),
    ],
)
def test_without_costs_labels_are_balanced(primary: str, objective: str) -> None:
    """The primary metric is maximised if it has a best threshold, else F1; no other threshold on these rows is better."""
    truth, scores = calibrated(250)
    choice = choose_threshold(problem_with(metrics={"primary": primary}), truth, scores, seed=0)
    best = max(score(objective, truth, scores, threshold=float(value)) for value in np.unique(scores))

    assert choice.objective == objective
    assert score(objective, truth, scores, threshold=choice.value) == pytest.approx(best)
    assert (choice.currency, choice.value_per_case, choice.analytic) == (None, None, None)
    assert "Declare what the four outcomes are worth" in choice.reason


@given(seed=st.integers(0, 500), ratio=st.floats(0.05, 20))
@settings(max_examples=15, deadline=None)
def test_no_alternative_beats_the_best_on_the_rows(seed: int, ratio: float) -> None:
    """Whatever the prices, the empirical threshold is worth at least as much as any named alternative."""
    problem = problem_with(costs={"false_positive": -1.0, "false_negative": -ratio})
    truth, scores = calibrated(200, seed)
    choice = choose_threshold(problem, truth, scores, seed=seed)
    values = OutcomeValues.of(problem.costs)
    best = values.per_row(truth, decide_labels(scores, choice.empirical)).mean()

    assert all(best >= item.value - 1e-12 for item in choice.alternatives)


def test_costs_that_reward_the_wrong_decision_give_no_analytic_threshold() -> None:
    """If acting on a positive loses more than missing it, no threshold separates; nobody is called positive."""
    problem = problem_with(costs={"true_positive": -100, "false_positive": -10})
    truth, scores = calibrated(200)
    choice = choose_threshold(problem, truth, scores, seed=0)

    assert choice.analytic is None
    assert not decide_labels(scores, choice.value).any()


def test_tied_and_constant_scores_are_cut_at_an_end() -> None:
    """A constant score can only call everybody or nobody positive."""
    truth = np.array([1.0, 0.0, 0.0, 0.0])
    choice = choose_threshold(problem_with(), truth, np.full(4, 0.25), seed=0)

    assert choice.value == 0.0
    assert decide_labels(np.full(4, 0.25), choice.value).all()
