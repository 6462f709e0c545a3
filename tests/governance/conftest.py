"""Two real packages of one model, built once; a registry in a folder of its own; and people with roles."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.release import QUICK

from modelyard import Project
from modelyard.core.actor import Actor, ActorSource
from modelyard.governance import Registry
from modelyard.packaging import Package, load_package
from modelyard.problem.schema import Policy
from modelyard.store import Workspace

DATA = Path(__file__).parents[1] / "data"
SETTINGS = (*QUICK, "name=churn")


@dataclasses.dataclass(frozen=True)
class Office:
    """A registry, its packages of versions 1 and 2, and a second package that was built as version 1."""

    workspace: Workspace
    registry: Registry
    packages: tuple[Package, ...]
    rival: Package


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three packages of a churn model on 400 rows: ``churn-1``, ``churn-2`` and ``rival-1``."""
    from modelyard.data import load_split
    from modelyard.evaluation import load_evaluation
    from modelyard.packaging.build import build_package
    from modelyard.packaging.details import build_details

    home = tmp_path_factory.mktemp("built")
    pl.read_parquet(DATA / "telco_churn.parquet").sample(400, seed=1).write_parquet(home / "churn.parquet")
    Project.new(home / "churn", data=home / "churn.parquet", target="Churn")
    project = Project.open(home / "churn", settings=SETTINGS)
    run = project.train(accept="a test")
    project.evaluate()
    split = load_split(run.record.split_id, project.workspace)
    evaluation = load_evaluation(run.record.id, project.workspace)
    details = dataclasses.replace(build_details(project.workspace, split, project.actor), author="ada")
    for folder, version in (("churn-1", "1"), ("churn-2", "2"), ("rival-1", "1")):
        problem = project.problem.with_values(task=run.record.task)
        place = home / "packages" / folder
        build_package(run, split, evaluation, None, problem, version=version, folder=place, details=details)
    return home / "packages"


@pytest.fixture
def office(built: Path, tmp_path: Path) -> Office:
    """An empty registry with the packages beside it."""
    workspace = Workspace(tmp_path)
    shutil.copytree(built, workspace.folder("packages"))
    load = [load_package(workspace.folder("packages", name)) for name in ("churn-1", "churn-2", "rival-1")]
    return Office(workspace, Registry(workspace), (load[0], load[1]), load[2])


@pytest.fixture
def ada() -> Actor:
    """The author: a developer."""
    return Actor("ada", ActorSource.OS_USER, ("developer", "operator"))


@pytest.fixture
def bob() -> Actor:
    """An approver by token."""
    return Actor("bob", ActorSource.TOKEN, ("approver",))


@pytest.fixture
def carol() -> Actor:
    """Another approver by token."""
    return Actor("carol", ActorSource.TOKEN, ("approver",))


@pytest.fixture
def policy() -> Policy:
    """One approval, by somebody else."""
    return Policy()


def promoted(office: Office, ada: Actor, bob: Actor, policy: Policy, count: int = 2) -> Registry:
    """The registry with the first ``count`` versions registered, approved and promoted in turn."""
    for number, package in enumerate(office.packages[:count], start=1):
        office.registry.register(package, ada)
        office.registry.approve("churn", number, bob, "looks well", policy)
        office.registry.promote("churn", number, ada, policy, "grace")
    return office.registry


@pytest.fixture
def two(office: Office, ada: Actor, bob: Actor, policy: Policy) -> Office:
    """Version 1 in production, version 2 registered."""
    promoted(office, ada, bob, policy, count=1)
    office.registry.register(office.packages[1], ada)
    return office


@pytest.fixture
def found(tmp_path: Path, built: Path, ada: Actor, bob: Actor) -> Callable[..., Path]:
    """Makes a project of a file's content; released ones have the first package in production."""

    def make(content: dict[str, Any], *, released: bool = False) -> Path:
        root: Path = tmp_path / "yards" / str(content["name"])
        root.mkdir(parents=True)
        (root / "modelyard.yaml").write_text(json.dumps(content), encoding="utf-8")
        if released:
            workspace = Workspace(root)
            shutil.copytree(built / "churn-1", workspace.folder("packages", "churn-1"))
            registry = Registry(workspace)
            registry.register(load_package(workspace.folder("packages", "churn-1")), ada)
            registry.approve("churn", 1, bob, "well", Policy())
            registry.promote("churn", 1, ada, Policy(), "grace")
        return root

    return make
