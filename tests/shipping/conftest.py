"""A real package, registered in a project, to be carried away."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from modelyard.core import Actor
from modelyard.core.actor import ActorSource
from modelyard.data import load_version, make_split, resolve, store_version
from modelyard.evaluation.evaluate import evaluate
from modelyard.packaging import GoldenSet, Package, load_package
from modelyard.packaging.build import build_package
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training.engine import train
from modelyard.training.executor import InProcessExecutor

COLUMNS = ("tenure", "Contract", "PaymentMethod", "MonthlyCharges", "TotalCharges", "Churn")


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Package:
    """LightGBM on some columns of the churn data, built the whole way from the table."""
    root = tmp_path_factory.mktemp("project")
    actor = Actor("ada", ActorSource.OS_USER, ("admin",))
    workspace = Workspace(root)
    frame = pl.read_parquet(data_folder / "telco_churn.parquet", columns=list(COLUMNS)).gather_every(4)
    plan = {"folds": 2, "families": ("lightgbm",), "tuning_rounds": 0, "workers": 1, "unit_minutes": None}
    data = {"source": "telco_churn.parquet", "target": "Churn"}
    problem = resolve(Problem.model_validate({"name": "telco_churn", "data": data, "training": plan}), frame)
    dataset = load_version(store_version(frame, "telco_churn.parquet", workspace).id, workspace)
    split = make_split(dataset, problem, workspace, actor)
    run = train(split, problem, workspace, executor=InProcessExecutor())
    evaluation = evaluate(run, split, problem, actor=actor, reason=None)
    return build_package(run, split, evaluation, None, problem, version="1", folder=root / "package")


@pytest.fixture
def own_package(package: Package, tmp_path: Path) -> Package:
    """A copy of the package that a test may spoil."""
    shutil.copytree(package.folder, tmp_path / "package")
    return load_package(tmp_path / "package")


@pytest.fixture(scope="session")
def golden(package: Package) -> GoldenSet:
    """Rows with known answers."""
    return GoldenSet.from_dict(package.read_json("golden.json"))
