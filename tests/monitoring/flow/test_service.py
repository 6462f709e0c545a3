from collections.abc import Callable

import numpy as np
import polars as pl

from modelyard.core import Severity
from modelyard.monitoring.flow import service_findings, service_windows
from modelyard.monitoring.windows import cut_windows

Log = tuple[pl.DataFrame, pl.DataFrame]
MakeLog = Callable[..., Log]


def _served(log: pl.DataFrame) -> pl.DataFrame:
    """The log with a latency of about 3 ms."""
    return log.with_columns(latency_ms=pl.Series(np.random.default_rng(0).lognormal(1.0, 0.5, log.height)))


def _findings(log: pl.DataFrame) -> dict[str, Severity]:
    found = service_findings(service_windows(cut_windows(log, "day", min_rows=200)))
    return {finding.id: finding.severity for finding in found}


def _from_day(day: int) -> pl.Expr:
    return pl.col("id").str.split("-").list.first().cast(pl.Int64) >= day


def test_a_service_that_is_well_is_quiet(make_log: MakeLog) -> None:
    """No findings in thirty clean days."""
    assert _findings(_served(make_log(30, rows=250)[0])) == {}


def test_latency_that_doubles_and_stays_is_an_error(make_log: MakeLog) -> None:
    """Three times as slow on the last two days is an error, on the last day alone a warning."""
    log = _served(make_log(8)[0])
    slow = pl.col("latency_ms") * 3
    two, one = (
        log.with_columns(pl.when(_from_day(day)).then(slow).otherwise("latency_ms").alias("latency_ms"))
        for day in (6, 7)
    )

    assert _findings(two) == {"latency-doubled": Severity.ERROR}
    assert _findings(one) == {"latency-doubled": Severity.WARNING}


def test_answers_without_a_score_are_errors(make_log: MakeLog) -> None:
    """A third of the rows unscored calls somebody; one in a thousand does not."""
    log = _served(make_log(4)[0])
    drawn = pl.Series(np.random.default_rng(1).random(log.height))
    many, few = (
        log.with_columns(pl.when(pl.lit(drawn) < share).then(None).otherwise("score").alias("score"))
        for share in (0.33, 0.001)
    )

    assert _findings(many) == {"errors": Severity.ERROR}
    assert _findings(few) == {}


def test_rows_that_come_twice_under_new_ids_are_seen(make_log: MakeLog) -> None:
    """A batch that is sent again repeats its features; repeated ids are found elsewhere."""
    log = _served(make_log(6)[0])
    last = log.filter(_from_day(5))
    again = pl.concat([log, last.with_columns(id=pl.concat_str(pl.col("id"), pl.lit("-again")))])

    assert _findings(again) == {"repeated-rows": Severity.WARNING}


def test_rows_that_break_lenient_rules_are_counted(make_log: MakeLog) -> None:
    """A flood of flags stands out against the windows before."""
    log = _served(make_log(6)[0]).with_columns(
        flags=pl.when(_from_day(4)).then(pl.lit(["age: high"])).otherwise(pl.lit([], dtype=pl.List(pl.String)))
    )
    windows = service_windows(cut_windows(log, "day", min_rows=200))

    assert [window.flagged for window in windows] == [0, 0, 0, 0, 600, 600]
    assert _findings(log) == {"flagged-rows": Severity.ERROR}
