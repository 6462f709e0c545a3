"""A small model in production, and callers who ask its server with rows as they make them."""

import asyncio
import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.release import ALONE, release
from tests.serving.conftest import ask_app, running

from modelyard import Project
from modelyard.packaging.golden import as_requests
from modelyard.serving import Endpoint, ServingApp, ServingSettings, activate
from modelyard.serving.prediction_log import agreed_policy

DATA = Path(__file__).parents[2] / "data"
SETTINGS = (*ALONE, "data.id=customerID", "log.also=[customerID]")


@dataclasses.dataclass(frozen=True)
class Shop:
    """A project with version 1 in production, and the rows that it knows."""

    root: Path
    rows: pl.DataFrame

    def open(self, *settings: str) -> Project:
        """The project."""
        return Project.open(self.root, settings=(*SETTINGS, *settings))

    def ask(self, rows: pl.DataFrame | Sequence[Mapping[str, Any]], *settings: str) -> list[dict[str, Any]]:
        """The answers of the project's server to one request with these rows; they are in the log."""
        project = self.open(*settings)
        package = project.workspace.folder("packages", str(project.workspace.pointer("package")))
        policy = agreed_policy(project.problem, project.workspace)
        given = ServingSettings(package, project.workspace.folder("predictions"), log=policy)
        body = as_requests(rows) if isinstance(rows, pl.DataFrame) else [dict(row) for row in rows]
        with running(ServingApp(Endpoint(activate(package, policy.also)), given)) as app:
            response = asyncio.run(ask_app(app, "POST", "/predict", json.dumps(body).encode(), {}))
        assert response.status == 200, response.body
        answers: list[dict[str, Any]] = response.json()["predictions"]
        return answers


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose model was trained on 500 customers, released, and never asked."""
    home = tmp_path_factory.mktemp("opened")
    rows = pl.read_parquet(DATA / "telco_churn.parquet").sample(500, seed=3, shuffle=True)
    rows.write_parquet(home / "churn.parquet")
    Project.new(home / "churn", data=home / "churn.parquet", target="Churn")
    project = Project.open(home / "churn", settings=SETTINGS)
    release(project)
    return home


@pytest.fixture
def shop(opened: Path, tmp_path: Path) -> Shop:
    """A copy of one's own."""
    shutil.copytree(opened, tmp_path / "home")
    return Shop(tmp_path / "home" / "churn", pl.read_parquet(opened / "churn.parquet"))
