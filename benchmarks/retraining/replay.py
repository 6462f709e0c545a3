"""What policies of retraining earn on two real histories: python benchmarks/retraining/replay.py [NAME [DATA [FOLDER]]].

NAME is electricity or bank, both by default; DATA the folder of the tables, ``tests/data`` by default; FOLDER keeps the projects, so that
a run that was broken off goes on. Prints a table for each: the metric over the whole replay, what is gained over never
retraining, the retrainings, and the gain by retraining.

The tables come without a clock, and get the one that their documentation tells. ELEC2 has a row for every half hour from 7 May 1996 on.
The rows of the bank stand in the order of time from May 2008 to November 2010 with their month; within a month they are spread evenly, so
that their day is made up and is no feature. The length of the call is left out, since it is known only when the answer is.
"""

import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from modelyard import Project
from modelyard.retraining.replay.page import table_rows

POLICIES = ("never", "monthly", "default", "weekly")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SETTINGS = (
    "data.time=at",
    "owner=benchmark",
    "monitoring.window=week",
    "training.families=[lightgbm]",
    "training.params={lightgbm: {num_leaves: 15, learning_rate: 0.1}}",
)

OWN_SETTINGS = {
    "electricity": (),
    "bank": ("data.exclude={at: the day is made up, month: two months of training say nothing of the others}",),
}


def electricity(data: Path) -> tuple[pl.DataFrame, str]:
    """Half hours of a market in New South Wales, and whether the price is above the last day's mean."""
    rows = pl.read_parquet(data / "electricity_elec2.parquet").sort("row_order")
    begin = dt.datetime(1996, 5, 7, tzinfo=dt.UTC)
    at = begin + pl.duration(minutes=30 * pl.col("row_order").cast(pl.Int64))
    return rows.with_columns(at.alias("at")).drop("row_order"), "price_up"


def bank(data: Path) -> tuple[pl.DataFrame, str]:
    """Calls of a Portuguese bank, and whether a deposit was subscribed."""
    rows = pl.read_parquet(data / "bank_additional.parquet").sort("row_order")
    moments: list[dt.datetime] = []
    year, before = 2008, 0
    for run in rows["month"].rle().struct.unnest().iter_rows(named=True):
        month = MONTHS.index(run["value"]) + 1
        year += month < before
        begin = dt.datetime(year, month, 1, tzinfo=dt.UTC)
        end = dt.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=dt.UTC)
        moments += [begin + (end - begin) * place / run["len"] for place in range(run["len"])]
        before = month
    return rows.with_columns(pl.Series("at", moments)).drop("row_order", "duration"), "y"


def main(names: tuple[str, ...], data: Path, folder: Path) -> None:
    """Run and print."""
    for name in names:
        table, target = {"electricity": electricity, "bank": bank}[name](data)
        home = folder / name
        home.mkdir(parents=True, exist_ok=True)
        table.write_parquet(home / "history.parquet")
        if not (home / "project").exists():
            table[: table.height // 4].write_parquet(home / "first.parquet")
            Project.new(home / "project", data=home / "first.parquet", target=target)
        begun = time.perf_counter()
        project = Project.open(home / "project", settings=(*SETTINGS, *OWN_SETTINGS[name]))
        found, page = project.replays.run(home / "history.parquet", POLICIES)
        heads, rows = table_rows(found)
        print(f"\n{name}: {found.rows:,} rows, {found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}, metric {found.metric}")
        print(f"| {' | '.join(heads)} |")
        for row in rows:
            print(f"| {' | '.join(row)} |")
        print(found.recommendation)
        print(f"{time.perf_counter() - begun:.0f} s, {page}", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    wanted = tuple(given[:1]) or ("electricity", "bank")
    source = Path(given[1]) if len(given) > 1 else Path(__file__).parents[2] / "tests" / "data"
    with tempfile.TemporaryDirectory() as scratch:
        main(wanted, source, Path(given[2]) if len(given) > 2 else Path(scratch))
