"""Rows in which everything is known: what is strange, and what goes together."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from modelyard.core import Actor
from modelyard.core.actor import ActorSource
from modelyard.data import Split, open_version, store_version
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.unsupervised.rows import divide_rows

ADA = Actor("ada", ActorSource.OS_USER)


def payments(rows: int = 600, strange: int = 12, *, seed: int = 0) -> pl.DataFrame:
    """Payments by day; strange ones are at three at night and ten times as high. The column ``fraud`` says which."""
    generator = np.random.default_rng(seed)
    amount = np.exp(3 + 0.5 * generator.normal(size=rows))
    hour = generator.integers(8, 20, rows).astype(float)
    fraud = np.zeros(rows, dtype=int)
    fraud[generator.choice(rows, strange, replace=False)] = 1
    return pl.DataFrame(
        {
            "payment": [f"p{row}" for row in range(rows)],
            "amount": np.where(fraud == 1, amount * 10, amount),
            "hour": np.where(fraud == 1, 3.0, hour),
            "country": generator.choice(["NL", "DE", "FR"], rows),
            "fraud": fraud,
        }
    )


def blobs(rows: int = 450, centres: int = 3, *, seed: int = 0) -> pl.DataFrame:
    """Round clusters on a circle of radius eight in the columns ``wide`` and ``high``, with a colour each."""
    generator = np.random.default_rng(seed)
    member = generator.integers(0, centres, rows)
    angle = 2 * np.pi * member / centres
    points = 8 * np.column_stack([np.cos(angle), np.sin(angle)]) + generator.normal(size=(rows, 2))
    return pl.DataFrame({"wide": points[:, 0], "high": points[:, 1], "member": [f"m{one}" for one in member]})


def noise(rows: int = 400, columns: int = 3, *, seed: int = 0) -> pl.DataFrame:
    """Uniform noise: nothing goes together."""
    values = np.random.default_rng(seed).random((rows, columns))
    return pl.DataFrame({f"x{column}": values[:, column] for column in range(columns)})


def row_problem(task: str, target: str = "", data: dict[str, Any] | None = None, **plan: Any) -> Problem:
    """A problem for anomalies or clusters."""
    section = "anomaly" if task == "anomaly" else "clustering"
    source = {"source": "rows.csv", "target": target, **(data or {})}
    return Problem.model_validate({"task": task, "data": source, section: plan})


def divided(rows: pl.DataFrame, problem: Problem, folder: Path) -> tuple[Split, Workspace]:
    """The rows as a version, some of them sealed."""
    workspace = Workspace(folder)
    version = store_version(rows, "rows.csv", workspace)
    return divide_rows(open_version(version.id, workspace), problem, workspace, ADA), workspace
