"""Packages to serve and rows to send: adult_census, one family each, built by the project's own rooms."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from modelyard.core import Actor
from modelyard.core.actor import ActorSource
from modelyard.data import ColumnContract, ColumnKind, load_version, make_split, resolve, store_version
from modelyard.evaluation.evaluate import evaluate
from modelyard.packaging import Scorer
from modelyard.packaging.build import BuildDetails, build_package
from modelyard.problem import Problem, Task
from modelyard.problem.schema import DataSource, EvaluationPlan, TrainingPlan
from modelyard.problem.sections.training import CustomEstimator
from modelyard.store import Workspace
from modelyard.training.engine import train
from modelyard.training.executor import InProcessExecutor

__all__ = ["BODIES", "TARGET", "WITHOUT_NATIVE_FORM", "package_of", "requests_for", "rows_within", "table", "trees_in"]

ROOT = Path(__file__).parents[2]
TARGET = "income"
WITHOUT_NATIVE_FORM = "hist"
"""An estimator that no package can hold but by skops: it is called itself, as in a hand-written service."""
_CUSTOM = {
    WITHOUT_NATIVE_FORM: CustomEstimator(
        path="sklearn.ensemble.HistGradientBoostingClassifier",
        params={"max_iter": 236, "early_stopping": False},
        style="tree",
    )
}
BODIES = 500
"""Different rows that are sent in turn."""


def table(rows: int = 30_000) -> pl.DataFrame:
    """Rows to learn from."""
    frame = pl.read_parquet(ROOT / "tests" / "data" / "adult_census.parquet").drop("uci_split", strict=False)
    return frame.sample(rows, seed=0, shuffle=True)


def package_of(family: str, folder: Path) -> Path:
    """A package whose model is of a family, with its default configuration; built when it is first asked for."""
    package = folder / family / "package"
    if not (package / "manifest.json").exists():
        problem = Problem(
            name="adult",
            task=Task.AUTO,
            data=DataSource(source="adult_census.parquet", target=TARGET),
            training=TrainingPlan(
                folds=2,
                families=() if family in _CUSTOM else (family,),
                custom={k: v for k, v in _CUSTOM.items() if k == family},
                tuning_rounds=0,
            ),
            evaluation=EvaluationPlan(),
        )
        _build(problem, table(), folder / family, package)
    return package


def trees_in(package: Path) -> int:
    """The trees of LightGBM's model file."""
    return (package / "model" / "lightgbm.txt").read_text(encoding="utf-8").count("\nTree=")


def rows_within(package: Path) -> list[dict[str, Any]]:
    """Rows drawn within the contract."""
    columns = Scorer.load(package).contract.columns
    draw = random.Random(0)  # noqa: S311 - load needs no cryptographic randomness
    return [{column.name: _value(column, draw) for column in columns} for _ in range(BODIES)]


def requests_for(path: str, bodies: Sequence[Any], *lines: str) -> list[bytes]:
    """Whole HTTP requests, one for each body."""
    made = []
    for body in bodies:
        raw = json.dumps(body, separators=(",", ":")).encode()
        head = [f"POST {path} HTTP/1.1", "host: localhost", "content-type: application/json", *lines]
        made.append("\r\n".join([*head, f"content-length: {len(raw)}", "", ""]).encode() + raw)
    return made


def _value(column: ColumnContract, draw: random.Random) -> Any:
    """A value that the contract lets pass."""
    if column.kind is ColumnKind.NUMERIC and column.low is not None and column.high is not None:
        return round(draw.uniform(column.low, column.high), 2)
    if column.kind is ColumnKind.BOOLEAN:
        return draw.random() < 0.5
    if column.kind is ColumnKind.DATE:
        return f"20{draw.randrange(10, 25)}-{draw.randrange(1, 13):02d}-15"
    return draw.choice(column.categories) if column.categories else None


def _build(problem: Problem, frame: pl.DataFrame, root: Path, package: Path) -> None:
    """Version, split, train, evaluate on validation, package."""
    actor = Actor("bench", ActorSource.OS_USER, ("admin",))
    workspace = Workspace(root)
    resolved = resolve(problem, frame)
    dataset = load_version(store_version(frame, str(problem.data.source), workspace).id, workspace)
    split = make_split(dataset, resolved, workspace, actor)
    run = train(split, resolved, workspace, executor=InProcessExecutor())
    evaluation = evaluate(run, split, resolved, actor=actor, reason=None)
    build_package(run, split, evaluation, None, resolved, version="1", folder=package, details=BuildDetails())
