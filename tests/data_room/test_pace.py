"""How slowly a column moved, and how likely a run is after that."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from modelyard.data.history.pace import Pace, TimeOrder

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def test_runs_are_those_of_time_and_missing_values_are_passed_over() -> None:
    """Five rows out of order: 7, 7, missing, 7, then 9: one change, three rows, and four hours until it is seen."""
    time = pl.Series([START + hours * HOUR for hours in (4, 0, 2, 1, 3)])
    values = pl.Series([9.0, 7.0, None, 7.0, 7.0])

    assert TimeOrder.of(time).pace(values) == Pace(1, 3, 4 * 3600.0)
    assert TimeOrder.of(pl.Series([4, 0, 2, 1, 3])).pace(values) == Pace(1, 3, None)


def test_words_and_dates_have_a_pace_too() -> None:
    """Two days of a word, then one of another; a row without a date counts for nothing."""
    time = pl.Series([dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(2026, 1, 3), None])
    values = pl.Series(["calm", "calm", "storm", "hail"])

    assert TimeOrder.of(time).pace(values) == Pace(1, 2, 2 * 86_400.0)
    assert TimeOrder.of(time).pace(pl.Series(["a", "b", None, "b"])) == Pace(1, 1, 86_400.0)


@pytest.mark.parametrize("values", [[None, None], [float("nan"), None]])
def test_a_column_without_values_has_no_runs(values: list[float | None]) -> None:
    """Nothing was seen, and any run may be."""
    pace = TimeOrder.of(pl.Series([1, 2])).pace(pl.Series(values, dtype=pl.Float64))

    assert pace == Pace(0, 0)
    assert pace.chance(1e9, 1e9) == 1.0


def test_a_column_that_never_changed_may_rest_for_ever() -> None:
    """No change, no expectation of one."""
    assert TimeOrder.of(pl.Series([1, 2, 3])).pace(pl.Series([5, 5, 5])).chance(1e6, 0.0) == 1.0


def test_a_longer_run_is_never_likelier() -> None:
    """The chance lies between 0 and 1 and falls with rows, and with time once there is some."""
    generator = np.random.default_rng(0)
    for _ in range(500):
        pace = Pace(
            int(generator.integers(1, 10_000)), int(generator.integers(1, 1000)), float(generator.uniform(1, 1e5))
        )
        rows, span = generator.uniform(0, 1e5), generator.choice([0.0, generator.uniform(0, 1e7)])
        usual, more = pace.chance(rows, span), generator.uniform(1, 100)

        assert 0 <= usual <= 1
        assert pace.chance(rows * more, span) <= usual
        assert span == 0 or pace.chance(rows, span * more) <= usual


def test_the_chance_is_right_for_changes_at_random() -> None:
    """Of 20,000 runs of exponential length, the share twice as long as the longest of ten others is 1 in 66."""
    generator = np.random.default_rng(0)
    longest = generator.exponential(1.0, (20_000, 10)).max(axis=1)
    share = float((generator.exponential(1.0, 20_000) > 2 * longest).mean())

    assert Pace(10, 100).chance(200, 0.0) == pytest.approx(1 / 66)
    assert share == pytest.approx(1 / 66, abs=0.003)
