"""A real package to be carried away, and the other side of the Lambda runtime API."""

import dataclasses
import json
import queue
import shutil
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.life import trained
from tests.receivers import listening

from modelyard.packaging import GoldenSet, Package, load_package
from modelyard.problem import Problem

VERSION = "/2018-06-01/runtime"
LIMIT_S = 120
COLUMNS = ("tenure", "Contract", "PaymentMethod", "MonthlyCharges", "TotalCharges", "Churn")


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Package:
    """LightGBM on some columns of the churn data, built the whole way from the table."""
    frame = pl.read_parquet(data_folder / "telco_churn.parquet", columns=list(COLUMNS)).gather_every(4)
    plan = {"folds": 2, "families": ("lightgbm",), "tuning_rounds": 0, "workers": 1, "unit_minutes": None}
    data = {"source": "telco_churn.parquet", "target": "Churn"}
    problem = Problem.model_validate({"name": "telco_churn", "data": data, "training": plan})
    return trained(tmp_path_factory.mktemp("project"), frame, problem).packaged()


@pytest.fixture
def own_package(package: Package, tmp_path: Path) -> Package:
    """A copy of the package that a test may spoil."""
    shutil.copytree(package.folder, tmp_path / "package")
    return load_package(tmp_path / "package")


@pytest.fixture(scope="session")
def golden(package: Package) -> GoldenSet:
    """Rows with known answers."""
    return GoldenSet.from_dict(package.read_json("golden.json"))


@dataclasses.dataclass
class RuntimeApi:
    """The other side of the documented Lambda runtime API: hands out events, and takes what comes back."""

    address: str
    events: "queue.Queue[Any]"
    answers: "queue.Queue[tuple[str, Any]]"

    def invoke(self, event: Any) -> tuple[str, Any]:
        """What the client posts for an event: ("response", …) or ("error", …)."""
        self.events.put(event)
        return self.answers.get(timeout=LIMIT_S)


@pytest.fixture
def runtime_api() -> Iterator[RuntimeApi]:
    """A runtime API on a free port of this machine."""
    events: queue.Queue[Any] = queue.Queue()
    answers: queue.Queue[tuple[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:
            assert self.path == f"{VERSION}/invocation/next"
            event = events.get()
            self._send(200, json.dumps(event).encode(), str(time.time_ns()))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answers.put((self.path.rpartition("/")[2], body))
            self._send(202, b"{}", "")

        def _send(self, status: int, body: bytes, request_id: str) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            if request_id:
                self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + LIMIT_S) * 1000)))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:churn")
            self.end_headers()
            self.wfile.write(body)

    with listening(Handler) as port:
        yield RuntimeApi(f"127.0.0.1:{port}", events, answers)
