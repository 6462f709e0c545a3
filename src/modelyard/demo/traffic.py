"""The demo's customers: a real server in a process of its own, asked over HTTP one row at a time."""

import contextlib
import http.client
import json
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from modelyard.core import ModelyardError

__all__ = ["Server", "running_server"]

_STOP_TIMEOUT_S = 30
_REQUEST_TIMEOUT_S = 10
_FEEDBACK_ROWS = 500


class Server:
    """A running server and one connection to it.

    Parameters
    ----------
    url
        Its address.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urllib.parse.urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "127.0.0.1", parts.port, timeout=_REQUEST_TIMEOUT_S
        )

    def predict(self, rows: pl.DataFrame) -> tuple[list[str], list[float]]:
        """Ask for each row in a request of its own; returns the ids of the predictions and the times in seconds."""
        ids: list[str] = []
        seconds: list[float] = []
        for row in rows.iter_rows(named=True):
            body = json.dumps(row)
            start = time.perf_counter()
            answer = self._post("/predict", body)
            seconds.append(time.perf_counter() - start)
            ids.append(_first_prediction(answer)["id"])
        return ids, seconds

    def feed_back(self, ids: list[str], labels: list[str]) -> None:
        """Send what turned out to be true."""
        entries = [{"id": id_, "label": label} for id_, label in zip(ids, labels, strict=True)]
        for start in range(0, len(entries), _FEEDBACK_ROWS):
            self._post("/feedback", json.dumps(entries[start : start + _FEEDBACK_ROWS]))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, path: str, body: str) -> Any:
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= http.client.BAD_REQUEST:
            raise ModelyardError("the demo's server refused a request", where=path, got=content.decode()[:300])
        return json.loads(content)


@contextlib.contextmanager
def running_server(package: Path, log: Path) -> Iterator[Server]:
    """Serve a package on a free port for the block, by the same command that an operator would run."""
    command = [sys.executable, "-m", "modelyard.serving", "--package", str(package), "--log", str(log), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            problem = process.stderr.read()[-300:] if process.stderr else ""
            raise ModelyardError("the demo's server did not start", where=str(package), got=problem)
        server = Server(json.loads(line)["url"])
        try:
            yield server
        finally:
            server.close()
            process.terminate()
            process.communicate(timeout=_STOP_TIMEOUT_S)


def _first_prediction(answer: Any) -> dict[str, Any]:
    """The one prediction of an answer to a single row."""
    prediction: dict[str, Any] = answer["predictions"][0] if "predictions" in answer else answer
    return prediction
