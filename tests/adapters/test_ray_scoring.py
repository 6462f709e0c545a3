"""Ray as an engine of batch scoring: same results to the last bit, whoever dies."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.life import trained
from tests.serving.conftest import ROW, churn_table

from modelyard.adapters.engines import engine_of
from modelyard.adapters.ray_scoring import RayScoring
from modelyard.core import ConfigError, DataError, StateError
from modelyard.packaging import Scorer
from modelyard.problem import Problem, Task
from modelyard.problem.schema import DataSource, TrainingPlan
from modelyard.serving import BatchSettings, score_file
from modelyard.serving.batch import Job, LocalScoring, Piece

pytest.importorskip("ray")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Path:
    """A package on the churn data."""
    problem = Problem(
        name="telco",
        task=Task.AUTO,
        data=DataSource(source="telco_churn.parquet", target="Churn"),
        training=TrainingPlan(folds=2, families=("lightgbm",), tuning_rounds=0),
    )
    return trained(tmp_path_factory.mktemp("telco"), churn_table(data_folder), problem).packaged().folder


@pytest.fixture(scope="module")
def ray() -> Iterator[RayScoring]:
    """Two workers on this machine."""
    made = RayScoring(workers=2)
    yield made
    made.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Six hundred rows, some of which break the contract."""
    rows: list[dict[str, Any]] = [{**ROW, "tenure": float(number % 72)} for number in range(600)]
    for place in range(7, 600, 100):
        rows[place]["MonthlyCharges"] = float("inf")
    pl.DataFrame(rows, schema_overrides={"TotalCharges": pl.Float64}).write_parquet(tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


@pytest.mark.slow
def test_the_file_is_the_same(tmp_path: Path, package: Path, ray: RayScoring, source: Path) -> None:
    """Scores, order and quarantine are those of this process, byte for byte."""
    scorer = Scorer.load(package)
    settings = BatchSettings(chunk_rows=120, package=package)
    score_file(scorer, source, tmp_path / "here.parquet", settings=settings)
    there = BatchSettings(chunk_rows=120, package=package, engine=ray)
    report = score_file(scorer, source, tmp_path / "there.parquet", settings=there)

    assert (report.rows, report.scored, report.quarantined) == (600, 594, 6)
    for suffix in ("", ".quarantine.parquet"):
        here = (tmp_path / f"here.parquet{suffix}").read_bytes()
        assert (tmp_path / f"there.parquet{suffix}").read_bytes() == here


class Deadly:
    """Rows that kill the first worker that takes them out of their box."""

    def __init__(self, mark: Path, rows: pl.DataFrame) -> None:
        self.mark = mark
        self.rows = rows

    def __reduce__(self) -> Any:
        return _open, (self.mark, os.getpid(), self.rows)


def _open(mark: Path, driver: int, rows: pl.DataFrame) -> pl.DataFrame:
    if os.getpid() != driver and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), 9)
    return rows


def test_a_part_whose_worker_dies_is_scored_again(tmp_path: Path, package: Path, ray: RayScoring, source: Path) -> None:
    """SIGKILL to a worker with a part in its hands: another does it, and nobody notices."""
    scorer = Scorer.load(package)
    rows = pl.read_parquet(source)
    deadly: Any = Deadly(tmp_path / "dead", rows.slice(50, 50))
    pieces = [
        Piece(0, rows.head(50)),
        Piece(50, deadly),
        Piece(100, rows.slice(100)),
    ]
    plain = [Piece(0, rows.head(50)), Piece(50, rows.slice(50, 50)), Piece(100, rows.slice(100))]
    there = list(ray.score(Job(scorer, package, uncertainty=False), pieces))
    here = list(LocalScoring().score(Job(scorer, package, uncertainty=False), plain))

    assert (tmp_path / "dead").exists()
    assert [piece.good.equals(other.good) for piece, other in zip(there, here, strict=True)] == [True] * 3
    assert [piece.bad["row"].to_list() for piece in there] == [[7], [], [107, 207, 307, 407, 507]]


def test_faults_come_back_as_they_are(tmp_path: Path, package: Path, ray: RayScoring, source: Path) -> None:
    """A missing column is the same sentence as here; a model without a package, another package and Spark are refused."""
    scorer = Scorer.load(package)
    pl.read_parquet(source).drop("tenure").write_parquet(source)
    settings = BatchSettings(package=package, engine=ray)
    with pytest.raises(DataError, match="columns that the model needs are not there: 'tenure'"):
        score_file(scorer, source, tmp_path / "out.csv", settings=settings)
    with pytest.raises(StateError, match="this model is in none"):
        score_file(scorer, source, tmp_path / "out.csv", settings=BatchSettings(engine=ray))
    with pytest.raises(ConfigError, match="scoring on Spark is not built"), engine_of("spark"):
        pass
    with pytest.raises(ConfigError, match="there is no engine of that name"), engine_of("dask"):
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]
