"""Cold start of a package as a function and as a server: from starting the process to the first answer, medians of rounds.

    python benchmarks/shipping/cold_start.py --package .modelyard/packages/churn-1

The platforms' own clients run the bundles on this machine: awslambdaric against a runtime API on 127.0.0.1, and
functions-framework over HTTP. Each start is a fresh process; files are in the page cache, as after the first start of a
platform's sandbox. What a platform adds (fetching an image, making a sandbox) is not in the figures. Processor time is what a start costs on a busy machine too.
"""

import argparse
import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from modelyard.packaging import GoldenSet, Package, load_package
from modelyard.shipping import Context, make_bundle

ROUNDS = 5

Figures = tuple[float, float, float]


class RuntimeApi(BaseHTTPRequestHandler):
    """Hands out one event, and says when its answer came."""

    protocol_version = "HTTP/1.1"
    event: Any = None
    handed_out = False
    answered = threading.Event()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        """The next event; after the first none comes."""
        if RuntimeApi.handed_out:
            time.sleep(60)
        RuntimeApi.handed_out = True
        self._send(200, json.dumps(self.event).encode())

    def do_POST(self) -> None:
        """The answer."""
        self.rfile.read(int(self.headers["content-length"]))
        RuntimeApi.answered.set()
        self._send(202, b"{}")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "application/json")
        self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:model")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 60) * 1000)))
        with contextlib.suppress(OSError):  # the client has been ended meanwhile
            self.end_headers()
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """A server that says nothing of clients that are gone: they are ended on purpose."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Keep quiet."""


def main() -> None:
    """Measure the three forms in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--package", type=Path, required=True, help="folder of the package")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="starts of each form; medians are printed")
    given = parser.parse_args()
    package = load_package(given.package)
    row = dict(GoldenSet.from_dict(package.read_json("golden.json")).rows[0].features)
    with tempfile.TemporaryDirectory() as folder:
        bundles = {
            platform: make_bundle(package, platform, Path(folder, platform)) for platform in ("lambda", "functions")
        }
        starts: dict[str, Callable[[], Figures]] = {
            "AWS Lambda": lambda: _lambda(Path(folder, "lambda"), row),
            "Cloud Functions": lambda: _functions(Path(folder, "functions"), row),
            "server": lambda: _server(package, Path(folder, "log"), row),
        }
        taken: dict[str, list[Figures]] = {name: [] for name in starts}
        for _ in range(given.rounds):
            for name, start in starts.items():
                taken[name].append(start())
    _print(taken, bundles, given.rounds)


def _print(taken: dict[str, list[Figures]], bundles: dict[str, Context], rounds: int) -> None:
    sizes = {"AWS Lambda": bundles["lambda"], "Cloud Functions": bundles["functions"]}
    print(f"Medians of {rounds} starts each; Python {sys.version.split()[0]}, {os.cpu_count()} cores\n")
    print(
        "| form | cold start s | shortest s | processor s | resident MB | bundle MB |\n|---|---:|---:|---:|---:|---:|"
    )
    for name, figures in taken.items():
        seconds, processor, memory = (statistics.median(column) for column in zip(*figures, strict=True))
        size = f"{sizes[name].bytes / 1e6:.1f}" if name in sizes else "–"
        shortest = min(figures)[0]
        print(f"| {name} | {seconds:.2f} | {shortest:.2f} | {processor:.2f} | {memory:.0f} | {size} |")


def _lambda(folder: Path, row: Any) -> Figures:
    RuntimeApi.event, RuntimeApi.handed_out = row, False
    RuntimeApi.answered.clear()
    with Server(("127.0.0.1", 0), RuntimeApi) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        variables = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}"}
        started = time.perf_counter()
        process = _start(["-m", "awslambdaric", "handler.handler"], folder, variables)
        RuntimeApi.answered.wait(120)
        figures = _figures(started, process.pid)
        _end(process)
        threading.Thread(target=api.shutdown, daemon=True).start()
    return figures


def _functions(folder: Path, row: Any) -> Figures:
    port = _free_port()
    words = ["-m", "functions_framework", "--target", "predict", "--source", "main.py", "--host", "127.0.0.1"]
    return _over_http([*words, "--port", str(port)], folder, port, row)


def _server(package: Package, log: Path, row: Any) -> Figures:
    port = _free_port()
    words = ["-m", "modelyard.serving", "--package", str(package.folder.resolve()), "--log", str(log)]
    return _over_http([*words, "--port", str(port)], log.parent, port, row)


def _over_http(words: Sequence[str], folder: Path, port: int, row: Any) -> Figures:
    """Ask again and again until there is an answer."""
    started = time.perf_counter()
    process = _start(words, folder, {})
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", "/predict", json.dumps(row), {"content-type": "application/json"})
            connection.getresponse().read()
            break
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    figures = _figures(started, process.pid)
    _end(process)
    return figures


def _start(words: Sequence[str], folder: Path, variables: dict[str, str]) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.Popen(
        [sys.executable, *words], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _figures(started: float, pid: int) -> Figures:
    """Seconds since the start, seconds of processor time, and resident MB, of a process and those it started."""
    seconds, pids, ticks, pages = time.perf_counter() - started, [pid], 0, 0
    for one in pids:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{one}/task").glob("*/children"):
                pids += map(int, thread.read_text().split())
            times = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(times[11]) + int(times[12])
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return seconds, ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
