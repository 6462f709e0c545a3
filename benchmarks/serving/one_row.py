"""One-row predictions over HTTP, contract, prediction log and metrics on: latency and rate, medians over rounds.

Run it on the machine of interest; load and server share its cores::

    python benchmarks/serving/one_row.py --package .modelyard/packages/churn-1

Client and server are processes of one machine, over loopback, with keep-alive. Closed loop: each connection sends its
next request when it has the answer to the last one (wrk). 500 different bodies are sent in turn.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

from load import closed_loop
from models import requests_for, rows_within


def main() -> None:
    """Start a server on a fresh log, load it, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--package", type=Path, required=True, help="folder of the package")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64], help="connections to measure with")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians over them are printed")
    given = parser.parse_args()
    bodies = requests_for("/predict", rows_within(given.package))
    with tempfile.TemporaryDirectory() as log:
        started = time.perf_counter()
        server, url = _start(given.package, Path(log))
        cold_start_s = time.perf_counter() - started
        try:
            _table(server, url, bodies, given)
            print(f"cold start {cold_start_s:.2f} s, resident {_resident_mb(server.pid):.0f} MB")
        finally:
            server.terminate()
            server.wait(timeout=30)


def _table(
    server: "subprocess.Popen[str]", url: urllib.parse.ParseResult, bodies: Sequence[bytes], given: argparse.Namespace
) -> None:
    """One line for each number of connections."""
    closed_loop(url, bodies, 4, 1.0)
    print(f"{'connections':>11} {'per second':>10} {'p50 ms':>8} {'p99 ms':>8} {'p99.9 ms':>8} {'server CPU us':>13}")
    for connections in given.connections:
        rounds = []
        for _ in range(given.rounds):
            before = _cpu_s(server.pid)
            seen = closed_loop(url, bodies, connections, given.seconds)
            cpu_us = 1e6 * (_cpu_s(server.pid) - before) / seen.answers
            rounds.append((seen.per_s, seen.p50_ms, seen.p99_ms, seen.p999_ms, cpu_us))
        rate, p50, p99, p999, cpu = (statistics.median(values) for values in zip(*rounds, strict=True))
        print(f"{connections:>11} {rate:>10,.0f} {p50:>8.3f} {p99:>8.3f} {p999:>8.3f} {cpu:>13.1f}")


def _start(package: Path, log: Path) -> "tuple[subprocess.Popen[str], urllib.parse.ParseResult]":
    """A server on a free port, and where it listens."""
    server = subprocess.Popen(
        [sys.executable, "-m", "modelyard.serving", "--package", str(package), "--log", str(log), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    line = server.stdout.readline() if server.stdout else ""
    return server, urllib.parse.urlparse(json.loads(line)["url"])


def _cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    """Resident memory, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
