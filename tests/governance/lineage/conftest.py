"""One model that has lived: collected, trained, released, asked, watched, and retrained in vain."""

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.release import ALONE

from modelyard import Project
from modelyard.core import WaitingForApprovalError, new_ids
from modelyard.serving.prediction_log import PredictionLog, record_feedback

SETTINGS = (
    *ALONE,
    "name=churn",
    "team=retention",
    "monitoring.window=batch",
    "log.personal={customerID: drop, gender: hash}",
)
HASHED = "0f3a" * 8


@dataclasses.dataclass(frozen=True)
class Life:
    """A project's folder, and the ids of its logged predictions."""

    root: Path
    ids: tuple[str, ...]

    def open(self) -> Project:
        """The project."""
        return Project.open(self.root, settings=SETTINGS)


@pytest.fixture(scope="session")
def lived(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """The project that the packages of ``built`` come from, and what followed."""
    home = tmp_path_factory.mktemp("lived")
    shutil.copytree(built.parent, home, dirs_exist_ok=True)
    project = Project.open(home / "churn", settings=SETTINGS)
    project.evaluate(open_test="figures for the card")
    package = project.package()
    project.register()
    with pytest.raises(WaitingForApprovalError):
        project.promote(1)
    project.approve(1, "figures and card read")
    project.promote(1)
    rows = pl.read_parquet(home / "churn.parquet")
    rows.head(50).drop("Churn").write_csv(home / "new.csv")
    project.score(home / "new.csv", home / "scores.csv")
    ids = logged(project, package.manifest.digest, rows.head(60))
    project.monitor(alerts=False)
    project.retrain(home / "churn.parquet")
    return Life(home / "churn", ids)


def logged(project: Project, digest: str, rows: pl.DataFrame) -> tuple[str, ...]:
    """Answers in the log, as the server of this project writes them; the first has a label."""
    folder = project.workspace.folder("predictions")
    names = [name for name in rows.columns if name not in ("Churn", "customerID")]
    log = PredictionLog(folder, columns=dict.fromkeys(names, "category"))
    ids = tuple(new_ids(rows.height))
    at = dt.datetime.now(dt.UTC).isoformat()
    told = {
        "at": at,
        "model": "churn",
        "version": "1",
        "digest": digest,
        "latency_ms": 1.5,
        "score": 0.7,
        "label": "Yes",
    }
    log.append(
        [
            {
                **told,
                "id": id_,
                "probabilities": None,
                "flags": ["tenure: above"],
                "features": {**row, "gender": HASHED},
            }
            for id_, row in zip(ids, rows.select(names).iter_rows(named=True), strict=True)
        ]
    )
    log.close()
    record_feedback(folder, [{"id": ids[0], "label": "No", "at": at}])
    return ids


@pytest.fixture
def life(lived: Life, tmp_path: Path) -> Life:
    """A copy of one's own."""
    shutil.copytree(lived.root.parent, tmp_path / "home")
    return Life(tmp_path / "home" / "churn", lived.ids)
