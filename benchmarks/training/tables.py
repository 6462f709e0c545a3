"""The tables on which models are compared: open data, divided once into rows to learn from and rows to be judged on.

Two sets: the tables on which the engine was made and measured all along, and as many again that nobody looked at while it was made
(most of them from R's ``modeldata``, written for books about prediction), which judge whether what was learnt on the first
holds elsewhere.
"""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

__all__ = ["KNOWN", "QUESTIONS", "UNSEEN", "Question", "divided"]

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
TEST_SHARE = 0.3


@dataclasses.dataclass(frozen=True)
class Question:
    """What is predicted from which table.

    Parameters
    ----------
    source
        File below ``tests/data``, or the name of one of scikit-learn's own data sets with ``sklearn:`` before it, or package and
        name of one of R's with ``R:`` before them.
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


KNOWN = {
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
UNSEEN = {
    "cells": Question("R:modeldata/cells", "class", "binary", ("case",)),
    "lending": Question("R:modeldata/lending_club", "Class", "binary"),
    "credit": Question("R:modeldata/credit_data", "Status", "binary"),
    "attrition": Question("R:modeldata/attrition", "Attrition", "binary"),
    "calls": Question("R:modeldata/mlc_churn", "churn", "binary"),
    "taxi": Question("R:modeldata/taxi", "tip", "binary"),
    "remote": Question("R:modeldata/stackoverflow", "Remote", "binary"),
    "caravan": Question("R:ISLR/Caravan", "Purchase", "binary"),
    "leaves": Question("R:modeldata/leaf_id_flavia", "species", "multiclass"),
    "jobs": Question("R:modeldata/hpc_data", "class", "multiclass"),
    "diamonds": Question("R:ggplot2/diamonds", "price", "regression"),
    "hotel": Question("R:modeldata/hotel_rates", "avg_price_per_room", "regression"),
    "deliveries": Question("R:modeldata/deliveries", "time_to_delivery", "regression"),
    "sacramento": Question("R:modeldata/Sacramento", "price", "regression"),
    "concrete": Question("R:modeldata/concrete", "compressive_strength", "regression"),
    "cars": Question("R:modeldata/car_prices", "Price", "regression"),
    "wage": Question("R:ISLR/Wage", "wage", "regression", ("logwage",)),
    "yield": Question("R:modeldata/chem_proc_yield", "yield", "regression"),
}
QUESTIONS = KNOWN | UNSEEN

OfR = Callable[[str, Path], None]
"""Writes the table of R with this package and name to a Parquet file."""


def divided(
    name: str, seed: int, folder: Path, elsewhere: Path | None, of_r: OfR | None = None
) -> tuple[Path, Path] | None:
    """Two Parquet files, to learn from and to be judged on; made once for each seed. None without the table itself."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}-{seed}-train.parquet", folder / f"{name}-{seed}-test.parquet"
    if all(path.exists() for path in paths):
        return paths
    question = QUESTIONS[name]
    table = _source(question, folder, elsewhere, of_r)
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


def _source(question: Question, folder: Path, elsewhere: Path | None, of_r: OfR | None) -> pl.DataFrame | None:
    """The table, from the project's own data or a folder beside it; Ames Housing's licence keeps it out of the project."""
    if question.source.startswith("sklearn:"):
        return _of_sklearn(question)
    if question.source.startswith("R:"):
        path = folder / f"{question.source.removeprefix('R:').replace('/', '-')}.parquet"
        if not path.exists():
            if of_r is None:
                return None
            of_r(question.source.removeprefix("R:"), path)
        return pl.read_parquet(path).drop_nulls(question.target)
    for place in (DATA, elsewhere):
        if place is not None and (place / question.source).exists():
            return pl.read_parquet(place / question.source)
    return None


def _of_sklearn(question: Question) -> pl.DataFrame:
    from sklearn import datasets

    loaded = getattr(datasets, f"load_{question.source.removeprefix('sklearn:')}")()
    columns = [str(name).replace(" ", "_") for name in loaded.feature_names]
    frame = pl.DataFrame(loaded.data, schema=columns)
    target = pl.Series(loaded.target).cast(pl.Float64 if question.kind == "regression" else pl.String)
    return frame.with_columns(target.alias(question.target))
