"""Rows in time, on a grid."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.forecasting.conftest import forecast_problem, sales

from modelyard.core import DataError
from modelyard.forecasting.series import build_panel, check_panel, usable_series
from modelyard.forecasting.series.frequency import infer_frequency, usual_seasons


def test_rows_become_series_side_by_side() -> None:
    """Each series is a row of the panel, in the order of its name, on one grid of days."""
    panel = build_panel(sales(28, 2).sample(fraction=1, shuffle=True, seed=1), forecast_problem(series=("shop",)))

    assert panel.names == ("shop 0", "shop 1")
    assert panel.values.shape == (2, 28)
    assert (panel.frequency, panel.seasons) == ("1d", (7,))
    assert panel.observed.all()
    assert panel.values[1].mean() - panel.values[0].mean() == pytest.approx(100, abs=1)


def test_a_gap_is_filled_from_a_season_before_and_not_counted_as_observed() -> None:
    """What stands in a gap is the value a week before, never what came later."""
    rows = sales(28, noise=0)
    panel = build_panel(rows.filter(pl.col("day") != dt.date(2023, 1, 21)), forecast_problem())

    assert not panel.observed[0, 19]
    assert panel.values[0, 19] == panel.values[0, 12] == 130.0


@settings(max_examples=15, deadline=None)
@given(missing=st.sets(st.integers(8, 26), max_size=5), end=st.integers(10, 27))
def test_nothing_before_a_step_depends_on_what_comes_after(missing: set[int], end: int) -> None:
    """A panel cut at a step equals the panel of the rows up to that step, whatever is missing."""
    rows = sales(28).with_row_index().filter(~pl.col("index").is_in(sorted(missing))).drop("index")
    problem = forecast_problem(horizon=20)
    last = dt.date(2023, 1, 2) + dt.timedelta(days=end)
    whole = build_panel(rows, problem, frequency="1d").until(end + 1)
    before = build_panel(rows.filter(pl.col("day") <= last), problem, frequency="1d")

    steps = before.steps
    assert np.array_equal(whole.values[:, :steps], before.values)


def test_zero_stands_in_a_gap_if_a_missing_row_means_none() -> None:
    """The project file may say that no row means zero."""
    panel = build_panel(sales(28).filter(pl.col("day") != dt.date(2023, 1, 21)), forecast_problem(fill="zero"))

    assert panel.values[0, 19] == 0.0


def test_a_moment_that_comes_twice_is_refused_with_the_series_named() -> None:
    """Two shops without a series column are one series with two values a day."""
    with pytest.raises(DataError, match=r"28 steps of 1d hold more than one row.*Name the series in forecast\.series"):
        build_panel(sales(28, 2), forecast_problem())


def test_a_frequency_that_does_not_fit_is_refused() -> None:
    """Days on a grid of hours leave nearly all of it empty."""
    with pytest.raises(DataError, match=r"96% of the steps of 1h have no value"):
        build_panel(sales(28), forecast_problem(frequency="1h"))


def test_moments_without_a_usual_distance_are_refused() -> None:
    """Rows 37 hours apart follow no calendar; the cure names the key."""
    moments = pl.Series([dt.timedelta(hours=37 * step) for step in range(40)]) + dt.date(2023, 1, 1)
    rows = pl.DataFrame({"day": moments, "sold": range(40)})

    with pytest.raises(DataError, match=r"no usual distance.*Set forecast\.frequency"):
        build_panel(rows, forecast_problem())


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_an_infinite_target_is_refused(value: float) -> None:
    """Infinity is a fault at the source."""
    rows = sales(28).with_columns(sold=pl.when(pl.col("sold") > 120).then(value).otherwise(pl.col("sold")))

    with pytest.raises(DataError, match="the target is infinite in 8 of 28 rows"):
        build_panel(rows, forecast_problem())


def test_a_time_that_is_no_date_is_refused() -> None:
    """Text in the time column gets a cure."""
    rows = sales(28).with_columns(day=pl.lit("soon"))

    with pytest.raises(DataError, match="a forecast needs a date in every row"):
        build_panel(rows, forecast_problem())


def test_series_too_short_for_the_horizon_are_refused() -> None:
    """Thirty days cannot be tried for a horizon of twenty."""
    problem = forecast_problem(horizon=20)
    panel = build_panel(sales(30), problem)

    with pytest.raises(DataError, match="no series is long enough for the horizon"):
        usable_series(panel, problem.forecast)


def test_a_short_and_an_ended_series_are_left_out_with_their_reasons() -> None:
    """The others are tried; the finding names both."""
    problem = forecast_problem(series=("shop",))
    rows = sales(140, 3)
    young = (pl.col("shop") == "shop 1") & (pl.col("day") < dt.date(2023, 5, 1))
    gone = (pl.col("shop") == "shop 2") & (pl.col("day") > dt.date(2023, 4, 1))
    panel = build_panel(rows.filter(~young & ~gone), problem)
    usable = usable_series(panel, problem.forecast)

    assert usable.rows == (0,)
    assert usable.left_out["shop 2"] == "it has ended"
    assert "are needed" in usable.left_out["shop 1"]
    assert [item.id for item in check_panel(panel, problem.forecast)] == ["series-left-out"]


def test_findings_name_gaps_constants_and_shifts_and_clean_series_are_quiet() -> None:
    """Each planted fault is found; a clean panel has none."""
    problem = forecast_problem(series=("shop",))
    rows = sales(200, 3)
    rows = rows.with_columns(
        sold=pl.when(pl.col("shop") == "shop 1")
        .then(5.0)
        .when((pl.col("shop") == "shop 2") & (pl.col("day") > dt.date(2023, 6, 25)))
        .then(pl.col("sold") + 900)
        .otherwise(pl.col("sold"))
    )
    broken = rows.with_row_index().filter(pl.col("index") % 9 != 4).drop("index")

    assert [item.id for item in check_panel(build_panel(broken, problem), problem.forecast)] == [
        "series-gaps",
        "series-constant",
        "series-level-shift",
    ]
    assert check_panel(build_panel(sales(200, 3), problem), problem.forecast) == ()


def test_seasons_and_frequencies() -> None:
    """The calendar gives the seasons, the moments give the step."""
    months = pl.Series([dt.date(2020 + step // 12, step % 12 + 1, 1) for step in range(30)])

    assert infer_frequency(months) == "1mo"
    assert usual_seasons("15m") == (96, 672)
    assert usual_seasons("1mo") == (12,)
    assert usual_seasons("1w") == (52,)
