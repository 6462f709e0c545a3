"""The small models of the diagnosis."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.data.profile import build_profile
from modelyard.data.schema import Column, ColumnKind
from modelyard.monitoring import drift_test
from modelyard.monitoring.causes.case import Moved
from modelyard.monitoring.causes.inputs import domain_auc, effective_rows, usualness
from modelyard.monitoring.causes.light_models import chance, fit_correction, fit_ridge, recalibrated, row_losses


def test_a_ridge_finds_the_weights() -> None:
    """Logistic weights come back, and a level of six is reached without running away."""
    generator = np.random.default_rng(0)
    matrix = np.column_stack([np.ones(20_000), generator.normal(size=20_000)])
    truth = (generator.random(20_000) < chance(matrix @ np.array([-1.0, 0.8]))).astype(np.float64)
    weights = fit_ridge(matrix, truth, np.zeros(20_000), logistic=True)
    level = fit_ridge(matrix[:, :1], truth, np.full(20_000, -7.0), logistic=True)

    assert weights == pytest.approx([-1.0, 0.8], abs=0.06)
    assert level[0] == pytest.approx(7 + np.log(truth.mean() / (1 - truth.mean())), abs=1e-3)


@pytest.mark.parametrize("logistic", [True, False])
def test_a_correction_sees_lines_and_corners(logistic: bool) -> None:
    """A line and a corner of two features both take loss off rows that were held out."""
    generator = np.random.default_rng(1)
    matrix = generator.normal(size=(4_000, 5))
    margin = matrix[:, 0]
    for signal in (matrix[:, 1], 2.5 * ((matrix[:, 1] > 0) & (matrix[:, 2] > 0))):
        full = margin + signal
        truth = (
            (generator.random(4_000) < chance(full)).astype(np.float64)
            if logistic
            else full + generator.normal(size=4_000)
        )
        fitted = fit_correction(matrix[:3_000], truth[:3_000], margin[:3_000], logistic=logistic)
        held = slice(3_000, None)
        before = row_losses(truth[held], margin[held], logistic=logistic).mean()
        after = row_losses(truth[held], margin[held] + fitted.add(matrix[held]), logistic=logistic).mean()
        best = row_losses(truth[held], full[held], logistic=logistic).mean()

        assert before - after > 0.5 * (before - best)


def test_features_that_say_nothing_correct_next_to_nothing() -> None:
    """Noise costs less than half a percent of the loss of held-out rows."""
    generator = np.random.default_rng(2)
    matrix = generator.normal(size=(3_000, 8))
    truth = (generator.random(3_000) < chance(matrix[:, 0])).astype(np.float64)
    fitted = fit_correction(matrix[:2_000], truth[:2_000], matrix[:2_000, 0], logistic=True)
    plain, corrected = matrix[2_000:, 0], matrix[2_000:, 0] + fitted.add(matrix[2_000:])
    losses = [row_losses(truth[2_000:], margin, logistic=True).mean() for margin in (plain, corrected)]

    assert losses[1] < 1.02 * losses[0]


def test_numbers_may_be_of_any_size() -> None:
    """Predictions around 4,000 that are all 25 too low: the level is 25, not what is left beyond the bounds of a log-odds."""
    prediction = 4_000 + 300 * np.random.default_rng(0).normal(size=500)
    level = fit_ridge(np.ones((500, 1)), prediction + 25, prediction, logistic=False)
    bent = recalibrated(2 * prediction, prediction, prediction, logistic=False)

    assert level == pytest.approx([25])
    assert bent == pytest.approx(2 * prediction, rel=0.01)


def test_no_features_at_all() -> None:
    """A model without features corrects the level alone."""
    fitted = fit_correction(np.empty((100, 0)), np.ones(100), np.zeros(100), logistic=False)

    assert fitted.trees == ()
    assert fitted.add(np.empty((3, 0))) == pytest.approx([0.5, 0.5, 0.5])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=12))
def test_the_domain_auc_is_between_chance_and_certainty(pairs: list[tuple[int, int]]) -> None:
    """At least 0.5, at most 1, and the same from either side."""
    before, now = (np.array(side) for side in zip(*pairs, strict=True))
    area = domain_auc(before, now)

    assert 0.5 - 1e-9 <= area <= 1
    assert domain_auc(now, before) == pytest.approx(area, abs=1e-6)


def test_rows_that_weigh_unequally_count_less() -> None:
    """Equal weights count in full; one heavy row among a hundred counts as few."""
    assert effective_rows(np.ones(50)) == pytest.approx(50)
    assert effective_rows(np.array([100.0] + [1.0] * 99)) < 5


def test_rows_beyond_the_last_tenth_weigh_nothing_where_they_crowd() -> None:
    """A number that moved up: its last bin holds most rows, and how far out they lie is not known."""
    column = Column("x", ColumnKind.NUMERIC, "Float64", nullable=False)
    (reference,) = build_profile(pl.DataFrame({"x": np.arange(1000.0)}), (column,)).features
    counts = np.array([20, 20, 20, 20, 20, 20, 20, 20, 20, 820, 0, 0, 0])
    moved = Moved(reference, counts, drift_test(reference, counts, false_alarm_rate=0.01, features=1), is_score=False)
    weight = usualness([moved], {"x": np.repeat(np.arange(13), counts)}, 1000)

    assert (weight[:180] > 1).all()
    assert (weight[180:] == 0).all()
