import math
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring import monitor
from modelyard.monitoring.streams import Adwin, error_stream, stream_findings
from modelyard.problem import Problem, Task

Log = tuple[pl.DataFrame, pl.DataFrame]
MakeLog = Callable[..., Log]


def _alarms(values: np.ndarray) -> list[int]:
    stream = Adwin()
    return [row for row, value in enumerate(values.tolist()) if stream.update(value)]


def test_an_unchanged_error_rate_is_no_alarm() -> None:
    """Twenty thousand errors at a rate of 0.1, ten times: no alarm."""
    alarms = [_alarms((np.random.default_rng(seed).random(20_000) < 0.1).astype(float)) for seed in range(10)]

    assert sum(map(len, alarms)) == 0


def test_a_rate_that_rises_by_half_is_seen_within_some_thousand_labels() -> None:
    """From 0.10 to 0.15 after 5,000 labels: always seen, and in the middle after about a thousand."""
    delays: list[float] = []
    for seed in range(20):
        drawn = np.random.default_rng(100 + seed).random(10_000)
        values = np.where(np.arange(10_000) < 5_000, drawn < 0.1, drawn < 0.15).astype(float)
        late = [row - 5_000 for row in _alarms(values) if row >= 5_000]
        delays.append(late[0] if late else math.inf)

    assert max(delays) < 5_000
    assert 500 < float(np.median(delays)) < 1_500


def test_the_window_is_what_came_since() -> None:
    """After a change the mean is that of the new values, and the histogram stays small."""
    generator = np.random.default_rng(3)
    stream = Adwin()
    for value in np.concatenate([generator.random(4_000) < 0.1, generator.random(4_000) < 0.4]).tolist():
        stream.update(float(value))

    assert abs(stream.mean - 0.4) < 0.03
    assert stream.width <= 4_100
    assert sum(len(row) for row in stream._rows) < 80


def test_the_histogram_keeps_mean_and_variance() -> None:
    """Without a change, the summary's mean and variance are those of all values."""
    values = np.random.default_rng(4).random(3_000)
    stream = Adwin()
    assert _alarms(values) == []
    for value in values.tolist():
        stream.update(value)

    assert stream.width == 3_000
    assert stream.mean == pytest.approx(values.mean())
    assert stream._squares / stream.width == pytest.approx(values.var(), rel=1e-6)


def test_errors_are_watched_in_the_order_of_their_labels(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """A turned relation is a rise of the error rate, found in labels that came in another order than their rows."""
    log, labels = make_log(6, lambda day: {"turned": day >= 4})
    quiet_log, quiet_labels = make_log(6)
    arrived = labels.with_columns(at=log["at"]).sample(fraction=1.0, shuffle=True, seed=1)
    report = monitor(profile, log, arrived, problem, reference_score=0.78, classes=("No", "Yes"))
    quiet = monitor(profile, quiet_log, quiet_labels, problem, reference_score=0.78, classes=("No", "Yes"))

    assert report.stream is not None
    assert quiet.stream is not None
    assert quiet.stream.changes == ()
    assert len(report.stream.changes) >= 1
    assert 2_400 < report.stream.changes[0].row < 3_200
    assert report.stream.changes[0].before < 0.25
    assert report.stream.rate > 0.35
    assert [finding.id for finding in stream_findings(report.stream)] == ["error-rate-rose"]
    assert "error-rate-rose" not in {finding.id for finding in report.findings}  # the loss is said once


def test_errors_of_values_count_by_their_first_three_hundred() -> None:
    """A model of values that becomes worse has more errors beyond what nineteen of twenty once were."""
    generator = np.random.default_rng(5)
    spread = np.where(np.arange(4_000) < 2_000, 1.0, 3.0)
    frame = pl.DataFrame(
        {
            "at": pl.datetime_range(
                pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 1) + pl.duration(hours=3_999), "1h", eager=True
            ),
            "score": np.zeros(4_000),
            "truth": (generator.normal(size=4_000) * spread).astype(str),
        }
    )
    stream = error_stream(frame, Task.REGRESSION)

    assert stream is not None
    assert stream.unit == pytest.approx(2.0, abs=0.3)
    assert [2_000 < change.row < 2_400 for change in stream.changes][:1] == [True]
    assert stream.rate > 0.4
    assert error_stream(frame.head(200), Task.REGRESSION) is None
