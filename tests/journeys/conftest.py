"""A yard in which a journey makes its project, and the steps that every journey takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.release import promote_by_grace
from tests.yard import Yard

from modelyard import Project
from modelyard.evaluation import Evaluation
from modelyard.training.executor import InProcessExecutor
from modelyard.training.run import StoredRun


class JourneyYard(Yard):
    """A yard with the steps of a journey by Python."""

    def table(self, name: str, frame: pl.DataFrame) -> Path:
        """A Parquet file beside the project."""
        path = self.folder / f"{name}.parquet"
        frame.write_parquet(path)
        return path

    def project(self, source: Path, target: str, /, **changes: Any) -> Project:
        """A new project on a table, opened with the overlay."""
        Project.new(self.root, data=source, target=target)
        self.configure(**changes)
        return self.open()

    def open(self, token: str | None = None) -> Project:
        """The project, as the owner of the token sees it."""
        return Project.open(self.root, env="quick", token=token)

    @staticmethod
    def train(project: Project, **options: Any) -> StoredRun:
        """Train in this process."""
        return project.train(executor=InProcessExecutor(), **options)

    def release(self, project: Project, version: int) -> str:
        """Package, register, have somebody else approve, and promote; returns that person's token."""
        project.package()
        assert project.register().version == version
        return promote_by_grace(project, version)

    def release_by_command(self) -> None:
        """Train, evaluate on validation, package, register, and have somebody else approve and promote version 1."""
        for step in ("train", "evaluate", "package", "register"):
            self.done(step)
        grace = self.done("token", "grace", "--role", "approver", "--role", "operator")["token"]
        self.done("approve", "1", "--reason", "The figures hold", token=grace)
        self.done("promote", "1", token=grace)


def figure(evaluation: Evaluation | Mapping[str, Any], metric: str, system: str = "winner") -> float:
    """A system's figure on the opened test part."""
    record = evaluation.to_dict() if isinstance(evaluation, Evaluation) else evaluation
    scores = next(item for item in record["test"] if item["name"] == system)
    return float(next(item["value"] for item in scores["metrics"] if item["name"] == metric))


@pytest.fixture
def yard(tmp_path: Path) -> JourneyYard:
    """An empty yard."""
    return JourneyYard(tmp_path)
