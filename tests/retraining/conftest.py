"""A project with a champion in production that has learnt nothing, and real rows that can teach better."""

import dataclasses
import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.release import ALONE, release

from modelyard import Project

DATA = Path(__file__).parents[1] / "data"
SETTINGS = (*ALONE, "retraining.min_new_rows=150", "retraining.max_segment_loss=0.4")


@dataclasses.dataclass(frozen=True)
class Plant:
    """A project of one's own, and the tables that it may be retrained with."""

    root: Path
    old: pl.DataFrame
    new: pl.DataFrame

    def open(self, *settings: str) -> Project:
        """The project, quick to train."""
        return Project.open(self.root, settings=(*SETTINGS, *settings))

    def table(self, frame: pl.DataFrame) -> Path:
        """A file with these rows."""
        path = self.root.parent / "new.parquet"
        frame.write_parquet(path)
        return path


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on 400 churn rows whose labels were shuffled, so that its champion knows nothing."""
    home = tmp_path_factory.mktemp("founded")
    rows = pl.read_parquet(DATA / "telco_churn.parquet").sample(1300, seed=1, shuffle=True)
    old = rows[:400].with_columns(pl.col("Churn").shuffle(seed=2))
    old.write_parquet(home / "old.parquet")
    rows[400:].write_parquet(home / "launch.parquet")
    Project.new(home / "churn", data=home / "old.parquet", target="Churn")
    project = Project.open(home / "churn", settings=SETTINGS)
    release(project)
    return home


@pytest.fixture
def plant(founded: Path, tmp_path: Path) -> Plant:
    """A copy of the founded project."""
    shutil.copytree(founded, tmp_path / "home")
    old, new = (pl.read_parquet(founded / name) for name in ("old.parquet", "launch.parquet"))
    return Plant(tmp_path / "home" / "churn", old, new)
