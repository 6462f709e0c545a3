"""The causes of known changes in published tables, and of faults planted in one."""

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.data.profile import build_profile
from modelyard.data.schema import Column, ColumnKind
from modelyard.monitoring import Action, Cause, Diagnosis, monitor
from modelyard.monitoring.causes import ProfileWithOutcomes, ScoreReference
from modelyard.problem import Problem
from modelyard.training.metrics import score as metric_score

Floats = npt.NDArray[np.float64]
DATA = Path(__file__).parents[2] / "data"
START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
ROWS = 2_000

CLIENT = (
    "age",
    "job",
    "marital",
    "education",
    "default",
    "housing",
    "loan",
    "contact",
    "campaign",
    "pdays",
    "previous",
)
"""What the bank knew of a client; without the economy, which stands for the date."""


class Champion:
    """A model fitted to four fifths of some rows, and what a package would know of it from the last fifth."""

    def __init__(
        self, rows: pl.DataFrame, target: str, positive: str, features: Sequence[str], *, linear: bool
    ) -> None:
        self.target, self.positive, self.features = target, positive, list(features)
        shuffled = rows.sample(fraction=1.0, shuffle=True, seed=0)
        train, self.held = shuffled.head(rows.height * 4 // 5), shuffled.tail(rows.height // 5)
        self.levels = {
            name: train[name].drop_nulls().unique().sort().to_list()
            for name in features
            if train.schema[name] == pl.String
        }
        self._model = self._fitted(train, linear=linear)
        columns = [
            Column(name, ColumnKind.CATEGORY if name in self.levels else ColumnKind.NUMERIC, "", nullable=True)
            for name in features
        ]
        score, truth = self.score(self.held), self.truth(self.held)
        inputs = build_profile(train.select(self.features), columns)
        output = build_profile(self.held.select([]), (), extra={"score": score})
        outcomes = ScoreReference.of_rows(truth, score)
        self.profile = ProfileWithOutcomes(inputs.rows, inputs.features + output.features, outcomes)
        self.auc = metric_score("roc_auc", truth, score)

    def _fitted(self, train: pl.DataFrame, *, linear: bool) -> Callable[[Floats], Floats]:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.linear_model import LogisticRegression

        model = (
            LogisticRegression(max_iter=500)
            if linear
            else HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=0)
        )
        model.fit(self._encoded(train), self.truth(train))
        return lambda matrix: np.asarray(model.predict_proba(matrix)[:, 1])

    def _encoded(self, rows: pl.DataFrame) -> Floats:
        """Categories as indicators, numbers roughly standardised; missing numbers are 0."""
        parts: list[Floats] = []
        for name in self.features:
            if name in self.levels:
                parts += [
                    (rows[name] == level).fill_null(value=False).cast(float).to_numpy() for level in self.levels[name]
                ]
            else:
                numbers = rows[name].cast(pl.Float64).fill_null(0.0).to_numpy()
                parts.append(numbers / max(float(np.abs(numbers).mean()), 1e-9))
        return np.column_stack(parts)

    def truth(self, rows: pl.DataFrame) -> Floats:
        """1 where the target is the positive class."""
        return (rows[self.target].cast(pl.String) == self.positive).cast(pl.Float64).to_numpy()

    def score(self, rows: pl.DataFrame) -> Floats:
        """Probabilities of the positive class."""
        return self._model(self._encoded(rows))

    def diagnosis(self, rows: pl.DataFrame, *, labelled: bool = True) -> Diagnosis:
        """Of a day of held-out rows, and a day of ``rows``."""
        parts, labels = [], []
        for day, frame in enumerate((self.held.head(ROWS), rows)):
            ids = [f"{day}-{index}" for index in range(frame.height)]
            moments = [START + dt.timedelta(days=day, seconds=index) for index in range(frame.height)]
            fixed = pl.DataFrame({"id": ids, "at": moments, "score": self.score(frame)})
            named = frame.select(pl.col(name).alias(f"feature.{name}") for name in self.features)
            parts.append(pl.concat([fixed, named], how="horizontal"))
            labels.append(pl.DataFrame({"id": ids, "label": frame[self.target].cast(pl.String)}))
        source = {"source": "x.csv", "target": self.target, "positive": self.positive}
        problem = Problem.model_validate({"task": "binary", "data": source})
        known = pl.concat(labels) if labelled else None
        classes = sorted(self.held[self.target].cast(pl.String).unique())
        report = monitor(
            self.profile,
            pl.concat(parts, how="vertical_relaxed"),
            known,
            problem,
            reference_score=self.auc,
            classes=classes,
        )
        return report.diagnosis


@functools.cache
def _census() -> Champion:
    rows = pl.read_parquet(DATA / "adult_census.parquet")
    features = [name for name in rows.columns if name not in ("income", "uci_split")]
    return Champion(rows.head(12_000), "income", rows["income"].unique().sort()[-1], features, linear=False)


def test_electricity_is_a_concept_drift() -> None:
    """The market's rules changed: features say more than the score, also among rows like those of before."""
    rows = pl.read_parquet(DATA / "electricity_elec2.parquet").sort("row_order")
    features = [name for name in rows.columns if name not in ("price_up", "row_order")]
    champion = Champion(rows[18_000:30_000], "price_up", "1", features, linear=False)
    found = champion.diagnosis(rows[33_000 : 33_000 + ROWS])

    assert found.verdict is Cause.CONCEPT
    assert found.action is Action.RETRAIN


def test_the_bank_has_a_prior_shift() -> None:
    """Within months the share of clients who said yes tripled; within either answer the scores are as before."""
    rows = pl.read_parquet(DATA / "bank_additional.parquet").sort("row_order")
    champion = Champion(rows[30_800:34_500], "y", "yes", CLIENT, linear=True)
    found = champion.diagnosis(rows[34_800 : 34_800 + ROWS])

    assert found.verdict is Cause.PRIOR
    assert found.action is Action.RECALIBRATE
    assert found.expected_gain is not None
    assert found.expected_gain.pays


@pytest.mark.parametrize("labelled", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "fault",
    [
        (pl.col("hours_per_week").cast(pl.Int64) * 60).alias("hours_per_week"),
        pl.when(pl.int_range(pl.len()) % 5 < 2).then(None).otherwise(pl.col("education_num")).alias("education_num"),
    ],
    ids=["unit bug", "null flood"],
)
def test_faults_planted_in_the_census_are_named(fault: pl.Expr, labelled: bool) -> None:
    """Hours that became minutes, and two fifths of a column missing: with and without labels, fix it, never retrain."""
    rows = pl.read_parquet(DATA / "adult_census.parquet").tail(ROWS)
    found = _census().diagnosis(rows.with_columns(fault), labelled=labelled)

    assert found.verdict is Cause.PIPELINE
    assert found.action is Action.FIX_PIPELINE
    assert found.expected_gain is None


@pytest.mark.slow
def test_the_census_as_it_is_explains_nothing() -> None:
    """Rows of the same table, unchanged: nothing to explain."""
    found = _census().diagnosis(pl.read_parquet(DATA / "adult_census.parquet").tail(ROWS))

    assert found.verdict is Cause.NOTHING
