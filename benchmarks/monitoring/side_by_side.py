"""A check for drift beside Evidently's and NannyML's: what it costs, and how often it cries wolf.

    python benchmarks/monitoring/side_by_side.py
    python benchmarks/monitoring/side_by_side.py --only alarms --tools modelyard nannyml

Every tool at its defaults, on the same tables of 40 numbers and 10 categories (``drift_check.py``). *Cost*: one process reads a
reference and a window from Parquet and judges every column; ours once more with the profile of the reference that a package
carries, so that only the window is read, as in practice. *Alarms*: references and windows of which nothing changed, by the rows
of the window; the share of windows in which any of the 50 columns alarms. Peers live in environments of their own under
``.cache/bench``, made on the first run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("drift_check.py")
PEERS = ROOT / ".cache" / "bench" / "monitoring-peers"
INSTALLS = {
    "evidently": ("evidently==0.7.23", "pandas<3", "pyarrow"),
    "nannyml": ("nannyml==0.13.1", "pandas<3", "pyarrow", "statsmodels"),
}
TOOLS = ("modelyard", *INSTALLS)
SIZES = (20_000, 1_000_000)
RUNS = {"modelyard": 1.0, "nannyml": 0.2, "evidently": 0.1}
"""Share of the runs that a tool makes: seconds of ours are minutes of others."""

WORLDS = (("clean", 200, 100), ("clean", 1_000, 100), ("clean", 10_000, 40), ("shift", 3_000, 50), ("days", 1_000, 40))


def main() -> None:
    """Print both tables in Markdown, a line when it is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", choices=("cost", "alarms"))
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=TOOLS)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    given = parser.parse_args()
    pythons = {tool: _python(tool) for tool in given.tools}
    if given.only != "alarms":
        _print_lines(_costs(pythons, given.sizes))
    if given.only != "cost":
        _print_lines(_alarms(pythons))


def _print_lines(lines: Iterator[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _costs(pythons: dict[str, Path], sizes: Sequence[int]) -> Iterator[str]:
    yield "| rows, before and now | tool | wall s | processor s | peak MB | columns that alarm |"
    yield "|---:|---|---:|---:|---:|---:|"
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("reference.parquet", "window.parquet")]
        for rows in sizes:
            for seed, path in enumerate(paths):
                # In a process of its own: the peak of a child counts what its parent held when it began.
                command = [sys.executable, str(WORKER), "modelyard", "table", str(rows), str(seed), str(path)]
                subprocess.run(command, check=True)
            for tool, python in pythons.items():
                yield _cost(tool, tool, python, rows, paths)
                if tool == "modelyard":
                    stored = paths[0].with_suffix(".json")
                    command = [str(python), str(WORKER), tool, "profile", str(paths[0]), str(stored)]
                    subprocess.run(command, check=True, env=_surroundings(tool))
                    yield _cost("modelyard, profile stored", tool, python, rows, (stored, paths[1]))


def _cost(name: str, tool: str, python: Path, rows: int, paths: Sequence[Path]) -> str:
    """One process, counted."""
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        command = [str(python), str(WORKER), tool, "check", *map(str, paths)]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, env=_surroundings(tool))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall_s, processor_s = time.perf_counter() - begun, usage.ru_utime + usage.ru_stime
        if process.returncode:
            return f"| {rows:,} | {name} | failed ({process.returncode}) after {wall_s:.0f} s | | | |"
        output.seek(0)
        alarms = json.loads(output.read())["alarms"]
    return f"| {rows:,} | {name} | {wall_s:.1f} | {processor_s:.1f} | {usage.ru_maxrss / 1024:,.0f} | {alarms} |"


def _alarms(pythons: dict[str, Path]) -> Iterator[str]:
    yield "\n| world | rows | tool | windows | any alarm | columns that alarm | the first column alarms |"
    yield "|---|---:|---|---:|---:|---:|---:|"
    for world, rows, most in WORLDS:
        for tool, python in pythons.items():
            runs = max(round(most * RUNS[tool]), 4)
            command = [str(python), str(WORKER), tool, "runs", world, str(rows), str(runs)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=_surroundings(tool))
            found = json.loads(done.stdout)
            shares = (found["any"] / runs, found["columns"] / (50 * runs), found["first"] / runs)
            yield f"| {world} | {rows:,} | {tool} | {runs} | " + " | ".join(f"{share:.1%}" for share in shares) + " |"


def _surroundings(tool: str) -> dict[str, str]:
    """One thread, no word to anybody's servers; peers do not see our packages."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" or tool == "modelyard"}
    quiet = {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}
    return kept | quiet | {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}


def _python(tool: str) -> Path:
    """The Python of a tool's environment, made if it is not there."""
    if tool == "modelyard":
        return Path(sys.executable)
    folder = PEERS / tool
    python, made, wanted = folder / "bin" / "python", folder / ".made", "\n".join(INSTALLS[tool])
    if not made.exists() or made.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *INSTALLS[tool]], check=True)
        made.write_text(wanted, encoding="utf-8")
    return python


if __name__ == "__main__":
    main()
