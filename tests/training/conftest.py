"""Small tables with a known signal, real splits of them, and families that are quick to fit."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core.actor import Actor
from modelyard.data import Split, load_version, make_split, store_version
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training import Executor, InProcessExecutor, TrainingRun
from modelyard.training.engine import repeat, train
from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.boosting.xgboost import XGBoost
from modelyard.training.families.family import Family
from modelyard.training.families.forests.random_forest import RandomForest
from modelyard.training.families.linear import Linear
from modelyard.training.run import StoredRun

MakeSplit = Callable[..., tuple[Split, Problem]]


@dataclasses.dataclass(frozen=True)
class Trial:
    """A split and its question, on which families that are quick to fit are trained in this process."""

    split: Split
    problem: Problem
    workspace: Workspace
    families: Mapping[str, Family]

    def train(self, executor: Executor | None = None) -> StoredRun:
        """A run, by another executor if one is given."""
        executor = executor or InProcessExecutor()
        return train(self.split, self.problem, self.workspace, families=self.families, executor=executor)

    def repeat(self, record: TrainingRun, executor: Executor | None = None) -> StoredRun:
        """The run of a record once more, by another executor if one is given."""
        executor = executor or InProcessExecutor()
        return repeat(record, self.split, self.problem, self.workspace, families=self.families, executor=executor)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty project."""
    return Workspace(tmp_path)


@pytest.fixture
def quick_families() -> Mapping[str, Family]:
    """The families that ship, with few trees and few rounds."""
    quick: tuple[Family, ...] = (
        Linear(),
        RandomForest(trees=8),
        LightGBM(max_rounds=30, patience=5, fallback_rounds=10),
        XGBoost(max_rounds=30, patience=5, fallback_rounds=10),
    )
    return {family.name: family for family in quick}


def signal_table(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    """Numbers, categories and gaps; a binary, a three-class and a numeric target that depend on them."""
    generator = np.random.default_rng(seed)
    tenure = generator.uniform(0, 70, rows)
    charge = generator.normal(60, 20, rows)
    contract = generator.choice(["month", "year", "two years"], rows, p=[0.5, 0.3, 0.2])
    risk = 1.5 * (contract == "month") - tenure / 25 + (charge - 60) / 30 + generator.logistic(0, 0.7, rows)
    return pl.DataFrame(
        {
            "tenure": tenure,
            "charge": pl.Series(
                [None if gap else value for gap, value in zip(generator.random(rows) < 0.05, charge, strict=True)]
            ),
            "contract": contract,
            "day": np.arange(rows) // 4,
            "household": generator.integers(0, rows // 8, rows),
            "today": (tenure < 15).astype(float),
            "churn": np.where(risk > 0, "yes", "no"),
            "level": np.array(["low", "mid", "high"])[np.digitize(risk, [-1.5, 0.0])],
            "amount": 100 + 20 * risk,
        }
    )


@pytest.fixture
def table() -> pl.DataFrame:
    """400 rows of :func:`signal_table`."""
    return signal_table()


@pytest.fixture
def split_of(workspace: Workspace, actor: Actor) -> MakeSplit:
    """Makes a split and its problem from a table; keywords are the problem's, ``target`` and others go to ``data``."""

    def make(
        frame: pl.DataFrame, target: str, *, data: Mapping[str, Any] | None = None, **keys: Any
    ) -> tuple[Split, Problem]:
        others = {name: "another target" for name in ("churn", "level", "amount") if name != target}
        declared = dict(data or {})
        helpers = {"day": "time", "household": "group", "today": "existing"}
        unused = {name: "a key" for name, use in helpers.items() if declared.get(use) != name}
        exclude = {name: why for name, why in (others | unused).items() if name in frame.columns}
        source = {"source": "table", "target": target, "exclude": exclude, **declared}
        keys.setdefault("training", {"folds": 3, "tuning_rounds": 2, "workers": 1, "unit_minutes": None})
        problem = Problem.model_validate({"data": source, **keys})
        version = store_version(frame, "table", workspace)
        dataset = load_version(version.id, workspace)
        from modelyard.data import resolve

        problem = resolve(problem, dataset.frame)
        return make_split(dataset, problem, workspace, actor), problem

    return make


@pytest.fixture
def trial(
    split_of: MakeSplit, table: pl.DataFrame, workspace: Workspace, quick_families: Mapping[str, Family]
) -> Callable[..., Trial]:
    """Makes a trial on the table: ``trial(target, **keys)``, with the keys of ``split_of``."""

    def make(target: str, **keys: Any) -> Trial:
        return Trial(*split_of(table, target, **keys), workspace, quick_families)

    return make
