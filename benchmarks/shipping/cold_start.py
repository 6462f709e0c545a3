"""Cold start of a package as a function and as a server: from starting the process to the first answer, medians of rounds.

    python benchmarks/shipping/cold_start.py --package .modelyard/packages/churn-1

The platforms' own clients run the bundles on this machine: awslambdaric against a runtime API on 127.0.0.1, and
functions-framework over HTTP. Each start is a fresh process; files are in the page cache, as after the first start of a
platform's sandbox. What a platform adds (fetching an image, making a sandbox) is not in the figures.
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
        starts: dict[str, Callable[[], tuple[float, float]]] = {
            "AWS Lambda": lambda: _lambda(Path(folder, "lambda"), row),
            "Cloud Functions": lambda: _functions(Path(folder, "functions"), row),
            "server": lambda: _server(package, Path(folder, "log"), row),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in starts}
        for _ in range(given.rounds):
            for name, start in starts.items():
                taken[name].append(start())
    _print(taken, bundles, given.rounds)


def _print(taken: dict[str, list[tuple[float, float]]], bundles: dict[str, Context], rounds: int) -> None:
    sizes = {"AWS Lambda": bundles["lambda"], "Cloud Functions": bundles["functions"]}
    print(f"| form | cold start s | resident MB | bundle MB | medians of {rounds} |\n|---|---:|---:|---:|---|")
    for name, figures in taken.items():
        seconds, memory = (statistics.median(column) for column in zip(*figures, strict=True))
        size = f"{sizes[name].bytes / 1e6:.1f}" if name in sizes else "–"
        print(f"| {name} | {seconds:.2f} | {memory:.0f} | {size} | {min(f[0] for f in figures):.2f} at least |")


def _lambda(folder: Path, row: Any) -> tuple[float, float]:
    RuntimeApi.event, RuntimeApi.handed_out = row, False
    RuntimeApi.answered.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi) as api:
        api.daemon_threads = True
        threading.Thread(target=api.serve_forever, daemon=True).start()
        variables = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}"}
        started = time.perf_counter()
        process = _start(["-m", "awslambdaric", "handler.handler"], folder, variables)
        RuntimeApi.answered.wait(120)
        figures = time.perf_counter() - started, _resident_mb(process.pid)
        _end(process)
        threading.Thread(target=api.shutdown, daemon=True).start()
    return figures


def _functions(folder: Path, row: Any) -> tuple[float, float]:
    port = _free_port()
    words = ["-m", "functions_framework", "--target", "predict", "--source", "main.py", "--host", "127.0.0.1"]
    return _over_http([*words, "--port", str(port)], folder, port, row)


def _server(package: Package, log: Path, row: Any) -> tuple[float, float]:
    port = _free_port()
    words = ["-m", "modelyard.serving", "--package", str(package.folder.resolve()), "--log", str(log)]
    return _over_http([*words, "--port", str(port)], log.parent, port, row)


def _over_http(words: Sequence[str], folder: Path, port: int, row: Any) -> tuple[float, float]:
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
    figures = time.perf_counter() - started, _resident_mb(process.pid)
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


def _resident_mb(pid: int) -> float:
    """Resident memory of a process and those it started, in MB."""
    pids, total = [pid], 0
    for one in pids:
        with contextlib.suppress(OSError):
            pids += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE") / 1e6


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
