"""What it costs to keep a window's state: 1 million rows of 50 columns, and hours added up to the day.

Run::

python benchmarks/monitoring/state_update.py

Prints processor seconds, which hold on a busy machine too, and bytes.
"""

import datetime as dt
import gzip
import resource
import time

import numpy as np
import polars as pl

from modelyard.core import canonical_json
from modelyard.data.profile import build_profile
from modelyard.data.schema import Column, ColumnKind
from modelyard.monitoring.drift import drift_test
from modelyard.monitoring.state import count_rows, merged

ROWS, NUMBERS, CATEGORIES = 1_000_000, 40, 10
START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def _table(rows: int, seed: int) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    numbers = {f"n{place}": generator.normal(size=rows) for place in range(NUMBERS)}
    words = np.array(["basic", "plus", "gold", "none", "other"])
    chosen = {f"c{place}": words[generator.integers(0, 5, rows)] for place in range(CATEGORIES)}
    return pl.DataFrame({**numbers, **chosen})


def _log(rows: int, hours: int) -> pl.DataFrame:
    """A day's log in the form of the prediction log."""
    at = pl.datetime_range(
        START, START + dt.timedelta(hours=hours), interval=f"{hours * 3_600_000_000 // rows}us", eager=True
    )
    frame = _table(rows, 2).rename(lambda name: f"feature.{name}")
    ids = pl.Series("id", np.arange(rows)).cast(pl.String)
    return frame.with_columns(ids, at[:rows].alias("at"), pl.lit(0.5).alias("score"))


def main() -> None:
    """One table in Markdown."""
    columns = [Column(f"n{place}", ColumnKind.NUMERIC, "Float64", nullable=True) for place in range(NUMBERS)]
    columns += [Column(f"c{place}", ColumnKind.CATEGORY, "String", nullable=True) for place in range(CATEGORIES)]
    print("| what | processor s | bytes |")
    print("|---|---:|---:|")
    profile = build_profile(_table(20_000, 1), columns)
    for hours in (1, 24):
        log = _log(ROWS, hours)
        begin = time.process_time()
        states = count_rows(profile, log)
        counted = time.process_time() - begin
        size = sum(len(gzip.compress(canonical_json(state.to_dict()), mtime=0)) for state in states)
        print(f"| {ROWS:,} rows x {len(columns)} columns in {hours} hours | {counted:.2f} | {size:,} |")
    begin = time.process_time()
    day = merged(states)
    print(f"| {len(states)} hours added up | {time.process_time() - begin:.3f} | |")
    if day is None or day.rows != ROWS:
        raise SystemExit("the hours do not add up to the day")
    for size in (20_000, 200_000):
        profile = build_profile(_table(size, 1), columns)
        begin = time.process_time()
        for reference in profile.features:
            state = day.feature(f"feature.{reference.name}")
            if state is not None:
                drift_test(reference, state.counts, false_alarm_rate=0.01, features=len(columns))
        print(
            f"| verdict on {len(columns)} columns, reference of {size:,} rows | {time.process_time() - begin:.3f} | |"
        )
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB, tables included")


if __name__ == "__main__":
    main()
