"""One-row predictions over HTTP beside MLflow's server, FastAPI with pandas, and a server that does nothing.

    python benchmarks/serving/side_by_side.py
    python benchmarks/serving/side_by_side.py --rounds 5 --seconds 6

Ours has everything on: keys, contract, routing, prediction log, metrics. The peers have nothing on; they serve a scikit-learn
pipeline around a LightGBM of as many trees, learnt from the same rows, from an environment of their own under ``.cache/bench``.
*Without native form* is ours with an estimator of scikit-learn that it calls as it is (skops), gradient boosting of as many trees.
The server that does nothing is raw ASGI on the HTTP server that ours is built on, with the same settings: its rate is the
limit. All run on this machine, one worker each, and the load (wrk, one thread) shares their cores. 500 different rows are sent in turn. Within
a round the servers take turns; printed are medians over rounds, and ratios of them.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from load import closed_loop, constant_rate
from models import ROOT, TARGET, WITHOUT_NATIVE_FORM, package_of, requests_for, rows_within, table, trees_in

CACHE = ROOT / ".cache" / "bench"
HERE = Path(__file__).parent
KEY = "benchmark"
PEERS = ("mlflow", "scikit-learn", "lightgbm", "fastapi", "uvicorn", "uvloop", "httptools", "pandas", "pyarrow")
RATE_PER_S = 10_000
_PATIENCE_S = 120.0


@dataclasses.dataclass(frozen=True)
class Contender:
    """A server: how it is started on a port, and what it is sent."""

    name: str
    command: Callable[[int], Sequence[str]]
    requests: Sequence[bytes]


@dataclasses.dataclass(frozen=True)
class Figures:
    """One server in one round: per second and in ms at 1 and 16 connections, microseconds of processor time, start, memory."""

    alone_per_s: float
    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    start_s: float
    resident_mb: float
    constant_p99_ms: float | None


def main() -> None:
    """Measure all, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", nargs="+", help="only those whose name begins so")
    given = parser.parse_args()
    everyone = list(_contenders(package_of("lightgbm", CACHE / "serving")))
    chosen = [c for c in everyone if not given.servers or c.name.startswith(tuple(given.servers))]
    rounds = [{one.name: _measured(one, given.seconds) for one in chosen} for _ in range(given.rounds)]
    print("\n".join(_lines([one.name for one in chosen], rounds)))


def _contenders(package: Path) -> Iterator[Contender]:
    """Ours, the limit, and the peers."""
    rows = rows_within(package)
    folder = CACHE / "serving" / "run"
    folder.mkdir(parents=True, exist_ok=True)
    keys = [{"hash": hashlib.sha256(KEY.encode()).hexdigest(), "name": "load", "may": ["predict"]}]
    keys[0] |= {"expires_at": "2999-01-01T00:00:00+00:00"}  # type: ignore[dict-item]
    (folder / "keys.json").write_text(json.dumps({"keys": keys}), encoding="utf-8")
    here, there = sys.executable, str(_environment())
    server = [here, "-m", "modelyard.serving", "--package", str(package), "--keys", str(folder / "keys.json")]
    asked = requests_for("/predict", rows, f"authorization: Bearer {KEY}")
    yield Contender(
        "modelyard", lambda port: [*server, "--log", str(folder / f"log-{port}"), "--port", str(port)], asked
    )
    slow = str(package_of(WITHOUT_NATIVE_FORM, CACHE / "serving"))
    held = [slow if word == str(package) else word for word in server] + ["--allow-skops", "known"]
    yield Contender(
        "modelyard, without native form",
        lambda port: [*held, "--log", str(folder / f"log-{port}"), "--port", str(port)],
        asked,
    )
    yield Contender("does nothing", lambda port: [here, str(HERE / "echo.py"), str(port)], asked)
    pipeline = _pipeline(there, trees_in(package))
    app = [there, str(HERE / "peer_fastapi.py"), str(pipeline / "pipeline.joblib")]
    yield Contender("FastAPI + pandas", lambda port: [*app, str(port)], requests_for("/predict", rows))
    mlflow = [str(Path(there).with_name("mlflow")), "models", "serve", "-m", str(pipeline / "mlflow")]
    mlflow += ["--env-manager", "local", "-w", "1"]
    records = [{"dataframe_records": [row]} for row in rows]
    yield Contender("MLflow", lambda port: [*mlflow, "-p", str(port)], requests_for("/invocations", records))


def _environment() -> Path:
    """The Python of the peers' environment, made if it is not there."""
    folder = CACHE / "serving-peers"
    python = folder / "bin" / "python"
    if not (folder / ".made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS], check=True)
        (folder / ".made").touch()
    return python


def _pipeline(python: str, trees: int) -> Path:
    """The peers' model."""
    folder = CACHE / "serving" / f"pipeline-{trees}"
    if not (folder / "mlflow" / "MLmodel").exists():
        rows = CACHE / "serving" / "train.parquet"
        table().write_parquet(rows)
        subprocess.run([python, str(HERE / "peer_model.py"), str(rows), TARGET, str(trees), str(folder)], check=True)
    return folder


def _measured(contender: Contender, seconds: float) -> Figures:
    """One server, started for this."""
    with _started(contender) as (process, address, start_s):
        load = contender.requests
        closed_loop(address, load, 4, seconds / 4)
        alone = closed_loop(address, load, 1, seconds)
        before = _cpu_s(process.pid)
        many = closed_loop(address, load, 16, seconds)
        cpu_us = 1e6 * (_cpu_s(process.pid) - before) / many.answers
        steady = None
        if many.per_s > 1.2 * RATE_PER_S:
            steady = 1e3 * _percentile(constant_rate(address, load, 64, RATE_PER_S, seconds), 0.99)
        memory = _resident_mb(process.pid)
        return Figures(alone.per_s, many.per_s, many.p50_ms, many.p99_ms, cpu_us, start_s, memory, steady)


@contextlib.contextmanager
def _started(contender: Contender) -> Iterator[tuple["subprocess.Popen[bytes]", urllib.parse.ParseResult, float]]:
    """A server process that answers, where it listens, and the seconds to its first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = urllib.parse.urlparse(f"http://127.0.0.1:{port}")
    began = time.perf_counter()
    process = subprocess.Popen(
        contender.command(port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        process_group=0,
    )
    try:
        _wait_for(address, contender.requests[0], process)
        yield process, address, time.perf_counter() - began
    finally:
        os.killpg(process.pid, 15)
        process.wait(timeout=30)


def _wait_for(address: urllib.parse.ParseResult, request: bytes, process: "subprocess.Popen[bytes]") -> None:
    """Return with the first answer."""
    end = time.perf_counter() + _PATIENCE_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection((address.hostname, address.port), 5) as wire:
            wire.sendall(request)
            if wire.recv(12) == b"HTTP/1.1 200":
                return
        if process.poll() is not None or time.perf_counter() > end:
            raise RuntimeError(f"{process.args!r} does not answer")
        time.sleep(0.01)


def _lines(names: Sequence[str], rounds: Sequence[dict[str, Figures]]) -> Iterator[str]:
    """The table, medians over rounds."""
    yield "| server | 1 connection, per s | 16 connections, per s | p50 ms | p99 ms | processor µs | p99 ms at 10,000/s | start s | MB |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    medians = {name: _median([found[name] for found in rounds]) for name in names}
    for name, one in medians.items():
        steady = "cannot" if one.constant_p99_ms is None else f"{one.constant_p99_ms:.2f}"
        yield (
            f"| {name} | {one.alone_per_s:,.0f} | {one.per_s:,.0f} | {one.p50_ms:.2f} | {one.p99_ms:.2f} | "
            f"{one.cpu_us:,.0f} | {steady} | {one.start_s:.2f} | {one.resident_mb:.0f} |"
        )
    ours = medians.get("modelyard")
    for name, one in medians.items():
        if ours is not None and one is not ours:
            yield f"\nmodelyard at 16 connections: {ours.per_s / one.per_s:.2f} times the rate of: {name}"


def _median(found: Sequence[Figures]) -> Figures:
    """Each figure's median; of the constant rate, none if a round could not keep it."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Figures):
        each = [getattr(one, field.name) for one in found]
        values[field.name] = None if None in each else statistics.median(each)
    return Figures(**values)


def _percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of all lies."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def _processes(pid: int) -> Iterator[int]:
    """A process and its descendants: MLflow's server is a child of its command."""
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        yield from _processes(int(child))


def _cpu_s(pid: int) -> float:
    """Seconds of processor time."""
    ticks = 0
    for one in _processes(pid):
        fields = Path(f"/proc/{one}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    """Resident memory."""
    pages = sum(int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[1]) for one in _processes(pid))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
