"""A project on a table that should not be whole in memory: `new`, `check` and `audit`, each a fresh process.

Run::

python benchmarks/audit/large_project.py 3000000x30

"""

import shutil
import sys
import tempfile
from pathlib import Path

import polars as pl
from processes import commanded
from tables import ROOT, TARGETS, table

CACHE = ROOT / ".cache" / "bench" / "tables"
FORMS = (".parquet", ".csv")


def main() -> None:
    """One table in Markdown: seconds and peak memory of each command, for Parquet and for delimited text."""
    name = sys.argv[1] if len(sys.argv) > 1 else "3000000x30"
    print("| source | command | wall s | processor s | peak MB |")
    print("|---|---|---:|---:|---:|")
    parquet = table(name, CACHE)
    for form in FORMS:
        source = parquet.with_suffix(form)
        if not source.exists():
            part = source.with_suffix(".part")
            pl.scan_parquet(parquet).sink_csv(part)
            part.replace(source)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            project = Path(folder) / "large"
            verbs = (
                ("new", str(project), "--data", str(source), "--target", TARGETS["adult_census"]),
                ("check", "--project", str(project)),
                ("check", "--project", str(project)),
                ("audit", "--project", str(project)),
            )
            for verb in verbs:
                cost = commanded(Path(shutil.which("modelyard", path=str(Path(sys.executable).parent)) or ""), *verb)
                size = source.stat().st_size / 1e6
                line = f"{cost.wall_s:.1f} | {cost.processor_s:.1f} | {cost.peak_mb:,.0f}"
                print(f"| {name}{form}, {size:,.0f} MB | {verb[0]} | {line} |", flush=True)


if __name__ == "__main__":
    main()
