"""Worlds whose change is known: seven scenarios, two generators, a fitted and imperfect champion in each.

The linear world has correlated Gaussian numbers, a linear log-odds with one bend in a rare corner, and a logistic
regression for a champion. The branching world has categories and skewed numbers, a log-odds that is a table over pairs of
categories, and boosted trees for a champion. Each run makes a log of two days, of which only the second is changed.
"""

import dataclasses
import datetime as dt
import enum
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data.profile import build_profile
from modelyard.data.schema import Column, ColumnKind
from modelyard.monitoring import Cause, Diagnosis, monitor
from modelyard.monitoring.causes import ProfileWithOutcomes, ScoreReference
from modelyard.problem import Problem
from modelyard.training.metrics import score as metric_score

__all__ = ["DAY_ROWS", "EXPECTED", "START", "WORLDS", "Scenario", "World", "broken_line", "diagnosed", "draw_line"]

Floats = npt.NDArray[np.float64]
START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
DAY_ROWS = 1500


class Scenario(enum.StrEnum):
    """What happens on the second day."""

    CLEAN = "clean"
    FAULT = "fault"
    HARMLESS = "harmless shift"
    HARDER = "costly shift"
    PRIOR = "prior shift"
    CONCEPT = "concept drift"
    BLIND = "shift without labels"


EXPECTED = {
    Scenario.CLEAN: Cause.NOTHING,
    Scenario.FAULT: Cause.PIPELINE,
    Scenario.HARMLESS: Cause.HARMLESS,
    Scenario.HARDER: Cause.COVARIATE,
    Scenario.PRIOR: Cause.PRIOR,
    Scenario.CONCEPT: Cause.CONCEPT,
    Scenario.BLIND: Cause.UNKNOWN,
}

Draw = Callable[[np.random.Generator, int, Scenario, int], pl.DataFrame]
Relation = Callable[[pl.DataFrame, Scenario, int], Floats]
Break = Callable[[pl.DataFrame, np.random.Generator, int], pl.DataFrame]
Predict = Callable[[pl.DataFrame], Floats]


@dataclasses.dataclass(frozen=True)
class World:
    """How inputs are drawn, how they lead to outcomes, how a pipeline breaks, and the champion's view of it all."""

    name: str
    columns: tuple[Column, ...]
    draw: Draw
    relation: Relation
    broken: Break
    predict: Predict
    profile: ProfileWithOutcomes
    auc: float

    def day(
        self, scenario: Scenario, seed: int, rows: int, generator: np.random.Generator
    ) -> tuple[pl.DataFrame, Floats]:
        """Rows and outcomes of a day of this kind."""
        size = rows * 8 if scenario is Scenario.PRIOR else rows
        frame = self.draw(generator, size, scenario, seed)
        outcome = (generator.random(size) < _chance(self.relation(frame, scenario, seed))).astype(np.float64)
        if scenario is Scenario.PRIOR:
            kept = _resampled(outcome, rows, 0.55 if seed % 2 else 0.12, generator)
            frame, outcome = frame[kept], outcome[kept]
        if scenario is Scenario.FAULT:
            frame = self.broken(frame, generator, seed)
        return frame, outcome


def _chance(logit: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logit)))


def _resampled(outcome: Floats, rows: int, share: float, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """Rows of a day in which ``share`` has the outcome; within each outcome they are as before."""
    positives = round(share * rows)
    parts = [
        generator.choice(np.flatnonzero(outcome == 1), positives, replace=False),
        generator.choice(np.flatnonzero(outcome == 0), rows - positives, replace=False),
    ]
    return generator.permutation(np.concatenate(parts)).astype(np.int64)


def diagnosed(world: World, scenario: Scenario, seed: int, rows: int = DAY_ROWS) -> Diagnosis:
    """The diagnosis of a clean day and a day of ``scenario``; with fewer rows it is harder."""
    generator = np.random.default_rng([seed, list(Scenario).index(scenario)])
    parts, labels = [], []
    for day, kind in enumerate((Scenario.CLEAN, scenario)):
        frame, outcome = world.day(kind, seed, rows, generator)
        ids = [f"{day}-{index}" for index in range(frame.height)]
        moments = [START + dt.timedelta(days=day, seconds=index) for index in range(frame.height)]
        score = world.predict(frame)
        fixed = pl.DataFrame({"id": ids, "at": moments, "score": score, "label": np.where(score >= 0.5, "Yes", "No")})
        named = frame.rename({name: f"feature.{name}" for name in frame.columns})
        parts.append(pl.concat([fixed, named], how="horizontal"))
        labels.append(pl.DataFrame({"id": ids, "label": np.where(outcome == 1, "Yes", "No")}))
    known = None if scenario is Scenario.BLIND else pl.concat(labels)
    report = monitor(world.profile, pl.concat(parts), known, PROBLEM, reference_score=world.auc, classes=("No", "Yes"))
    return report.diagnosis


PROBLEM = Problem.model_validate(
    {"name": "churn", "task": "binary", "data": {"source": "x.csv", "target": "Churn", "positive": "Yes"}}
)


def _founded(
    name: str, columns: tuple[Column, ...], draw: Draw, relation: Relation, broken: Break, fit: Callable[..., Predict]
) -> World:
    """A world whose champion has learnt from 6,000 rows and was judged on 3,000 others."""
    generator = np.random.default_rng(7)
    train, held = (draw(generator, rows, Scenario.CLEAN, 0) for rows in (6000, 3000))
    outcomes = [
        (generator.random(f.height) < _chance(relation(f, Scenario.CLEAN, 0))).astype(np.float64) for f in (train, held)
    ]
    predict = fit(train, outcomes[0])
    score = predict(held)
    profile = build_profile(train, columns)
    with_score = build_profile(held.select([]), (), extra={"score": score})
    known = ProfileWithOutcomes(
        profile.rows, profile.features + with_score.features, ScoreReference.of_rows(outcomes[1], score)
    )
    auc = metric_score("roc_auc", outcomes[1], score)
    return World(name, columns, draw, relation, broken, predict, known, auc)


# The linear world: x0 and x1 matter, x4 and x5 do not; beyond 1.4 on x0, where one row in twelve is, the line bends.

_LINEAR = tuple(Column(f"x{i}", ColumnKind.NUMERIC, "Float64", nullable=True) for i in range(6))
_WEIGHTS = np.array([1.3, -1.0, 0.6, 0.4, 0.0, 0.1])


def draw_line(generator: np.random.Generator, rows: int, scenario: Scenario, seed: int) -> pl.DataFrame:
    """Six correlated numbers around 10, with a spread of 3."""
    common = generator.normal(size=(rows, 1))
    x = 0.9 * generator.normal(size=(rows, 6)) + 0.43 * common
    if scenario is Scenario.HARMLESS:
        x[:, 4] += 0.6 + 0.1 * (seed % 5)
    if scenario is Scenario.BLIND:
        x[:, seed % 3] += 0.7
    if scenario is Scenario.HARDER:
        x[:, :2] = 0.25 * x[:, :2] if seed % 2 else x[:, :2] + np.array([1.6, 0.0])
    return pl.DataFrame({f"x{i}": 10 + 3 * x[:, i] for i in range(6)})


def _linear_relation(frame: pl.DataFrame, scenario: Scenario, seed: int) -> Floats:
    x = (frame.to_numpy() - 10) / 3
    weights = _WEIGHTS.copy()
    if scenario is Scenario.CONCEPT:
        weights[seed % 2] *= -1 if seed % 3 else -0.3
    bend = np.maximum(x[:, 0] - 1.4, 0)
    return np.asarray(x @ weights - 3.0 * bend - 0.9)


def broken_line(frame: pl.DataFrame, generator: np.random.Generator, seed: int) -> pl.DataFrame:
    """One of the first three numbers missing, in another unit, filled with a default or frozen."""
    name = f"x{seed % 3}"
    gone = pl.Series(generator.random(frame.height) < 0.3)
    broken = [
        pl.when(gone).then(None).otherwise(pl.col(name)),
        pl.col(name) * 100,
        pl.when(gone).then(0.0).otherwise(pl.col(name)),
        pl.lit(10.0),
        pl.col(name) / 2.54,
    ]
    return frame.with_columns(broken[seed % 5].alias(name))


def _fit_line(frame: pl.DataFrame, outcome: Floats) -> Predict:
    from sklearn.linear_model import LogisticRegression

    x = frame.to_numpy()
    middle, model = x.mean(axis=0), LogisticRegression().fit(x - x.mean(axis=0), outcome)

    def predict(rows: pl.DataFrame) -> Floats:
        values = rows.to_numpy().astype(np.float64)
        return np.asarray(model.predict_proba(np.where(np.isfinite(values), values, middle) - middle)[:, 1])

    return predict


# The branching world: what counts is which plan meets which channel, and whether the spending is high.

_LEVELS = {
    "plan": (("basic", "plus", "gold", "family"), (0.45, 0.3, 0.15, 0.1)),
    "channel": (("web", "shop", "phone"), (0.5, 0.3, 0.2)),
    "region": (("north", "south", "east", "west", "islands"), (0.3, 0.25, 0.2, 0.2, 0.05)),
    "colour": (("red", "green", "blue"), (0.4, 0.35, 0.25)),
}
_BRANCHING = (
    *(Column(name, ColumnKind.CATEGORY, "String", nullable=True) for name in _LEVELS),
    Column("spend", ColumnKind.NUMERIC, "Float64", nullable=True),
    Column("age", ColumnKind.NUMERIC, "Float64", nullable=True),
)
_TABLE = np.array([[-2.4, -0.4, 1.2], [1.4, -1.8, -0.6], [-0.8, 1.9, -2.2], [0.6, 0.2, 0.2]])


def _draw_branching(generator: np.random.Generator, rows: int, scenario: Scenario, seed: int) -> pl.DataFrame:
    shares: dict[str, Any] = {name: list(share) for name, (_, share) in _LEVELS.items()}
    if scenario is Scenario.HARMLESS:
        shares["colour"] = [0.1, 0.2, 0.7] if seed % 2 else [0.75, 0.2, 0.05]
    if scenario is Scenario.BLIND:
        shares["channel"] = [0.15, 0.25, 0.6]
    if scenario is Scenario.HARDER:
        shares["plan"] = [0.04, 0.04, 0.02, 0.9]
    data: dict[str, Any] = {
        name: generator.choice(np.array(levels, dtype=object), rows, p=shares[name])
        for name, (levels, _) in _LEVELS.items()
    }
    spend = generator.exponential(30.0, rows)
    age = generator.gamma(8.0, 5.0, rows)
    return pl.DataFrame(
        {**{name: pl.Series(v, dtype=pl.String) for name, v in data.items()}, "spend": spend, "age": age}
    )


def _branching_relation(frame: pl.DataFrame, scenario: Scenario, seed: int) -> Floats:
    plan, channel = (
        frame[name].replace_strict({level: code for code, level in enumerate(_LEVELS[name][0])}).to_numpy()
        for name in ("plan", "channel")
    )
    table = _TABLE
    if scenario is Scenario.CONCEPT:
        table = _TABLE[:, ::-1] if seed % 2 else _TABLE[[1, 0, 3, 2]]
    high = (frame["spend"].to_numpy() > 40) * (frame["age"].to_numpy() > 38)
    return np.asarray(table[plan, channel] + 0.9 * high - 0.2)


def _broken_branch(frame: pl.DataFrame, generator: np.random.Generator, seed: int) -> pl.DataFrame:
    gone = pl.Series(generator.random(frame.height) < 0.3)
    broken = [
        pl.when(gone).then(None).otherwise(pl.col("plan")).alias("plan"),
        pl.col("channel").str.to_uppercase(),
        (pl.col("spend") * 100).alias("spend"),
        pl.when(gone).then(-1.0).otherwise(pl.col("age")).alias("age"),
        pl.lit("web").alias("channel"),
    ]
    return frame.with_columns(broken[seed % 5])


def _fit_branches(frame: pl.DataFrame, outcome: Floats) -> Predict:
    from sklearn.ensemble import HistGradientBoostingClassifier

    def encoded(rows: pl.DataFrame) -> Floats:
        parts = [
            rows[name].replace_strict(
                {v: float(i) for i, v in enumerate(levels)}, default=None, return_dtype=pl.Float64
            )
            for name, (levels, _) in _LEVELS.items()
        ]
        return np.column_stack([*(part.to_numpy() for part in parts), rows.select("spend", "age").to_numpy()])

    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.1, max_leaf_nodes=12, categorical_features=[0, 1, 2, 3], random_state=0
    ).fit(encoded(frame), outcome)
    return lambda rows: np.asarray(model.predict_proba(encoded(rows))[:, 1])


WORLDS: dict[str, Callable[[], World]] = {
    "linear": functools.cache(lambda: _founded("linear", _LINEAR, draw_line, _linear_relation, broken_line, _fit_line)),
    "branching": functools.cache(
        lambda: _founded("branching", _BRANCHING, _draw_branching, _branching_relation, _broken_branch, _fit_branches)
    ),
}
"""The worlds by name; each is founded once, when it is first asked for."""
