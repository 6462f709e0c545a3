"""A package, a good row, an application in this process, and servers in processes of their own."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from tests.data_room.servers import PASSWORD, postgres_cluster
from tests.life import trained

from modelyard.problem import Problem, Task
from modelyard.problem.schema import DataSource, EvaluationPlan, TrainingPlan
from modelyard.serving import Endpoint, ServingApp, ServingSettings, activate

ROW: dict[str, Any] = {
    "tenure": 3,
    "Contract": "One year",
    "PaperlessBilling": True,
    "MonthlyCharges": 70.5,
    "TotalCharges": None,
    "since": "2024-01-01",
}


@dataclasses.dataclass(frozen=True)
class Response:
    """An answer of the application."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


Call = Callable[..., Response]
StartServer = Callable[..., "Server"]


@dataclasses.dataclass
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    started: dict[str, Any]
    log: Path

    @property
    def url(self) -> str:
        """Where it listens."""
        return str(self.started["url"])


Build = Callable[[str, Literal["linear", "lightgbm"]], Path]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Build:
    """Build a real package on the churn data, for any target: the whole way from table to folder."""

    def package(target: str, family: Literal["linear", "lightgbm"]) -> Path:
        root = tmp_path_factory.mktemp(f"project-{target}")
        problem = Problem(
            name=f"telco-{target.lower()}",
            task=Task.AUTO,
            data=DataSource(source="telco_churn.parquet", target=target),
            training=TrainingPlan(folds=2, families=(family,), tuning_rounds=0),
            evaluation=EvaluationPlan(quantiles=(0.1, 0.9) if target == "MonthlyCharges" else ()),
        )
        return trained(root, churn_table(data_folder), problem).packaged().folder

    return package


def churn_table(data_folder: Path) -> pl.DataFrame:
    """Some columns of the churn data, of every kind; the start of the contract is worked out from its length."""
    months = pl.format("-{}mo", pl.col("tenure").cast(pl.Int64))
    return (
        pl.read_parquet(data_folder / "telco_churn.parquet")
        .with_row_index()
        .filter((pl.col("index") % 4 == 0) | pl.col("TotalCharges").is_null())
        .select(
            pl.col("tenure").cast(pl.Int64),
            "Contract",
            pl.col("PaperlessBilling") == "Yes",
            "MonthlyCharges",
            "TotalCharges",
            pl.lit(dt.date(2020, 1, 1)).dt.offset_by(months).alias("since"),
            "Churn",
        )
    )


@pytest.fixture(scope="session")
def package_folder(build: Build) -> Path:
    """A package for a binary target, with LightGBM."""
    return build("Churn", "lightgbm")


@pytest.fixture(scope="session")
def other_package(build: Build) -> Path:
    """Another package for the same question: a linear model."""
    return build("Churn", "linear")


@pytest.fixture
def row() -> dict[str, Any]:
    """A row that the contract lets pass without a flag."""
    return dict(ROW)


@pytest.fixture
def settings(package_folder: Path, tmp_path: Path) -> ServingSettings:
    """Settings with a log of its own."""
    return ServingSettings(package_folder, tmp_path / "log", max_body_bytes=100_000, max_rows=500)


@pytest.fixture
def app(settings: ServingSettings) -> Iterator[ServingApp]:
    """The application, in this process."""
    with running(ServingApp(Endpoint(activate(settings.package_folder)), settings)) as application:
        yield application


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Path], ServingApp]]:
    """Serve packages in this process, all with one log."""
    with contextlib.ExitStack() as stack:

        def start(folder: Path) -> ServingApp:
            settings = ServingSettings(folder, tmp_path / "log")
            return stack.enter_context(running(ServingApp(Endpoint(activate(folder)), settings)))

        yield start


@contextlib.contextmanager
def running(app: ServingApp) -> Iterator[ServingApp]:
    """An application for a block; its logs are closed in the end."""
    try:
        yield app
    finally:
        app.answering.predictions.close()
        app.answering.feedback.close()


@pytest.fixture
def ask() -> Call:
    """Ask any application in this process, over plain ASGI."""

    def send(app: ServingApp, method: str, path: str, body: Any = None, **headers: str) -> Response:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return asyncio.run(ask_app(app, method, path, raw, headers))

    return send


@pytest.fixture
def call(app: ServingApp, ask: Call) -> Call:
    """Ask the application of the fixture."""
    return functools.partial(ask, app)


async def ask_app(app: ServingApp, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
    """One request to an ASGI application."""
    named = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path.partition("?")[0],
        "raw_path": path.partition("?")[0].encode(),
        "query_string": path.partition("?")[2].encode(),
        "root_path": "",
        "scheme": "http",
        "headers": [(name.encode(), text.encode("latin-1")) for name, text in named.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Response(sent[0]["status"], answered, b"".join(message["body"] for message in sent[1:]))


@pytest.fixture
def start_server(package_folder: Path, tmp_path: Path) -> Iterator[StartServer]:
    """Start ``python -m modelyard.serving`` on a free port; what still runs in the end is killed."""
    with contextlib.ExitStack() as stack:

        def start(*words: str, log: Path | None = None, file_limit_bytes: int | None = None) -> Server:
            log = log or tmp_path / "log"
            command = [sys.executable, "-m", "modelyard.serving", "--package", str(package_folder)]
            command += ["--log", str(log), "--port", "0", *words]
            if file_limit_bytes is not None:
                limited = "import resource, runpy, sys; limit = int(sys.argv.pop(1)); "
                limited += "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); "
                limited += "runpy.run_module('modelyard.serving', run_name='__main__', alter_sys=True)"
                command = [sys.executable, "-c", limited, str(file_limit_bytes), *command[3:]]
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            stack.callback(_end, process)
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                pytest.fail(f"the server did not start: {process.communicate(timeout=10)[1]}")
            return Server(process, json.loads(line), log)

        yield start


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A real PostgreSQL of this module's own."""
    with pytest.MonkeyPatch.context() as patch, postgres_cluster() as address:
        patch.setenv("YARD_PASSWORD", PASSWORD)
        yield address


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount; the limit on file size below stands in")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _end(process: subprocess.Popen[str]) -> None:
    """Kill what runs, and close its pipes."""
    process.kill()
    process.communicate(timeout=30)
