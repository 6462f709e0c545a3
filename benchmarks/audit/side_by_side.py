"""The audit beside fg-data-profiling and skrub: time, processor time, memory and size of the page; medians of rounds.

Every measurement is a fresh process that reads a Parquet file and writes a page. The tools take turns within a round,
so that a busy machine is busy for all of them; ratios are medians of the rounds' ratios. Peers live in virtual
environments of their own under ``.cache/bench``, made on the first run::

    python benchmarks/audit/side_by_side.py
    python benchmarks/audit/side_by_side.py --tables adult_census --rounds 5

"""

import argparse
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from processes import Cost, environment, measured
from tables import ROOT, TARGETS, table

CACHE = ROOT / ".cache" / "bench"
PROFILING = ["fg-data-profiling==4.20.0", "pyarrow==26.0.1"]
SKRUB = ["skrub==0.11.0", "pandas==3.1.1", "pyarrow==26.0.1"]
MOST_CELLS_FOR_DEFAULT = 2_000_000
"""The default report of fg-data-profiling draws every pair of columns; it is not asked for more cells than this."""


def main() -> None:
    """Measure all tools on all tables, and print a table in Markdown for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    names = ["adult_census", "bank_additional", "1000000x50"]
    parser.add_argument("--tables", nargs="+", default=names, help="real tables, or ROWSxCOLUMNS made of real rows")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians over them are printed")
    given = parser.parse_args()
    for name in given.tables:
        costs: dict[str, list[Cost]] = {}
        for _ in range(given.rounds):
            for tool, cost in _round(name):
                costs.setdefault(tool, []).append(cost)
        print("\n".join(_lines(name, costs)), flush=True)


def _round(name: str) -> Iterator[tuple[str, Cost]]:
    """Every tool once on one table."""
    path = table(name, CACHE / "tables")
    target = TARGETS.get(name, TARGETS["adult_census"])
    ours = Path(sys.executable)
    profiling = environment(CACHE, "profiling", PROFILING)
    yield "modelyard, quick", measured(ours, "ours.py", str(path), "PAGE", "quick", target)
    yield "fg-data-profiling, minimal", measured(profiling, "peer_profiling.py", str(path), "PAGE", "minimal")
    yield "modelyard, full", measured(ours, "ours.py", str(path), "PAGE", "full", target)
    if name in TARGETS or _cells(name) <= MOST_CELLS_FOR_DEFAULT:
        yield "fg-data-profiling, default", measured(profiling, "peer_profiling.py", str(path), "PAGE", "default")
    yield "skrub TableReport", measured(environment(CACHE, "skrub", SKRUB), "peer_skrub.py", str(path), "PAGE")


def _cells(name: str) -> int:
    rows, columns = (int(part) for part in name.split("x"))
    return rows * columns


def _lines(name: str, costs: dict[str, list[Cost]]) -> Iterator[str]:
    """One table in Markdown: medians, and how many times faster the quick and the full audit are, round by round."""
    yield f"\n### {name}\n"
    yield "| tool | wall s | processor s | peak MB | page MB | quick audit is … times faster | full audit is … times faster |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for tool, rounds in costs.items():
        figures = (
            statistics.median(cost.wall_s for cost in rounds),
            statistics.median(cost.processor_s for cost in rounds),
            statistics.median(cost.peak_mb for cost in rounds),
            statistics.median(cost.html_mb for cost in rounds),
        )
        ratios = " | ".join(_ratio(rounds, costs[ours]) for ours in ("modelyard, quick", "modelyard, full"))
        yield f"| {tool} | {figures[0]:.2f} | {figures[1]:.2f} | {figures[2]:,.0f} | {figures[3]:.2f} | {ratios} |"


def _ratio(theirs: list[Cost], ours: list[Cost]) -> str:
    """Median over rounds of their time by ours: wall, and processor in brackets."""
    wall = statistics.median(a.wall_s / b.wall_s for a, b in zip(theirs, ours, strict=True))
    processor = statistics.median(a.processor_s / b.processor_s for a, b in zip(theirs, ours, strict=True))
    return f"{wall:.1f} ({processor:.1f})"


if __name__ == "__main__":
    main()
