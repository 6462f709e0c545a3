"""Tables that are wrong, a project at every step of its life, and what must hold after any failure."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.yard import Yard

from modelyard import Project
from modelyard.store import Ledger, Workspace
from modelyard.training.executor import InProcessExecutor

SMALL = {"tuning_rounds": 1, "folds": 3}
ALONE = {"approvals": 0, "two_person": False}


class FaultyYard(Yard):
    """A yard in which something goes wrong."""

    def file(self, name: str, content: bytes | str) -> Path:
        """A file beside the project."""
        path = self.folder / name
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    def make(self, frame: pl.DataFrame) -> Project:
        """A project on a good table, with the affordable search."""
        path = self.folder / "good.parquet"
        frame.write_parquet(path)
        project = Project.new(self.root, data=path, target="target")
        self.configure(training=SMALL, policy=ALONE)
        return project

    def refused_new(self, source: Path | str, target: str = "target") -> str:
        """The sentence with which ``new`` refuses a table; nothing may be left of the project."""
        sentence = self.new(source, target).sentence(2)

        assert not (self.root / "modelyard.yaml").exists()
        assert sorted(path.name for path in self.folder.iterdir() if path.name.startswith(".")) == []
        return sentence

    def assert_sound(self) -> None:
        """No half state: the ledger verifies, and pointers show to what exists."""
        workspace = Workspace(self.root)
        verification = Ledger.open(workspace.state / "ledger.db").verify()
        assert verification.ok, verification.problem
        for name in ("split", "run", "evaluation", "package"):
            value = workspace.pointer(name)
            if value is not None:
                assert workspace.folder(f"{name}s", value).is_dir(), name
        assert Project.open(self.root).status().ledger_ok


@pytest.fixture
def yard(tmp_path: Path) -> FaultyYard:
    """An empty yard."""
    return FaultyYard(tmp_path)


@pytest.fixture
def good() -> pl.DataFrame:
    """600 rows with one telling number, one category and a target."""
    return good_table()


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One project as it was before each of the commands of its life: folders to copy."""
    work = FaultyYard(tmp_path_factory.mktemp("stages") / "work")
    work.folder.mkdir()
    work.make(good_table())
    project = Project.open(work.root, env="quick")
    kept = {}
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("audit", project.check),
        ("train", lambda: project.train(executor=InProcessExecutor())),
        ("evaluate", project.evaluate),
        ("package", project.package),
        ("register", project.register),
        ("promote", lambda: project.promote(1)),
        ("score", lambda: None),
    )
    for name, step in steps:
        kept[name] = work.folder.parent / name
        shutil.copytree(work.folder, kept[name])
        step()
    return kept


@pytest.fixture
def stage(tmp_path: Path, stages: dict[str, Path]) -> Callable[[str], FaultyYard]:
    """A function that gives a yard whose project is ready for a command."""

    def ready(command: str) -> FaultyYard:
        folder = tmp_path / "yard"
        shutil.copytree(stages[command], folder)
        return FaultyYard(folder)

    return ready


def good_table() -> pl.DataFrame:
    """What the fixture ``good`` gives."""
    rng = np.random.default_rng(7)
    number = rng.normal(size=600)
    target = np.where(number + rng.normal(scale=0.7, size=600) > 0.4, "yes", "no")
    kind, noise = rng.choice(["a", "b", "c"], size=600), rng.normal(size=600)
    return pl.DataFrame({"number": number, "kind": kind, "noise": noise, "target": target})
