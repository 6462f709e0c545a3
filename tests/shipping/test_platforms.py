"""The platforms' own clients run the bundles: AWS' runtime interface client, and Google's Functions Framework."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.data_room.servers import free_port

from modelyard.packaging import GoldenSet, Package
from modelyard.shipping import make_bundle

LIMIT_S = 60


@contextlib.contextmanager
def running(command: list[str], folder: Path, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process in a bundle's folder, with what it prints kept; ended when the block does."""
    with (folder / "printed").open("wb") as printed:
        process = subprocess.Popen(
            command, cwd=folder, stdout=printed, stderr=subprocess.STDOUT, env={**os.environ, **variables}
        )
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def log_lines(folder: Path) -> list[dict[str, Any]]:
    """The records among what a process printed."""
    printed = (folder / "printed").read_text().splitlines()
    return [json.loads(line) for line in printed if line.startswith('{"log":')]


def test_aws_runtime_interface_client_runs_the_bundle(
    package: Package, golden: GoldenSet, tmp_path: Path, runtime_api: Any
) -> None:
    """Awslambdaric loads the bundle's handler, takes events from a runtime API, and posts answers and refusals back."""
    make_bundle(package, "lambda", tmp_path / "bundle")
    row = dict(golden.rows[0].features)
    event = {
        "version": "2.0",
        "rawPath": "/predict",
        "requestContext": {"http": {"method": "POST"}},
        "body": json.dumps(row),
    }
    command = [sys.executable, "-m", "awslambdaric", "handler.handler"]
    with running(command, tmp_path / "bundle", AWS_LAMBDA_RUNTIME_API=runtime_api.address):
        http = runtime_api.invoke(event)
        plain = runtime_api.invoke(row)
        refused = runtime_api.invoke({**row, "tenure": "many"})
    scores = [json.loads(http[1]["body"])["score"], plain[1]["score"]]

    assert {http[0], plain[0], refused[0]} == {"response"}
    assert scores == pytest.approx([golden.rows[0].expected[0]] * 2, abs=1e-9)
    assert (refused[1]["status"], refused[1]["errors"][0]["field"]) == (422, "tenure")
    assert [line["id"] for line in log_lines(tmp_path / "bundle")] == [
        json.loads(http[1]["body"])["id"],
        plain[1]["id"],
    ]


def test_functions_framework_runs_the_bundle(package: Package, golden: GoldenSet, tmp_path: Path) -> None:
    """Google's framework loads the bundle's entry point and answers over HTTP, refusals too."""
    make_bundle(package, "functions", tmp_path / "bundle")
    row = dict(golden.rows[0].features)
    port = free_port()
    command = [sys.executable, "-m", "functions_framework", "--target", "predict", "--source", "main.py"]
    server = running([*command, "--host", "127.0.0.1", "--port", str(port)], tmp_path / "bundle")
    with server, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=LIMIT_S) as client:
        wait_until_it_listens(client)
        answer = client.post("/", json=row)
        refused = client.post("/predict", json={**row, "tenure": "many"})
        nowhere = client.get("/nowhere")

    assert answer.json()["score"] == pytest.approx(golden.rows[0].expected[0], abs=1e-9)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert nowhere.json()["type"] == "urn:modelyard:problem:no-such-route"
    assert [line["id"] for line in log_lines(tmp_path / "bundle")] == [answer.json()["id"]]


def wait_until_it_listens(client: httpx.Client) -> None:
    """Wait for the first answer."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            assert client.get("/health/ready").json() == {"ready": True}
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
