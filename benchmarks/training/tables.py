"""The tables on which models are compared: open data, divided once into rows to learn from and rows to be judged on."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import polars as pl

__all__ = ["QUESTIONS", "Question", "divided"]

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
TEST_SHARE = 0.3


@dataclasses.dataclass(frozen=True)
class Question:
    """What is predicted from which table.

    Parameters
    ----------
    source
        File below ``tests/data``, or the name of one of scikit-learn's own data sets with ``sklearn:`` before it.
    target, kind
        Column, and ``binary``, ``multiclass`` or ``regression``.
    drop
        Columns that nobody may use: leaks, and numbers of rows.
    group
        Column whose rows stay together; None if rows are divided by chance.
    """

    source: str
    target: str
    kind: str
    drop: tuple[str, ...] = ()
    group: str | None = None

    @property
    def metric(self) -> str:
        """ROC AUC, log loss or RMSE."""
        return {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[self.kind]


QUESTIONS = {
    "churn": Question("telco_churn.parquet", "Churn", "binary", ("customerID",)),
    "adult": Question("adult_census.parquet", "income", "binary", ("uci_split",)),
    "bank": Question("bank_additional.parquet", "y", "binary", ("duration", "row_order")),
    "ames": Question("ames_housing.parquet", "price", "regression", ("Order", "PID")),
    "bike": Question(
        "bike_sharing_hourly.parquet", "cnt", "regression", ("casual", "registered", "instant", "timestamp")
    ),
    "parkinsons": Question(
        "parkinsons_telemonitoring.parquet", "total_UPDRS", "regression", ("motor_UPDRS",), "subject"
    ),
    "breast_cancer": Question("sklearn:breast_cancer", "target", "binary"),
    "diabetes": Question("sklearn:diabetes", "target", "regression"),
    "digits": Question("sklearn:digits", "target", "multiclass"),
}


def divided(name: str, seed: int, folder: Path, elsewhere: Path | None) -> tuple[Path, Path] | None:
    """Two Parquet files, to learn from and to be judged on; made once for each seed. None without the table itself."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}-{seed}-train.parquet", folder / f"{name}-{seed}-test.parquet"
    if all(path.exists() for path in paths):
        return paths
    question = QUESTIONS[name]
    table = _source(question, elsewhere)
    if table is None:
        return None
    frame = table.drop(question.drop, strict=False).rename(_plain)
    held = _held(frame, question, seed)
    for path, part in zip(paths, (frame.filter(~held), frame.filter(held)), strict=True):
        part.write_parquet(path)
    return paths


def _plain(name: str) -> str:
    """A column's name without the signs that some tools refuse."""
    return re.sub(r"[^0-9A-Za-z_.]+", "_", name).strip("_")


def _held(frame: pl.DataFrame, question: Question, seed: int) -> pl.Series:
    """Which rows are judged on: three in ten, by chance or by whole groups."""
    random = np.random.default_rng(seed)
    if question.group is None:
        return pl.Series(random.permutation(frame.height) < TEST_SHARE * frame.height)
    groups = frame[question.group].unique().sort()
    kept = groups.filter(pl.Series(random.permutation(len(groups)) < TEST_SHARE * len(groups)))
    return frame[question.group].is_in(kept.to_list())


def _source(question: Question, elsewhere: Path | None) -> pl.DataFrame | None:
    """The table, from the project's own data or a folder beside it; Ames Housing's licence keeps it out of the project."""
    if question.source.startswith("sklearn:"):
        return _of_sklearn(question)
    for folder in (DATA, elsewhere):
        if folder is not None and (folder / question.source).exists():
            return pl.read_parquet(folder / question.source)
    return None


def _of_sklearn(question: Question) -> pl.DataFrame:
    from sklearn import datasets

    loaded = getattr(datasets, f"load_{question.source.removeprefix('sklearn:')}")()
    columns = [str(name).replace(" ", "_") for name in loaded.feature_names]
    frame = pl.DataFrame(loaded.data, schema=columns)
    target = pl.Series(loaded.target).cast(pl.Float64 if question.kind == "regression" else pl.String)
    return frame.with_columns(target.alias(question.target))
