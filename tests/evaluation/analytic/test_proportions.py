"""Intervals of shares hold at the edges and respect rows that belong together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.evaluation.analytic.proportions import share_interval, wilson_interval


def test_the_interval_is_wilsons() -> None:
    """81 of 263 at 95 %: 0.2553 to 0.3662 (Newcombe, 1998, table I, method 3)."""
    assert wilson_interval(81, 263, 0.95) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_interval(0, 20, 0.95) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson_interval(0, 0, 0.95) == (0.0, 1.0)


@given(st.integers(1, 300), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=40, deadline=None)
def test_the_interval_holds_its_share(rows: int, share: float, confidence: float) -> None:
    """The share lies inside, the ends in [0, 1]; more confidence is never narrower."""
    hit = np.arange(rows) < share * rows
    low, high = share_interval(hit, confidence)
    wider = share_interval(hit, 0.995)

    assert 0 <= low <= hit.mean() <= high <= 1
    assert wider[0] <= low
    assert high <= wider[1]


def test_rows_that_err_together_count_less() -> None:
    """Twenty groups of 50 equal rows count as 19 rows, and 16.7 by Student's quantile; dealt out at random they count as rows."""
    hit = np.repeat(np.arange(20) < 15, 50)
    groups = np.repeat(np.arange(20), 50)
    alike = share_interval(hit, 0.95, groups)
    mixed = share_interval(np.random.default_rng(0).permutation(hit), 0.95, groups)

    assert alike == pytest.approx(wilson_interval(0.75 * 16.66, 16.66, 0.95), abs=0.001)
    assert mixed[1] - mixed[0] < 0.08
    assert share_interval(np.ones(1000, dtype=bool), 0.95, groups) == wilson_interval(20, 20, 0.95)
