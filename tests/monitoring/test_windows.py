import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import DataError
from modelyard.monitoring.windows import Length, before_moment, cut_windows

START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def _frame(hours: list[float]) -> pl.DataFrame:
    moments = [START + dt.timedelta(hours=hour) for hour in hours]
    return pl.DataFrame({"id": range(len(hours)), "at": moments}, schema_overrides={"at": pl.Datetime("us", "UTC")})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 500), max_size=60), st.sampled_from(["batch", "hour", "day", "week"]), st.integers(1, 20))
def test_windows_keep_every_row_in_order(hours: list[float], length: Length, min_rows: int) -> None:
    """Windows hold each row once, in time order, and all but the last have enough rows."""
    windows = cut_windows(_frame(hours), length, min_rows=min_rows)
    moments = [moment for window in windows for moment in window.frame["at"]]

    assert moments == sorted(moments)
    assert sorted(row for window in windows for row in window.frame["id"]) == list(range(len(hours)))
    assert all(window.facts.rows >= min_rows for window in windows[:-1])
    assert [window.facts.judged for window in windows] == [window.facts.rows >= min_rows for window in windows]


def test_small_days_merge_with_the_next() -> None:
    """A day with too few rows joins the following ones; the rest waits."""
    windows = cut_windows(_frame([1, 2, 25, 26, 27, 49, 50, 51, 73]), "day", min_rows=3)

    assert [window.facts.name for window in windows] == ["2026-11-02 to 2026-11-03", "2026-11-04", "2026-11-05"]
    assert [window.facts.merged for window in windows] == [2, 1, 1]
    assert [window.facts.judged for window in windows] == [True, True, False]


def test_a_batch_is_the_rows_of_one_moment() -> None:
    """Rows scored together stay together."""
    windows = cut_windows(_frame([5, 0, 0, 5, 0, 5]), "batch", min_rows=2)

    assert [window.facts.rows for window in windows] == [3, 3]


def test_weeks_begin_on_monday() -> None:
    """The name of a week is its Monday."""
    windows = cut_windows(_frame([0, 24 * 6.5, 24 * 7]), "week", min_rows=1)

    assert [window.facts.name for window in windows] == ["week of 2026-11-02", "week of 2026-11-09"]


def test_an_empty_log_has_no_windows() -> None:
    """No rows, no windows, no error."""
    assert cut_windows(_frame([]), "day", min_rows=200) == ()


@pytest.mark.parametrize(
    "at",
    [
        pl.Series("at", [dt.datetime(2026, 11, 2, 8)]),  # noqa: DTZ001 - a moment without a zone is the point
        pl.Series("at", ["2026-11-02T08:00:00Z"]),
        pl.Series("at", [dt.datetime(2026, 11, 2, 9, tzinfo=dt.timezone(dt.timedelta(hours=1)))]),
    ],
)
def test_moments_are_read_in_utc(at: pl.Series) -> None:
    """Naive moments are UTC, zones are converted, ISO text is read."""
    windows = cut_windows(pl.DataFrame([at]), "hour", min_rows=1)

    assert windows[0].facts.start == dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)
    assert windows[0].facts.name == "2026-11-02 08:00"


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (pl.DataFrame({"id": [1]}), "no column 'at'"),
        (pl.DataFrame({"at": [1.5]}), "holds no times"),
        (pl.DataFrame({"at": ["2026-11-02T08:00:00Z", "soon"]}), "no readable moment"),
    ],
)
def test_a_log_without_times_is_refused(frame: pl.DataFrame, what: str) -> None:
    """The error says what is wrong with the times."""
    with pytest.raises(DataError, match=what):
        cut_windows(frame, "day", min_rows=1)


def test_windows_by_number_of_rows() -> None:
    """Each window holds so many rows, in the order of time; the last waits until it is full."""
    windows = cut_windows(_frame([float(hour) for hour in reversed(range(130))]), 50, min_rows=50)

    assert [(window.facts.rows, window.facts.judged) for window in windows] == [(50, True), (50, True), (30, False)]
    assert windows[0].facts.name == "rows 1 to 50"
    assert windows[0].frame["id"].to_list() == list(range(129, 79, -1))


def test_a_batch_is_what_a_column_names() -> None:
    """Rows of one batch are one window however they are mixed, and small batches merge with the next."""
    frame = _frame([0, 1, 2, 3, 4, 5, 6]).with_columns(pl.Series("feature.run", ["a", "b", "a", "b", "a", "c", "b"]))
    windows = cut_windows(frame, "batch", min_rows=3, batch="run")
    merged = cut_windows(frame, "batch", min_rows=4, batch="run")

    assert [window.facts.name for window in windows] == ["batch a", "batch b", "batch c"]
    assert [window.frame["id"].to_list() for window in windows] == [[0, 2, 4], [1, 3, 6], [5]]
    assert [window.facts.name for window in merged] == ["batches a to b", "batch c"]
    assert windows[0].frame.columns == frame.columns
    with pytest.raises(DataError, match="no such column of batches"):
        cut_windows(frame, "batch", min_rows=3, batch="night")


def test_days_are_days_of_the_zone() -> None:
    """23:30 UTC is the next day in Berlin, and a day of a change of clocks has 25 hours."""
    frame = _frame([23.5, 25.0])
    autumn = pl.DataFrame(
        {"at": [dt.datetime(2026, 10, 24, 22, tzinfo=dt.UTC) + dt.timedelta(hours=hour) for hour in range(26)]}
    )

    assert [window.facts.rows for window in cut_windows(frame, "day", min_rows=1)] == [1, 1]
    berlin = cut_windows(frame, "day", min_rows=1, zone="Europe/Berlin")
    assert [(window.facts.name, window.facts.rows) for window in berlin] == [("2026-11-03", 2)]
    long = cut_windows(autumn, "day", min_rows=1, zone="Europe/Berlin")
    assert [(window.facts.name, window.facts.rows) for window in long] == [("2026-10-25", 25), ("2026-10-26", 1)]


def test_rows_ahead_of_now_are_left_out_and_counted() -> None:
    """Five minutes are no offence; what is later is counted."""
    now = START + dt.timedelta(hours=1)
    kept, ahead = before_moment(_frame([0.5, 1.05, 1.2, 30]), now, dt.timedelta(minutes=5))

    assert kept["id"].to_list() == [0, 1]
    assert ahead == 2
