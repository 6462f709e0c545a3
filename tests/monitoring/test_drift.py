import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ncx2

from modelyard.data.profile import FeatureReference, smoothed_psi
from modelyard.data.schema import ColumnKind
from modelyard.monitoring import DriftLevel, DriftResult, drift_test
from modelyard.monitoring.drift import psi_lower_bound

NUMBER = FeatureReference(
    "x", ColumnKind.NUMERIC, (1.0, 2.0, 3.0), (), None, (250, 250, 250, 250, 0, 0, 0), 0.02, 0.0, 4.0
)
CATEGORY = FeatureReference("c", ColumnKind.CATEGORY, (), ("a", "b"), None, (600, 300, 100, 0, 0, 0), 0.02)
Counts = st.lists(st.integers(0, 500), min_size=7, max_size=7)


def _test(reference: FeatureReference, counts: list[int]) -> DriftResult:
    return drift_test(reference, counts, false_alarm_rate=0.01, features=10)


def test_equal_counts_are_no_drift() -> None:
    """A window just like training has an index of 0, distances of 0 and no alarm."""
    result = _test(NUMBER, [250, 250, 250, 250, 0, 0, 0])

    assert (result.psi, result.alarm, result.level) == (0.0, False, DriftLevel.NONE)
    assert (result.js, result.ks, result.wasserstein) == (0.0, 0.0, 0.0)
    assert result.psi_low is None
    assert result.chi_square_p == pytest.approx(1.0)


def test_distances_by_hand() -> None:
    """With everything in the last of four equal bins, KS is 3/4 and the area is that of the steps between the edges."""
    result = _test(NUMBER, [0, 0, 0, 1000, 0, 0, 0])

    assert result.ks == pytest.approx(0.75)
    assert result.wasserstein == pytest.approx((0.25 / 2 + 0.5 + 0.75 / 2) / 2)
    assert (result.alarm, result.level) == (True, DriftLevel.LARGE)
    assert (result.top_bin, result.top_before, result.top_now) == ("> 3", 0.25, 1.0)


def test_a_column_that_goes_null_is_drift() -> None:
    """Missing values have a bin of their own, so they count."""
    result = _test(NUMBER, [25, 25, 25, 25, 900, 0, 0])

    assert result.alarm
    assert result.top_bin == "NULL"


def test_categories_have_no_order() -> None:
    """Kolmogorov–Smirnov and Wasserstein are not defined for categories; Jensen–Shannon is."""
    result = _test(CATEGORY, [100, 300, 100, 0, 500, 0])

    assert (result.ks, result.wasserstein) == (None, None)
    assert 0.4 < result.js < 1
    assert result.alarm


def test_the_spike_counts_in_its_place_for_ordered_distances() -> None:
    """Rows in the SPIKE bin still have a value, so they belong to the cumulative share."""
    spiked = FeatureReference("x", ColumnKind.NUMERIC, (1.0, 2.0), (), 1.5, (100, 100, 100, 0, 0, 300), 0.02, 0.0, 3.0)
    result = drift_test(spiked, [100, 400, 100, 0, 0, 0], false_alarm_rate=0.01, features=1)

    assert result.ks == pytest.approx(0.0)
    assert result.alarm


@settings(max_examples=60, deadline=None)
@given(Counts)
def test_index_and_p_value_agree_with_their_definitions(counts: list[int]) -> None:
    """The index is that of the data room; the p-value is SciPy's two-sample chi-square; all figures are in range."""
    result = _test(NUMBER, counts)
    table = np.array([NUMBER.counts, counts])[:, (np.array(NUMBER.counts) + counts) > 0]

    assert 0 <= result.js <= 1
    if sum(counts):
        assert result.psi == pytest.approx(smoothed_psi(NUMBER.counts, counts))
        assert result.chi_square_p == pytest.approx(chi2_contingency(table, correction=False).pvalue, abs=1e-9)
    else:
        assert (result.psi, result.alarm) == (0.0, False)
    assert result.alarm == (result.psi_low is not None and result.statistic > result.critical)
    assert result.psi_low is None or result.tolerance <= result.psi_low + 1e-9 <= result.psi + 1e-9
    assert DriftResult.from_dict(result.to_dict()) == result


def test_the_lower_bound_inverts_the_test() -> None:
    """With the bound as tolerance, the statistic stands exactly at its critical value."""
    low = psi_lower_bound(120.0, 500.0, 9.0, 0.001)

    assert ncx2.sf(120.0, 9.0, low * 500.0) == pytest.approx(0.001, rel=1e-6)
    assert psi_lower_bound(5.0, 500.0, 9.0, 0.001) == 0.0


def test_an_empty_window_or_reference_is_no_drift() -> None:
    """Nothing against something is no evidence."""
    empty = FeatureReference("x", ColumnKind.NUMERIC, (), (), None, (0, 0, 0, 0), 0.02)

    assert not _test(NUMBER, [0] * 7).alarm
    assert not _test(empty, [0, 100, 0, 0]).alarm


def test_a_million_rows_do_not_make_a_small_change_an_alarm() -> None:
    """A true index below the tolerance stays quiet at any size, where a p-value would be 0."""
    result = _test(NUMBER, [260_000, 250_000, 250_000, 240_000, 0, 0, 0])

    assert not result.alarm
    assert result.psi < 0.001
