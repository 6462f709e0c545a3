"""A decay is found and named, steady models stay quiet, and the trend test is rarely wrong."""

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.evaluation import Evaluation, Stability
from modelyard.evaluation.page.periods import periods_section
from modelyard.evaluation.periods import trend_findings
from modelyard.evaluation.periods.measure import measure_stability
from modelyard.evaluation.systems import JudgedRows, resampling_units
from modelyard.problem import Problem
from modelyard.training.metrics import score

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def _problem(time: str | None = "at") -> Problem:
    return Problem.model_validate(
        {"task": "regression", "data": {"source": "t.csv", "target": "y", "time": time}, "metrics": {"primary": "mae"}}
    )


def _rows(
    days: int, a_day: int, *, growth: float, seed: int = 0, step: dt.timedelta = dt.timedelta(days=1)
) -> JudgedRows:
    """Errors whose size grows by ``growth`` from the first row to the last."""
    count = days * a_day
    size = 1 + growth * np.arange(count) / count
    errors = np.random.default_rng(seed).normal(0, size)
    moments: list[Any] = [START + step * (number // a_day) for number in range(count)]
    frame = pl.DataFrame({"at": moments})
    return JudgedRows("test", frame, errors, {"winner": np.zeros(count)}, units=resampling_units(_problem(), frame))


def _measured(rows: JudgedRows) -> Stability:
    found = measure_stability(_problem(), rows, confidence=0.95, seed=0)
    assert found is not None
    return found


def test_a_decay_is_found_and_named() -> None:
    """Errors that double over six months: six periods with their own figures, a trend, a finding with both ends."""
    rows = _rows(182, 10, growth=1.0)
    found = _measured(rows)
    first = np.array([moment.month == 1 for moment in rows.frame["at"]])
    findings = list(trend_findings(found))

    assert found.unit == "month"
    assert [period.name for period in found.periods][:2] == ["2024-01", "2024-02"]
    assert found.periods[0].rows == 310
    assert found.periods[0].score == pytest.approx(score("mae", rows.truth[first], np.zeros(310)))
    assert found.trend == pytest.approx(-0.8 / 6, abs=0.05)
    assert found.direction == "worse"
    assert [finding.id for finding in findings] == ["worse-over-time"]
    assert "in 2024-01" in findings[0].message
    assert "in 2024-06" in findings[0].message


def test_a_recovery_is_no_finding() -> None:
    """Errors that halve are a trend, but nothing to settle."""
    found = _measured(_rows(182, 10, growth=-0.5))

    assert found.direction == "better"
    assert list(trend_findings(found)) == []


def test_the_trend_test_is_rarely_wrong() -> None:
    """Steady errors: of 200 tests 2 to 9 % are below 0.05."""
    wrong = [(_measured(_rows(40, 10, growth=0.0, seed=seed)).p_value or 0) < 0.05 for seed in range(200)]

    assert 0.02 <= np.mean(wrong) <= 0.09


@pytest.mark.parametrize(
    ("days", "step", "unit"),
    [
        (20, dt.timedelta(hours=6), "day"),
        (60, dt.timedelta(days=2), "week"),
        (300, dt.timedelta(days=5), "quarter"),
        (300, dt.timedelta(days=20), "year"),
        (40, dt.timedelta(minutes=1), "part"),
    ],
)
def test_periods_follow_the_calendar(days: int, step: dt.timedelta, unit: str) -> None:
    """The shortest unit of which there are at most 24 with rows enough; within one day, parts of equal size."""
    found = _measured(_rows(days, 16, growth=0.0, step=step))

    assert found.unit == unit
    assert 3 <= len(found.periods) <= 24
    assert sum(period.rows for period in found.periods) == days * 16


def test_numbers_are_moments_too() -> None:
    """A row number as time column makes parts of equal size."""
    rows = _rows(60, 10, growth=0.0)
    numbered = dataclasses.replace(rows, frame=pl.DataFrame({"at": np.arange(600)}))
    found = _measured(numbered)

    assert found.unit == "part"
    assert [abs(period.rows - 75) <= 1 for period in found.periods] == [True] * 8


def test_without_time_or_rows_nothing_is_said() -> None:
    """No time column, or 100 rows."""
    assert measure_stability(_problem(None), _rows(60, 10, growth=0.0), confidence=0.95, seed=0) is None
    assert measure_stability(_problem(), _rows(10, 10, growth=0.0), confidence=0.95, seed=0) is None


def test_the_page_tells_it(churn_evaluation: Evaluation) -> None:
    """The lead names the trend; without a time column there is no section."""
    found = _measured(_rows(182, 10, growth=1.0))
    section = periods_section(dataclasses.replace(churn_evaluation, stability=found))

    assert section is not None
    assert section.lead.startswith("Over 6 months MAE **gets worse** by 0.")
    assert periods_section(churn_evaluation) is None
    assert Stability.from_dict(found.to_dict()) == found
