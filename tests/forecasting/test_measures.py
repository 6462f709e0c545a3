"""Measures by hand, and intervals by simulation."""

import numpy as np
import pytest
from tests.forecasting.conftest import forecast_problem, sales

from modelyard.forecasting.intervals import coverage_left_out, interval_widths, measured_coverage
from modelyard.forecasting.measures import figures, naive_scales, pinball, unit_losses
from modelyard.forecasting.series import build_panel

SCALES = (np.array([2.0]), np.array([4.0]))
TRUTH = np.array([[[10.0, 20.0]], [[30.0, np.nan]]])
TOLD = np.array([[[12.0, 16.0]], [[30.0, 7.0]]])


@pytest.mark.parametrize(
    ("name", "whole", "windows"),
    [
        ("mae", 1.5, (3.0, 0.0)),
        ("mase", 0.75, (1.5, 0.0)),
        ("rmse", 5**0.5, (10**0.5, 0.0)),
        ("rmsse", (10 / 16 / 2) ** 0.5, ((10 / 16) ** 0.5, 0.0)),
        ("smape", 100 * (4 / 22 + 8 / 36) / 4 * 1.0, (100 * (4 / 22 + 8 / 36) / 2, 0.0)),
    ],
)
def test_a_measure_by_hand(name: str, whole: float, windows: tuple[float, ...]) -> None:
    """Means over steps, then series, then windows; a step without a truth is left out."""
    value, by_window = figures(name, unit_losses(name, TRUTH, TOLD, SCALES))

    assert value == pytest.approx(whole)
    assert by_window == pytest.approx(windows)


def test_scales_are_what_the_seasonal_naive_answer_misses() -> None:
    """A trend of half a sale a day is three and a half a week; a series that never changes has none."""
    problem = forecast_problem(series=("shop",))
    panel = build_panel(sales(70, 2, noise=0, trend=0.5), problem)
    still = build_panel(sales(70).with_columns(sold=5.0), forecast_problem())

    assert naive_scales(panel)[0] == pytest.approx([3.5, 3.5])
    assert np.isnan(naive_scales(still)[0]).all()


def test_pinball_by_hand() -> None:
    """Both ends of an 80 % interval around nothing, one value above."""
    assert pinball(np.array([5.0]), np.array([0.0]), np.array([3.0]), 0.8) == pytest.approx((0.1 * 5 + 0.9 * 2) / 2)


def test_intervals_hold_what_they_promise() -> None:
    """Over 500 repetitions, 90 % intervals from 20 windows hold 88 to 92 % of later values."""
    generator = np.random.default_rng(7)
    shares = []
    for _ in range(500):
        residuals = generator.normal(size=(21, 1, 6)) * np.arange(1, 7)
        widths = interval_widths(residuals[:20], np.ones(1), 0.9)
        share = measured_coverage(residuals[20:], np.ones(1), widths)
        shares.append(share or 0.0)

    assert 0.88 < float(np.mean(shares)) < 0.92


def test_widths_grow_with_the_step_where_errors_do() -> None:
    """Twice the error gives about twice the width; scales are divided out."""
    generator = np.random.default_rng(1)
    residuals = generator.normal(size=(200, 1, 2)) * np.array([1.0, 2.0])
    widths = interval_widths(residuals * 10, np.array([10.0]), 0.9)

    assert widths[1] / widths[0] == pytest.approx(2.0, rel=0.25)
    assert widths[0] == pytest.approx(1.645, rel=0.2)


def test_coverage_of_left_out_windows_is_near_the_nominal_one() -> None:
    """Each window is judged by the others' widths."""
    residuals = np.random.default_rng(3).normal(size=(60, 2, 4))

    assert coverage_left_out(residuals, np.ones(2), 0.9) == pytest.approx(0.9, abs=0.04)
