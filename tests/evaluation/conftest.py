"""Small real tables, and models fitted on them."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from tests.life import Life, trained

from modelyard.data.schema import Column, ColumnKind, infer_schema
from modelyard.evaluation import Evaluation
from modelyard.features.encoder import TableEncoder
from modelyard.problem import Problem, Task
from modelyard.training.families.family import FitData
from modelyard.training.families.registry import FAMILIES
from modelyard.training.model import FittedModel


@dataclasses.dataclass(frozen=True)
class Sample:
    """A table with its encoded target, and which columns are features."""

    frame: pl.DataFrame
    truth: npt.NDArray[np.float64]
    columns: tuple[Column, ...]
    task: Task
    classes: tuple[str, ...]

    def rows(self, positions: slice) -> "Sample":
        """Some of the rows."""
        return dataclasses.replace(self, frame=self.frame[positions], truth=self.truth[positions])


Fit = Callable[[str, Sample], FittedModel]


@pytest.fixture(scope="session")
def churn(data_folder: Path) -> Sample:
    """1,200 customers, and whether each left."""
    frame = pl.read_parquet(data_folder / "telco_churn.parquet").head(1200)
    names = ("tenure", "MonthlyCharges", "Contract", "InternetService", "PaymentMethod", "SeniorCitizen")
    truth = (frame["Churn"] == "Yes").cast(pl.Float64).to_numpy()
    return Sample(frame, truth, _columns(frame, names), Task.BINARY, ("No", "Yes"))


@pytest.fixture(scope="session")
def plans(churn: Sample) -> Sample:
    """The same customers, and the contract of each."""
    classes = ("Month-to-month", "One year", "Two year")
    codes = dict(zip(classes, (0.0, 1.0, 2.0), strict=True))
    truth = churn.frame["Contract"].replace_strict(codes, return_dtype=pl.Float64).to_numpy()
    names = ("tenure", "MonthlyCharges", "InternetService", "PaymentMethod")
    return Sample(churn.frame, truth, _columns(churn.frame, names), Task.MULTICLASS, classes)


@pytest.fixture(scope="session")
def charges(churn: Sample) -> Sample:
    """The same customers, and what each pays a month."""
    truth = churn.frame["MonthlyCharges"].cast(pl.Float64).to_numpy()
    names = ("tenure", "Contract", "InternetService", "StreamingTV", "PhoneService")
    return Sample(churn.frame, truth, _columns(churn.frame, names), Task.REGRESSION, ())


def _columns(frame: pl.DataFrame, names: tuple[str, ...]) -> tuple[Column, ...]:
    schema = infer_schema(frame.select(names))
    return tuple(column for column in schema.columns if column.kind is not ColumnKind.TEXT)


@pytest.fixture(scope="session")
def fit() -> Fit:
    """Fits a family's defaults on a sample."""

    def fitted(family: str, sample: Sample) -> FittedModel:
        chosen = FAMILIES[family]
        encoder = TableEncoder(sample.columns, chosen.style).fit(sample.frame)
        stop = np.zeros(len(sample.truth), dtype=np.bool_)
        data = FitData(sample.task, encoder.transform(sample.frame), sample.truth, stop)
        estimator = chosen.fit(data, chosen.defaults(sample.task), seed=0, rounds=60).estimator
        present = tuple(range(len(sample.classes)))
        return FittedModel(encoder, estimator, family, sample.task, sample.classes, present)

    return fitted


Live = Callable[[pl.DataFrame, dict[str, Any]], Life]


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """Splits a table and trains linear models on it, by two folds in this process."""

    def lived(frame: pl.DataFrame, question: dict[str, Any]) -> Life:
        plan = {"families": ["linear"], "folds": 2, "tuning_rounds": 0}
        return trained(tmp_path_factory.mktemp("life"), frame, Problem.model_validate({"training": plan, **question}))

    return lived


@pytest.fixture(scope="session")
def churn_life(live: Live, data_folder: Path) -> Life:
    """Churn with prices, a rule of today, segments, a protected column and guardrails."""
    frame = pl.read_parquet(data_folder / "telco_churn.parquet").sample(3000, seed=0)
    return live(
        frame,
        {
            "name": "churn",
            "objective": "Keep customers who are about to leave.",
            "data": {"source": "t.parquet", "target": "Churn", "id": "customerID"},
            "costs": {"true_positive": 120, "false_positive": -20, "volume_per_year": 50_000},
            "existing_system": {"rule": "tenure < 12 AND Contract = 'Month-to-month'"},
            "segments": ["Contract"],
            "protected": ["SeniorCitizen"],
            "expect": {"tenure": "decreasing", "MonthlyCharges": "decreasing"},
            "metrics": {"guardrails": {"roc_auc": ">= 0.75", "log_loss": "<= 0.1"}},
        },
    )


@pytest.fixture(scope="session")
def churn_evaluation(churn_life: Life) -> Evaluation:
    """The evaluation of churn without the test part."""
    return churn_life.evaluated()


def price_table(
    rows: int, seed: int, hard: float, errors: Callable[[np.random.Generator, npt.NDArray[np.float64]], Any]
) -> pl.DataFrame:
    """A price by size with errors whose spread grows with it, and is ``hard`` times as large in the west."""
    generator = np.random.default_rng(seed)
    size = generator.uniform(1, 10, rows)
    region = generator.choice(["east", "north", "south", "west"], rows)
    spread = 0.3 * size * np.where(region == "west", hard, 1.0)
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    return pl.DataFrame(
        {
            "size": size,
            "region": region,
            "estate": [f"estate {number}" for number in generator.integers(0, 60, rows)],
            "at": [start + dt.timedelta(hours=number) for number in range(rows)],
            "price": 5 + 3 * size + errors(generator, spread),
        }
    )
