"""A table that was split and trained on, room by room, without a project file."""

import dataclasses
from pathlib import Path

import polars as pl

from modelyard.core import Actor
from modelyard.core.actor import ActorSource
from modelyard.data import Split, load_version, make_split, resolve, store_version
from modelyard.evaluation import Evaluation
from modelyard.evaluation.evaluate import evaluate
from modelyard.packaging import Package
from modelyard.packaging.build import build_package
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training.engine import train
from modelyard.training.executor import InProcessExecutor
from modelyard.training.run import StoredRun

__all__ = ["Life", "trained"]

ADA = Actor("ada", ActorSource.OS_USER, ("admin",))


@dataclasses.dataclass(frozen=True)
class Life:
    """A project up to training: the question, where it is stored, the split and the run."""

    problem: Problem
    workspace: Workspace
    split: Split
    run: StoredRun

    def evaluated(self, reason: str | None = None) -> Evaluation:
        """The evaluation; on the test part too, if there is a reason to open it."""
        return evaluate(self.run, self.split, self.problem, actor=ADA, reason=reason)

    def packaged(self) -> Package:
        """The package of version 1, evaluated on validation rows, in the folder ``package`` of the project."""
        folder = self.workspace.root / "package"
        return build_package(self.run, self.split, self.evaluated(), None, self.problem, version="1", folder=folder)


def trained(root: Path, frame: pl.DataFrame, problem: Problem) -> Life:
    """Store a table as a version, split it, and train on it in this process."""
    workspace = Workspace(root)
    problem = resolve(problem, frame)
    version = store_version(frame, problem.data.source, workspace)
    split = make_split(load_version(version.id, workspace), problem, workspace, ADA)
    return Life(problem, workspace, split, train(split, problem, workspace, executor=InProcessExecutor()))
