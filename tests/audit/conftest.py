import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from modelyard.audit import AuditReport, audit
from modelyard.cli.app import app
from modelyard.core import Actor, Finding
from modelyard.core.actor import ActorSource
from modelyard.data import (
    Dataset,
    assign_roles,
    conform,
    infer_schema,
    load_version,
    make_split,
    resolve,
    store_version,
)
from modelyard.problem import Problem
from modelyard.store import Workspace


def _named(report: AuditReport, check: str, subject: str | None = None) -> list[Finding]:
    """The findings with this id, and this subject if one is given."""
    return [f for f in report.findings if f.id == check and (subject is None or f.subject == subject)]


def _problem_of(frame: pl.DataFrame, target: str, split: dict[str, Any], data: dict[str, Any]) -> Problem:
    """A resolved problem."""
    source = {"source": "table", "target": target, **data}
    return resolve(Problem.model_validate({"data": source, "split": split}), frame)


def _audited(
    frame: pl.DataFrame, target: str = "y", *, split: dict[str, Any] | None = None, **data: Any
) -> AuditReport:
    """The audit of a whole table as if it were the training part."""
    problem = _problem_of(frame, target, split or {}, data)
    schema = infer_schema(frame, problem.data.types)
    return audit(Dataset("table", conform(frame, schema), schema), problem, assign_roles(problem, schema), seed=0)


@pytest.fixture(scope="session")
def audit_real(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AuditReport]:
    """Audits the training part, made by the data room, of a real table; each only once."""

    @functools.cache
    def of(
        name: str, target: str, *, exclude: tuple[str, ...] = (), strategy: str = "auto", **data: Any
    ) -> AuditReport:
        frame = pl.read_parquet(data_folder / f"{name}.parquet")
        workspace = Workspace(tmp_path_factory.mktemp(name))
        reasons = dict.fromkeys(exclude, "not known when the prediction is asked for")
        problem = _problem_of(frame, target, {"strategy": strategy}, {**data, "exclude": reasons})
        dataset = load_version(store_version(frame, name, workspace).id, workspace)
        train = make_split(dataset, problem, workspace, Actor("ada", ActorSource.OS_USER)).train
        return audit(train, problem, assign_roles(problem, train.schema), seed=0)

    return of


def _clean_table(seed: int, rows: int, task: str) -> pl.DataFrame:
    """A table without faults: features of many shapes, and a target that depends on three of them with noise."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"x{i}": random.normal(size=rows) * 10.0 ** (i - 2) for i in range(5)}
    columns |= {
        "amount": random.lognormal(size=rows),
        "count": random.poisson(3, rows),
        "age": random.integers(18, 80, rows),
        "letter": random.choice(list("abcdefg"), rows),
        "place": np.char.add("place ", random.integers(0, 60, rows).astype(str)),
        "flag": random.random(rows) < 0.4,
    }
    signal = columns["x2"] + 0.5 * (columns["letter"] == "a") + 0.03 * (columns["age"] - 40) + random.normal(size=rows)
    if task == "binary":
        signal = np.where(signal > 0.3, "yes", "no")
    elif task == "multiclass":
        signal = np.array(["low", "middle", "high"])[np.digitize(signal, [-0.5, 0.7])]
    return pl.DataFrame({**columns, "y": signal})


@pytest.fixture(scope="session")
def audited() -> Callable[..., AuditReport]:
    """Audits a table: ``audited(frame, target="y", split=None, **data)``."""
    return _audited


@pytest.fixture(scope="session")
def named() -> Callable[..., list[Finding]]:
    """Picks findings: ``named(report, check, subject=None)``."""
    return _named


@pytest.fixture(scope="session")
def clean_table() -> Callable[[int, int, str], pl.DataFrame]:
    """Makes a faultless table: ``clean_table(seed, rows, task)``."""
    return _clean_table


@pytest.fixture
def run_audit(tmp_path: Path, clean_table: Callable[[int, int, str], pl.DataFrame]) -> Callable[..., tuple[int, str]]:
    """Runs ``modelyard audit`` on a project with one constant column: exit code and text."""
    frame = clean_table(4, 1_500, "binary").with_columns(still=pl.lit(1))
    frame.write_parquet(tmp_path / "rows.parquet")
    text = "name: demo\ndata:\n  source: rows.parquet\n  target: y\n"
    (tmp_path / "modelyard.yaml").write_text(text, encoding="utf-8")

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["audit", "--project", str(tmp_path), *words], env={"COLUMNS": "200"})
        return result.exit_code, result.output

    return run
