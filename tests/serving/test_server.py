"""The server as a process: killed under load, stopped politely, on a full disk, and light to start."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from tests.waiting import comes_true

from modelyard.serving import compact, read_predictions
from modelyard.serving.prediction_log import torn_lines

StartServer = Callable[..., Any]


def post_until_it_breaks(url: str, row: dict[str, Any], acknowledged: list[str], refused: list[int]) -> None:
    """Post rows, one and three at a time, until the connection breaks; keep every id that was acknowledged."""
    with httpx.Client(base_url=url, timeout=10) as client, contextlib.suppress(httpx.TransportError):
        for number in range(100_000):
            body = row if number % 2 else [row] * 3
            response = client.post("/predict", json=body)
            if response.status_code != httpx.codes.OK:
                refused.append(response.status_code)
                continue
            answer = response.json()
            acknowledged.extend(entry["id"] for entry in answer.get("predictions", [answer]))


def load(url: str, row: dict[str, Any], clients: int = 4) -> tuple[list[threading.Thread], list[str], list[int]]:
    """Start clients that post until the connection breaks."""
    acknowledged: list[str] = []
    refused: list[int] = []
    threads = [
        threading.Thread(target=post_until_it_breaks, args=(url, row, acknowledged, refused)) for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    return threads, acknowledged, refused


def test_killed_under_load_loses_nothing_acknowledged(start_server: StartServer, row: dict[str, Any]) -> None:
    """After SIGKILL in the middle of four clients' posts, every acknowledged id is in the log exactly once,
    also after compaction, and also beside what a second server then writes.
    """
    server = start_server()
    threads, acknowledged, refused = load(server.url, row)
    assert comes_true(lambda: len(acknowledged) > 600, 30, pause_s=0.01)
    server.process.kill()
    for thread in threads:
        thread.join(timeout=30)
    second = start_server(log=server.log)
    more = httpx.post(f"{second.url}/predict", json=row).json()["id"]
    logged = read_predictions(server.log)["id"].to_list()
    report = compact(server.log)
    compacted = read_predictions(server.log)["id"].to_list()

    assert refused == []
    assert len(acknowledged) == len(set(acknowledged)) > 600
    assert len(logged) == len(set(logged))
    assert set(acknowledged) | {more} <= set(logged)
    assert len(logged) - len(acknowledged) <= 1 + 3 * 4
    assert len(torn_lines(server.log)) == 0
    assert (sorted(compacted), report.active) == (sorted(logged), 1)


def test_stopped_politely_answers_what_is_open(start_server: StartServer, row: dict[str, Any]) -> None:
    """On SIGTERM the process ends within seconds, and every acknowledged id is in the log."""
    server = start_server()
    threads, acknowledged, refused = load(server.url, row, clients=2)
    assert comes_true(lambda: len(acknowledged) > 100, 30, pause_s=0.01)
    server.process.terminate()
    server.process.wait(timeout=20)
    for thread in threads:
        thread.join(timeout=30)

    assert set(acknowledged) <= set(read_predictions(server.log)["id"])
    assert refused == []
    assert server.process.returncode in (0, -15)


def test_a_full_disk_is_refused_and_heals(start_server: StartServer, row: dict[str, Any], small_disk: Path) -> None:
    """On a disk of its own that runs full, answers turn into 503 without a score; once there is space, they go on."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 900_000)
    server = start_server(log=small_disk / "log")
    acknowledged: list[str] = []
    with httpx.Client(base_url=server.url) as client:
        response = client.post("/predict", json=row)
        while response.status_code == httpx.codes.OK:
            acknowledged.append(response.json()["id"])
            response = client.post("/predict", json=row)
        problem = response.json()
        not_ready = client.get("/health/ready")
        live = client.get("/health/live")
        ballast.unlink()
        ready = client.get("/health/ready")
        again = client.post("/predict", json=row).json()["id"]
    logged = read_predictions(small_disk / "log")["id"].to_list()

    assert (problem["status"], problem["type"]) == (503, "urn:modelyard:problem:log-unavailable")
    assert (not_ready.status_code, live.status_code, ready.status_code) == (503, 200, 200)
    assert sorted(logged) == sorted([*acknowledged, again])
    assert torn_lines(small_disk / "log") == ()


def test_a_limit_on_file_size_is_a_full_disk(start_server: StartServer, row: dict[str, Any]) -> None:
    """Where the system takes no more bytes in a file, nothing is acknowledged that is not logged."""
    server = start_server(file_limit_bytes=20_000)
    acknowledged: list[str] = []
    with httpx.Client(base_url=server.url) as client:
        for _ in range(200):
            response = client.post("/predict", json=[row] * 5)
            if response.status_code != httpx.codes.OK:
                break
            acknowledged.extend(entry["id"] for entry in response.json()["predictions"])

    assert response.status_code == 503
    assert 5 <= len(acknowledged) < 1_000
    assert sorted(read_predictions(server.log)["id"]) == sorted(acknowledged)


def test_a_taken_port_is_a_clear_error(package_folder: Path, tmp_path: Path) -> None:
    """The process ends with code 2 and one sentence that names the address and the cure."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "modelyard.serving", "--package", str(package_folder)]
        result = subprocess.run(
            [*command, "--log", str(tmp_path), "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert result.returncode == 2
    assert result.stderr.startswith(f"127.0.0.1:{port}: the address cannot be listened on; got ")
    assert len(result.stderr.splitlines()) == 1


def test_the_start_line_says_where_and_what(start_server: StartServer) -> None:
    """One line of JSON names address, model, version and digest, and that the model is verified."""
    server = start_server()
    version = httpx.get(f"{server.url}/version").json()

    assert server.started["event"] == "serving"
    assert server.started["ready"] is True
    assert {name: server.started[name] for name in ("model", "version", "digest", "modelyard")} == version
    assert httpx.head(f"{server.url}/health/live").content == b""


def test_chunked_and_oversized_bodies_over_http(start_server: StartServer, row: dict[str, Any]) -> None:
    """A body in chunks is read whole; one without a declared length is cut off at the bound."""
    server = start_server()
    raw = json.dumps(row).encode()

    def chunks() -> Iterator[bytes]:
        yield raw[:10]
        yield raw[10:]

    def endless() -> Iterator[bytes]:
        for _ in range(400):
            yield b" " * 65_536

    headers = {"content-type": "application/json"}
    with httpx.Client(base_url=server.url) as client:
        good = client.post("/predict", content=chunks(), headers=headers)
        try:
            status = client.post("/predict", content=endless(), headers=headers).status_code
        except httpx.TransportError:
            status = 413
        after = client.post("/predict", json=row)

    assert (good.status_code, status, after.status_code) == (200, 413, 200)


def test_serving_imports_no_training_code(package_folder: Path, tmp_path: Path) -> None:
    """Importing and loading a package leaves training out, and what only some requests, or other commands, need."""
    script = (
        "import asyncio, sys; from pathlib import Path\n"
        "from modelyard.serving import ServingSettings, create_app\n"
        "app = create_app(ServingSettings(Path(sys.argv[1]), Path(sys.argv[2])))\n"
        "roots = {'.'.join(name.split('.')[:2]) for name in sys.modules}\n"
        "unwanted = {'sklearn', 'pandas', 'mlflow', 'optuna', 'fastapi', 'matplotlib', 'modelyard.training', "
        "'modelyard.evaluation', 'modelyard.audit', 'sqlalchemy', 'pydantic', 'pyarrow', 'modelyard.store'}\n"
        "print(sorted(unwanted & ({name.split('.')[0] for name in roots} | roots)))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(package_folder), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    assert result.stdout == "[]\n"
