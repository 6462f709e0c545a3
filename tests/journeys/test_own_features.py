"""A feature of the user's own from ``features.py`` to the answer of a packaged model."""

from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard

from modelyard import Project
from modelyard.core import DataError, IntegrityError
from modelyard.packaging import Scorer, load_package

pytestmark = pytest.mark.journey

SOURCE = '''"""What the churn team knows."""

import polars as pl

from modelyard.features import feature


@feature(inputs=["tenure", "MonthlyCharges"], meaning="Charge of a month for each month stayed", author="ada")
def charge_per_month_stayed(table: pl.DataFrame) -> pl.Expr:
    return pl.col("MonthlyCharges") / (pl.col("tenure") + 1)
'''


def test_own_feature(yard: JourneyYard, data_folder: Path) -> None:
    """Learnt, packaged with its source, explained, served; a changed source is refused, a leaking one never trained."""
    source = data_folder / "telco_churn.parquet"
    customers = yard.table("customers", pl.read_parquet(source).head(2_000))
    settings = {"families": ["linear"], "tuning_rounds": 0}
    project: Project = yard.project(customers, "Churn", training=settings)
    leaking = SOURCE.replace('(pl.col("tenure") + 1)', 'pl.col("tenure").mean()')
    (yard.root / "features.py").write_text(leaking, encoding="utf-8")
    with pytest.raises(DataError, match="depends on other rows"):
        yard.train(project, accept="a test")
    (yard.root / "features.py").write_text(SOURCE, encoding="utf-8")

    run = yard.train(project, accept="a test")
    evaluation = project.evaluate()
    package = project.package()
    (yard.root / "features.py").unlink()
    scorer = Scorer.load(package)
    rows = pl.read_parquet(customers).drop("Churn")
    one_by_one = [float(scorer.score_rows([row])[0]) for row in rows.head(20).to_dicts()]

    assert "charge_per_month_stayed" not in {column.name for column in run.record.columns}
    assert {item.feature for item in evaluation.importance} <= set(rows.columns)
    assert scorer.verify_golden().ok
    assert one_by_one == pytest.approx(scorer.score_frame(rows.head(20)).tolist(), abs=1e-12)
    assert run.model("final").predict(rows.head(20)).tolist() == pytest.approx(one_by_one, abs=1e-12)
    assert "charge_per_month_stayed" in (package.folder / "card.json").read_text(encoding="utf-8")
    assert package.read("features.py").decode() == SOURCE

    (package.folder / "features.py").write_text(SOURCE.replace("+ 1", "+ 2"), encoding="utf-8")
    with pytest.raises(IntegrityError, match=r"not those that were packaged"):
        load_package(package.folder)
