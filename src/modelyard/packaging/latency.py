"""What a package costs to run, measured in a process that does nothing else: ``python -m modelyard.packaging.latency``."""

import dataclasses
import gc
import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.core import ModelyardError, Record
from modelyard.packaging.courses.horizon import ForecastScorer, history_frame, is_forecast
from modelyard.packaging.package import Package, load_package
from modelyard.packaging.predictors import SkopsTrust
from modelyard.packaging.scorer import Scorer

__all__ = ["BatchLatency", "Measurement", "measure_batches", "measure_package"]

_WARM_UP = 200
_ROUNDS = 3
_CALLS = 1_000
_BATCH_ROWS = 1_000
_BATCH_SECONDS = 0.2
_FEWEST_CALLS = 30
_LIMIT_S = 300


@dataclasses.dataclass(frozen=True)
class Measurement(Record):
    """Speed and size of a scorer on the machine that built the package; of a forecast, a history stands for a row.

    Parameters
    ----------
    latency_p50_ms, latency_p99_ms
        One row, from a mapping to its score, in milliseconds, within the process: the median over rounds of the
        quantile of 1,000 calls. A server's own work comes on top.
    throughput_per_s
        Rows a second in batches of 1,000, by one process.
    memory_mb
        Largest resident memory of the process that measured.
    cold_start_s
        From starting the process to the first answer.
    machine
        Processor architecture, cores and Python version.
    """

    latency_p50_ms: float
    latency_p99_ms: float
    throughput_per_s: float
    memory_mb: float
    cold_start_s: float
    machine: str


@dataclasses.dataclass(frozen=True)
class BatchLatency(Record):
    """How long requests of one size take, in milliseconds, within the process.

    Parameters
    ----------
    rows
        Of one request.
    calls
        How many were timed.
    p50_ms, p90_ms, p99_ms
        Quantiles of the calls.
    rows_per_s
        At the median.
    """

    rows: int
    calls: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    rows_per_s: float


def measure_package(folder: Path, trust: SkopsTrust | None = None) -> Measurement:
    """Load a package in a fresh process, as a server would, and measure it there.

    Raises
    ------
    ModelyardError
        If the process fails or does not end within five minutes.
    """
    return measure_batches(folder, (), trust)[0]


def measure_batches(
    folder: Path, sizes: Sequence[int], trust: SkopsTrust | None = None
) -> tuple[Measurement, tuple[BatchLatency, ...]]:
    """As :func:`measure_package`, and how long requests of several numbers of rows take."""
    started = repr(time.monotonic())
    command = [sys.executable, "-m", "modelyard.packaging.latency", str(folder), started, *map(str, sizes)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **(trust.in_environment() if trust else {})}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=True, env=environment)  # noqa: S603 - our own module
    except subprocess.TimeoutExpired as error:
        raise _failed(f"no answer within {_LIMIT_S} s") from error
    except subprocess.CalledProcessError as error:
        raise _failed((error.stderr.strip().splitlines() or ["no message"])[-1]) from error
    found = json.loads(done.stdout)
    return Measurement.from_dict(found["measurement"]), tuple(map(BatchLatency.from_dict, found["batches"]))


def _failed(got: str) -> ModelyardError:
    return ModelyardError(
        "the package could not be measured in a process of its own",
        where="python -m modelyard.packaging.latency",
        got=got,
        cure="Check that modelyard and the model's library are installed for this Python",
    )


def _measure(folder: Path, started: float, sizes: Sequence[int]) -> dict[str, Any]:
    """What the fresh process does."""
    package = load_package(folder)
    if is_forecast(package):
        return _measure_forecast(package, started)
    scorer = Scorer.load(package)
    rows = [row.features for row in scorer.golden.rows if row.origin == "validation"]
    rows = rows or [row.features for row in scorer.golden.rows]
    scorer.score_rows(rows[:1])
    cold_start = time.monotonic() - started
    p50, p99 = _latency(scorer, rows)
    batches = [_batch_latency(scorer, rows, size).to_dict() for size in sizes]
    measurement = Measurement(
        latency_p50_ms=p50,
        latency_p99_ms=p99,
        throughput_per_s=_throughput(scorer, rows),
        memory_mb=_memory_mb(),
        cold_start_s=round(cold_start, 3),
        machine=_machine(),
    )
    return {"measurement": measurement.to_dict(), "batches": batches}


def _measure_forecast(package: Package, started: float) -> dict[str, Any]:
    """Of a forecast: one history in the place of one row, and told steps a second."""
    scorer = ForecastScorer.load(package)
    history = history_frame(scorer.golden.histories[0].rows)
    told = scorer.tell(history).height
    cold_start = time.monotonic() - started
    nanoseconds = []
    for _ in range(_FEWEST_CALLS):
        before = time.perf_counter_ns()
        scorer.tell(history)
        nanoseconds.append(time.perf_counter_ns() - before)
    p50, p99 = (float(value) / 1e6 for value in np.quantile(nanoseconds, [0.5, 0.99]))
    measurement = Measurement(
        latency_p50_ms=round(p50, 5),
        latency_p99_ms=round(p99, 5),
        throughput_per_s=round(1e3 * told / p50, 1),
        memory_mb=_memory_mb(),
        cold_start_s=round(cold_start, 3),
        machine=_machine(),
    )
    return {"measurement": measurement.to_dict(), "batches": []}


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _latency(scorer: Scorer, rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Median and 99th percentile of one row, in milliseconds."""
    requests = [[rows[number % len(rows)]] for number in range(_CALLS)]
    for request in requests[:_WARM_UP]:
        scorer.score_rows(request)
    gc.collect()
    gc.freeze()
    quantiles = [np.quantile(_timed(scorer, requests), [0.5, 0.99]) for _ in range(_ROUNDS)]
    p50, p99 = np.median(quantiles, axis=0) / 1e6
    return round(float(p50), 5), round(float(p99), 5)


def _batch_latency(scorer: Scorer, rows: Sequence[Mapping[str, Any]], size: int) -> BatchLatency:
    """Requests of ``size`` rows: as many as one row is timed with, fewer where that would take long."""
    calls = max(_FEWEST_CALLS, _CALLS // size)
    requests = [[rows[(number + place) % len(rows)] for place in range(size)] for number in range(calls)]
    scorer.score_rows(requests[0])
    p50, p90, p99 = (float(value) / 1e6 for value in np.quantile(_timed(scorer, requests), [0.5, 0.9, 0.99]))
    return BatchLatency(size, calls, round(p50, 5), round(p90, 5), round(p99, 5), round(1e3 * size / p50, 1))


def _timed(scorer: Scorer, requests: Sequence[Sequence[Mapping[str, Any]]]) -> list[int]:
    """Nanoseconds of each call."""
    clock = time.perf_counter_ns
    durations = []
    for request in requests:
        before = clock()
        scorer.score_rows(request)
        durations.append(clock() - before)
    return durations


def _throughput(scorer: Scorer, rows: Sequence[Mapping[str, Any]]) -> float:
    """Rows a second in batches."""
    batch = [rows[number % len(rows)] for number in range(_BATCH_ROWS)]
    scored, before = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - before) < _BATCH_SECONDS:
        scorer.score_rows(batch)
        scored += len(batch)
    return round(scored / elapsed, 1)


def _memory_mb() -> float:
    """The peak of resident memory since the process was started.

    ``getrusage`` alone would not do: under Linux a process inherits the peak of the one that started it.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8")) if status.exists() else None
    if found:
        return round(int(found[1]) / 1024, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measure(Path(sys.argv[1]), float(sys.argv[2]), list(map(int, sys.argv[3:])))))
