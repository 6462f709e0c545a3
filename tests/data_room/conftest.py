"""Fixtures of the data room: a workspace, and small tables whose answers are known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelyard.data import Dataset, load_version, store_version
from modelyard.problem import Problem
from modelyard.store import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A project's state in a folder of its own."""
    return Workspace(tmp_path / "project")


@pytest.fixture
def stored(workspace: Workspace) -> Callable[[pl.DataFrame], Dataset]:
    """Stores a frame as a version and gives it back as a data set."""

    def store(frame: pl.DataFrame) -> Dataset:
        return load_version(store_version(frame, "a test", workspace).id, workspace)

    return store


@pytest.fixture
def problem() -> Callable[..., Problem]:
    """Builds a problem: ``problem("y", time="day", split={...})``."""

    def build(target: str, *, split: dict[str, Any] | None = None, task: str = "auto", **data: Any) -> Problem:
        return Problem.model_validate(
            {"task": task, "split": split or {}, "data": {"source": "table.csv", "target": target, **data}}
        )

    return build
