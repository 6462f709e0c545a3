import datetime as dt

import numpy as np
import polars as pl

from modelyard.core import Severity
from modelyard.monitoring.flow import volume_findings, volumes

MONDAY = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def _rows(counts: list[int], hours: float = 24.0) -> pl.DataFrame:
    """So many rows in each period."""
    at = [
        MONDAY + dt.timedelta(hours=hours * (day + (row + 0.5) / count))
        for day, count in enumerate(counts)
        for row in range(count)
    ]
    return pl.DataFrame({"at": at}, schema={"at": pl.Datetime("us", "UTC")})


def _severity(counts: list[int], now_day: int | None = None) -> Severity | None:
    now = MONDAY + dt.timedelta(days=now_day) if now_day is not None else None
    found = volume_findings(volumes(_rows(counts), "day", now=now))
    return found[0].severity if found else None


def test_days_that_vary_stay_quiet() -> None:
    """Random days, and weekends that are a fifth of a weekday, are no finding in 60 days."""
    generator = np.random.default_rng(1)
    plain = generator.poisson(300, 60).tolist()
    weekly = [int(generator.poisson(60 if day % 7 >= 5 else 300)) for day in range(60)]

    assert _severity(plain) is None
    assert _severity(weekly) in (None, Severity.INFO)
    assert [volume.level for volume in volumes(_rows(weekly), "day")[35:]] == [0] * 24


def test_a_source_that_dries_up_is_an_error_on_the_second_day() -> None:
    """One thin day is a warning, two are an error; the day that is not over is not judged."""
    usual = [300] * 20

    assert _severity([*usual, 20, 300]) is Severity.WARNING
    assert _severity([*usual, 20, 25, 300]) is Severity.ERROR
    assert _severity([*usual, 20]) is None


def test_a_log_that_stopped_shows_until_now() -> None:
    """Periods without a row are periods too, if it is known what time it is."""
    rows = _rows([300] * 20)
    found = volumes(rows, "day", now=MONDAY + dt.timedelta(days=23, hours=5))
    finding = volume_findings(found)[0]

    assert [volume.rows for volume in found[-4:]] == [300, 0, 0, 0]
    assert finding.severity is Severity.ERROR
    assert "Nothing has come for 3 periods" in finding.message
    assert volumes(rows, "day")[-1].rows == 300


def test_twice_as_many_rows_are_seen() -> None:
    """A load that doubles beyond what is usual is a warning."""
    assert _severity([*[300] * 20, 900, 900, 300]) is Severity.WARNING


def test_batches_have_no_volume() -> None:
    """Windows by number of rows or by batch hold what they hold."""
    rows = _rows([300] * 20)

    assert volumes(rows, 100) == ()
    assert volumes(rows, "batch") == ()
    assert volumes(rows.clear(), "day") == ()


def test_a_short_history_judges_nothing() -> None:
    """With fewer than eight periods before, nothing is usual."""
    assert _severity([300] * 7 + [1, 300]) is None
