"""Fit and transform of the boosting pipeline against Polars and NumPy written by hand for the very same matrix.

Usage: python benchmarks/features/boosting_pipeline.py [--rows 1000000] [--columns 50] [--pairs 5]

Both make the float64 matrix that LightGBM gets: numbers as they are, categories of up to twelve levels one-hot by
frequency with a flag for gaps, others as codes by frequency, constant columns dropped. Each pair runs the one right after the other, their
order swapped every time; shown are medians of processor time and of wall time, and the median of the pairs' ratios.
The matrices are asserted to be equal.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data import ColumnKind, infer_schema
from modelyard.features.encoder import TableEncoder

Matrix = npt.NDArray[np.float64]
CENSUS = Path(__file__).parents[2] / "tests" / "data" / "adult_census.parquet"
ONE_HOT, MOST_LEVELS = 12, 1_000


def by_hand(frame: pl.DataFrame, numbers: set[str]) -> Matrix:
    """Fit and transform without the room: what somebody who knows Polars well writes for this table."""
    plan: list[tuple[str, list[str] | None, bool]] = []
    width = 0
    for name in frame.columns:
        if name in numbers:
            low, high = frame.select(low=pl.col(name).min(), high=pl.col(name).max()).row(0)
            if low != high:
                plan.append((name, None, False))
                width += 1
            continue
        counted = frame[name].drop_nulls().alias("level").value_counts(name="count")
        levels = counted.sort(["count", "level"], descending=[True, False])["level"].to_list()
        if len(levels) > 1:
            flagged = len(levels) <= ONE_HOT and frame[name].null_count() >= 0.01 * frame.height
            plan.append((name, levels[:MOST_LEVELS], flagged))
            width += len(levels) + flagged if len(levels) <= ONE_HOT else 1
    matrix = np.empty((frame.height, width))
    start = 0
    for name, known, flagged in plan:
        if known is None:
            matrix[:, start] = frame[name].cast(pl.Float64).to_numpy()
            start += 1
            continue
        codes = frame[name].cast(pl.Enum(known), strict=False).to_physical()
        if len(known) > ONE_HOT:
            matrix[:, start] = codes.cast(pl.Float64).to_numpy()
            start += 1
            continue
        rows = np.eye(len(known) + 1, len(known) + flagged)
        matrix[:, start : start + rows.shape[1]] = rows[codes.cast(pl.Int64).fill_null(len(known)).to_numpy()]
        start += rows.shape[1]
    return matrix


def wide_census(rows: int, columns: int) -> pl.DataFrame:
    """The census with its rows drawn again and again, each copy of a column on its own; numbers a little shaken."""
    census = pl.read_parquet(CENSUS).drop("income", "uci_split")
    generator = np.random.default_rng(0)
    made = []
    for place in range(columns):
        column = census[census.columns[place % census.width]]
        drawn = column.gather(generator.integers(0, census.height, rows)).alias(f"{column.name} {place}")
        made.append(drawn + generator.normal(0, 0.01, rows) if drawn.dtype.is_numeric() else drawn)
    return pl.DataFrame(made)


def timed(work: Callable[[], Matrix]) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    gc.collect()
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def _same_matrix(title: str, room: Matrix, hand: Matrix) -> tuple[int, int]:
    """The shape of both, which must be equal in every cell."""
    if not np.array_equal(room, hand, equal_nan=True):
        raise SystemExit(f"{title}: the matrices differ")
    return room.shape[0], room.shape[1]


def compare(title: str, frame: pl.DataFrame, pairs: int) -> None:
    """One line of the table."""
    columns = tuple(item for item in infer_schema(frame.head(50_000)).columns if item.kind is not ColumnKind.IDENTIFIER)
    frame = frame.select(column.name for column in columns)
    numbers = {column.name for column in columns if column.kind is ColumnKind.NUMERIC}
    works = {
        "room": lambda: TableEncoder(columns, "tree").fit(frame).transform(frame),
        "hand": lambda: by_hand(frame, numbers),
    }
    shape = _same_matrix(title, works["room"](), works["hand"]())  # warms up, too
    spent: dict[str, list[tuple[float, float]]] = {"room": [], "hand": []}
    for pair in range(pairs):
        for name in sorted(works, reverse=bool(pair % 2)):
            spent[name].append(timed(works[name]))
    ratios = [room[1] / hand[1] for room, hand in zip(spent["room"], spent["hand"], strict=True)]
    walls = [room[0] / hand[0] for room, hand in zip(spent["room"], spent["hand"], strict=True)]
    room, hand = (
        tuple(statistics.median(value[which] for value in spent[name]) for which in (0, 1)) for name in ("room", "hand")
    )
    print(
        f"| {title} | {shape[0]:,} × {shape[1]} | {room[1]:.3f} s ({room[0]:.3f} s) | {hand[1]:.3f} s ({hand[0]:.3f} s) "
        f"| {statistics.median(ratios):.2f} ({statistics.median(walls):.2f}) |",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    print("| table | matrix | modelyard, processor (wall) | by hand, processor (wall) | ratio |\n|---|---|---|---|---|")
    compare("adult_census", pl.read_parquet(CENSUS).drop("income", "uci_split"), options.pairs * 3)
    compare(f"{options.rows:,} × {options.columns}", wide_census(options.rows, options.columns), options.pairs)


if __name__ == "__main__":
    main()
