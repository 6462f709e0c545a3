"""The promise of the room: quiet when nothing is wrong, awake when something is, at any number of rows."""

import datetime as dt

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy.stats import norm

from modelyard.data.profile import FeatureReference, build_profile
from modelyard.data.schema import Column, ColumnKind
from modelyard.monitoring import drift_test
from modelyard.monitoring.drift import psi_critical, psi_statistics
from modelyard.monitoring.references import References
from modelyard.monitoring.windows import WindowFacts

Floats = npt.NDArray[np.float64]

START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
FEATURES = 50
RATE = 0.01
REFERENCE_ROWS = 10_000


def _references(features: int, rows: int, seed: int) -> tuple[FeatureReference, ...]:
    """Profiles of independent standard normal features."""
    values = np.random.default_rng(seed).normal(size=(rows, features))
    names = [f"f{index}" for index in range(features)]
    columns = [Column(name, ColumnKind.NUMERIC, "Float64", nullable=False) for name in names]
    return build_profile(pl.DataFrame(dict(zip(names, values.T, strict=True))), columns).features


def _bin_chances(reference: FeatureReference, shift: Floats) -> Floats:
    """True chance of each bin for a normal feature moved by each of ``shift``; shape (shifts, bins)."""
    inner = norm.cdf(np.asarray(reference.edges) - shift[:, None])
    assert reference.low is not None
    assert reference.high is not None
    low, high = norm.cdf(reference.low - shift), norm.cdf(reference.high - shift)
    cumulative = np.column_stack([low, inner, high])
    nothing = np.zeros(len(shift))
    return np.column_stack([np.diff(cumulative, axis=1), nothing, low + 1 - high, nothing])


def _alarms(reference: FeatureReference, counts: Floats, rate: float, tolerance: float) -> npt.NDArray[np.bool_]:
    """The drift rule for many windows of one feature at once."""
    psi, harmonic, freedom = psi_statistics(np.asarray(reference.counts, dtype=np.float64), counts)
    critical = [psi_critical(rate, df, tolerance * h) for df, h in zip(freedom, harmonic, strict=True)]
    return np.asarray(psi * harmonic > np.asarray(critical))


@pytest.mark.parametrize("rows", [200, 1_000, 10_000, 1_000_000])
def test_clean_batches_of_fifty_features_stay_quiet(rows: int) -> None:
    """At most 2 % of batches with nothing wrong raise any alarm, whatever their size."""
    generator = np.random.default_rng(rows)
    batches = 400
    alarmed = np.zeros(batches, dtype=np.bool_)
    for reference in _references(FEATURES, REFERENCE_ROWS, seed=1):
        chances = _bin_chances(reference, np.zeros(1))[0]
        counts = generator.multinomial(rows, chances / chances.sum(), size=batches).astype(np.float64)
        alarmed |= _alarms(reference, counts, RATE / FEATURES, reference.tolerance)

    assert alarmed.mean() <= 0.02


def test_a_shift_of_a_third_of_a_standard_deviation_is_found() -> None:
    """A mean shift of 0.3 sd at 3,000 rows is found in at least 99 % of windows, among 50 features."""
    reference = _references(1, REFERENCE_ROWS, seed=2)[0]
    chances = _bin_chances(reference, np.full(1, 0.3))[0]
    counts = np.random.default_rng(3).multinomial(3_000, chances / chances.sum(), size=2_000).astype(np.float64)

    assert _alarms(reference, counts, RATE / FEATURES, reference.tolerance).mean() >= 0.99


@pytest.mark.parametrize("features", [1, 10, 50])
def test_each_of_f_features_gets_an_f_th_of_the_rate(features: int) -> None:
    """Without tolerance, a clean feature alarms at the rate over F, so a clean window alarms at the rate."""
    generator = np.random.default_rng(features)
    chances = np.full(10, 0.1)
    rate, windows = 0.1, 40_000
    before = generator.multinomial(20_000, chances, size=windows).astype(np.float64)
    now = generator.multinomial(5_000, chances, size=windows).astype(np.float64)
    psi, harmonic, freedom = psi_statistics(before, now)
    critical = psi_critical(rate / features, float(freedom[0]), 0.0)
    share = float((psi * harmonic > critical).mean())
    expected = rate / features

    assert abs(share - expected) < 4 * np.sqrt(expected / windows) + 0.1 * expected


def test_at_the_edge_of_the_tolerance_the_rate_is_kept() -> None:
    """If the true index is the tolerance itself, the alarm rate is the nominal one."""
    chances = np.full(10, 0.1)
    moved = chances * np.linspace(0.8, 1.2, 10)
    tolerance = float(((moved - chances) * np.log(moved / chances)).sum())
    generator = np.random.default_rng(5)
    before = generator.multinomial(50_000, chances, size=20_000).astype(np.float64)
    now = generator.multinomial(5_000, moved / moved.sum(), size=20_000).astype(np.float64)
    psi, harmonic, _ = psi_statistics(before, now)
    share = float((psi * harmonic > psi_critical(0.05, 9.0, tolerance * float(harmonic[0]))).mean())

    assert 0.03 < share < 0.07


def test_days_that_always_differed_stay_quiet() -> None:
    """With a harmless day effect of 0.1 sd, learnt tolerances keep false alarms at or below 5 % of feature-days."""
    generator = np.random.default_rng(7)
    days, daily, features = 50, 1_000, 12
    names = [f"f{index}" for index in range(features)]
    effect = np.repeat(generator.normal(0, 0.1, size=(days, features)), daily, axis=0)
    values = generator.normal(size=(days * daily, features)) + effect
    columns = [Column(name, ColumnKind.NUMERIC, "Float64", nullable=False) for name in names]
    frame = pl.DataFrame(dict(zip(names, values.T, strict=True)))
    profile = build_profile(frame, columns, time=pl.Series(np.arange(days * daily)))
    learnt: list[float] = []
    fixed: list[float] = []
    for reference in profile.features:
        chances = _bin_chances(reference, generator.normal(0, 0.1, 200))
        counts = np.stack([generator.multinomial(100_000, row / row.sum()) for row in chances]).astype(np.float64)
        learnt.append(float(_alarms(reference, counts, RATE / features, reference.tolerance).mean()))
        fixed.append(float(_alarms(reference, counts, RATE / features, 0.02).mean()))

    assert np.mean(learnt) <= 0.05
    assert np.mean(fixed) > np.mean(learnt)


def test_rows_one_and_a_half_times_as_wide_are_found() -> None:
    """A scale of 1.5 at 3,000 rows is found in at least 99 % of windows, among 50 features."""
    reference = _references(1, REFERENCE_ROWS, seed=4)[0]
    inner = np.concatenate([[reference.low], reference.edges, [reference.high]]).astype(np.float64) / 1.5
    chances = np.concatenate([np.diff(norm.cdf(inner)), [0.0, norm.cdf(inner[0]) + norm.sf(inner[-1]), 0.0]])
    counts = np.random.default_rng(6).multinomial(3_000, chances / chances.sum(), size=1_000).astype(np.float64)

    assert _alarms(reference, counts, RATE / FEATURES, reference.tolerance).mean() >= 0.99


def test_a_trailing_reference_learns_how_days_differ() -> None:
    """With day effects of 0.1 sd at 100,000 rows a day, at most 5 % of clean feature-days alarm, and 0.6 sd always does."""
    generator = np.random.default_rng(8)
    window = WindowFacts("today", START, START, 100_000, 1, judged=True)
    trailing = References("trailing", 28, 200)
    clean: list[float] = []
    for package in _references(20, REFERENCE_ROWS, seed=8):
        chances = _bin_chances(package, generator.normal(0, 0.1, 28))
        past = [generator.multinomial(100_000, row / row.sum()).astype(np.int64) for row in chances]
        reference = trailing.of(package, package.name, window, past)
        assert reference is not None
        moved = np.concatenate([generator.normal(0, 0.1, 100), [0.6]])
        days = [generator.multinomial(100_000, row / row.sum()) for row in _bin_chances(package, moved)]
        alarms = _alarms(reference, np.stack(days).astype(np.float64), RATE / 20, reference.tolerance)
        clean.append(float(alarms[:-1].mean()))
        assert alarms[-1]

    assert np.mean(clean) <= 0.05


def test_the_vectorised_rule_is_the_rule() -> None:
    """What these tests measure is what ``drift_test`` does."""
    reference = _references(1, 2_000, seed=9)[0]
    generator = np.random.default_rng(9)
    shifts = generator.normal(0, 0.3, 40)
    counts = np.stack([generator.multinomial(500, row / row.sum()) for row in _bin_chances(reference, shifts)])
    one_by_one = [drift_test(reference, row, false_alarm_rate=0.05, features=3).alarm for row in counts]
    at_once = _alarms(reference, counts.astype(np.float64), 0.05 / 3, reference.tolerance)

    assert one_by_one == at_once.tolist()
    assert 0 < sum(one_by_one) < 40
