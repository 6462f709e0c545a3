"""The seven scenarios for several classes and for numbers: the linear world's inputs, another outcome.

*Three classes*: a log-odds for each, linear but for a bend in a rare corner, and a multinomial regression for a champion.
*A number*: the same line and bend with normal noise, and least squares for a champion. A prior shift draws rows by their
outcome: classes by other shares, numbers with a weight that rises or falls with them.
"""

import dataclasses
import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from tests.monitoring.causes.simulator import DAY_ROWS, START, Scenario, broken_line, draw_line

from modelyard.data.profile import build_profile
from modelyard.data.schema import Column, ColumnKind
from modelyard.monitoring import Diagnosis, monitor
from modelyard.monitoring.causes import ProfileWithOutcomes
from modelyard.problem import Problem, Task
from modelyard.training.metrics import score as metric_score

__all__ = ["OTHER_WORLDS", "diagnosed_there"]

Floats = npt.NDArray[np.float64]

NAMES = ("bronze", "gold", "silver")
_COLUMNS = tuple(Column(f"x{i}", ColumnKind.NUMERIC, "Float64", nullable=True) for i in range(6))
_BY_CLASS = np.array(
    [[1.3, -1.0, 0.3], [-1.0, 1.1, -0.2], [0.6, -0.2, -0.6], [0.0, 0.5, -0.5], [0.0] * 3, [0.1, 0.0, -0.1]]
)
_OF_A_NUMBER = np.array([1.3, -1.0, 0.6, 0.4, 0.0, 0.1])
_NOISE = 1.2
_OTHER_SHARES = ((0.12, 0.6, 0.28), (0.65, 0.2, 0.15))
_TILT = 0.5


@dataclasses.dataclass(frozen=True)
class OtherWorld:
    """How outcomes follow from inputs, which rows a prior shift keeps, and the champion's view of them."""

    problem: Problem
    outcome: Callable[[pl.DataFrame, Scenario, int, np.random.Generator], Floats]
    predict: Callable[[pl.DataFrame], Floats]
    profile: ProfileWithOutcomes
    reference: float

    def day(
        self, scenario: Scenario, seed: int, rows: int, generator: np.random.Generator
    ) -> tuple[pl.DataFrame, Floats]:
        """Rows and outcomes of a day of this kind."""
        size = rows * 8 if scenario is Scenario.PRIOR else rows
        frame = _inputs(generator, size, scenario, seed, self.problem.task)
        outcome = self.outcome(frame, scenario, seed, generator)
        if scenario is Scenario.PRIOR:
            kept = generator.choice(size, rows, replace=False, p=_wanted(outcome, self.problem.task, seed))
            frame, outcome = frame[kept], outcome[kept]
        return (broken_line(frame, generator, seed) if scenario is Scenario.FAULT else frame), outcome

    def log(self, frame: pl.DataFrame, day: int) -> pl.DataFrame:
        """The day's predictions as they are logged."""
        prediction, size = self.predict(frame), frame.height
        moments = [START + dt.timedelta(days=day, seconds=index) for index in range(size)]
        fixed: dict[str, Any] = {"id": [f"{day}-{index}" for index in range(size)], "at": moments}
        if prediction.ndim == 2:
            fixed["score"], fixed["label"] = prediction.max(axis=1), [NAMES[k] for k in prediction.argmax(axis=1)]
            fixed["probabilities"] = prediction.tolist()
        else:
            fixed["score"], fixed["label"] = prediction, [f"{value:.3f}" for value in prediction]
        named = frame.rename({name: f"feature.{name}" for name in frame.columns})
        return pl.concat([pl.DataFrame(fixed), named], how="horizontal")


def _inputs(generator: np.random.Generator, rows: int, scenario: Scenario, seed: int, task: Task) -> pl.DataFrame:
    """The linear world's; what costs a number is the corner that it hardly knows, never a smaller spread."""
    return draw_line(
        generator, rows, scenario, 2 * seed if task is Task.REGRESSION and scenario is Scenario.HARDER else seed
    )


def _wanted(outcome: Floats, task: Task, seed: int) -> Floats:
    """How likely each row of a large day is to be kept, by its outcome alone."""
    if task is Task.REGRESSION:
        weight = np.exp((1 if seed % 2 else -1) * _TILT * (outcome - outcome.mean()) / outcome.std())
    else:
        codes = outcome.astype(np.int64)
        weight = np.array(_OTHER_SHARES[seed % 2])[codes] / np.bincount(codes, minlength=len(NAMES))[codes]
    return np.asarray(weight / weight.sum())


def diagnosed_there(world: OtherWorld, scenario: Scenario, seed: int, rows: int = DAY_ROWS) -> Diagnosis:
    """The diagnosis of a clean day and a day of ``scenario``."""
    generator = np.random.default_rng([seed, list(Scenario).index(scenario)])
    days = [world.day(kind, seed, rows, generator) for kind in (Scenario.CLEAN, scenario)]
    log = pl.concat([world.log(frame, day) for day, (frame, _) in enumerate(days)])
    outcome = np.concatenate([found for _, found in days])
    text = (
        [NAMES[int(k)] for k in outcome] if world.problem.task is Task.MULTICLASS else [repr(float(v)) for v in outcome]
    )
    labels = None if scenario is Scenario.BLIND else pl.DataFrame({"id": log["id"], "label": text})
    classes = NAMES if world.problem.task is Task.MULTICLASS else ()
    return monitor(
        world.profile, log, labels, world.problem, reference_score=world.reference, classes=classes
    ).diagnosis


def _line(frame: pl.DataFrame) -> tuple[Floats, Floats]:
    """Inputs in units of their spread, and how far they are into the corner."""
    x = (frame.to_numpy() - 10) / 3
    return x, np.maximum(x[:, 0] - 1.4, 0)


def _classes(frame: pl.DataFrame, scenario: Scenario, seed: int, generator: np.random.Generator) -> Floats:
    """A class for each row."""
    x, corner = _line(frame)
    weights = _BY_CLASS.copy()
    if scenario is Scenario.CONCEPT:
        weights = weights[:, [1, 0, 2]] if seed % 2 else weights * np.array([[-1.0], [1], [1], [1], [1], [1]])
    logits = x @ weights + corner[:, None] * np.array([-3.0, 1.5, 1.5]) + generator.gumbel(size=(len(x), len(NAMES)))
    return np.asarray(logits.argmax(axis=1), dtype=np.float64)


def _numbers(frame: pl.DataFrame, scenario: Scenario, seed: int, generator: np.random.Generator) -> Floats:
    """A number for each row."""
    x, corner = _line(frame)
    weights = _OF_A_NUMBER.copy()
    if scenario is Scenario.CONCEPT:
        weights[seed % 2] *= -1 if seed % 3 else -0.3
    return np.asarray(40 + 8 * (x @ weights - 3.0 * corner + generator.normal(0, _NOISE, len(x))))


def _founded(task: Task) -> OtherWorld:
    """A world whose champion has learnt from 6,000 rows and was judged on 3,000 others."""
    from sklearn.linear_model import LinearRegression, LogisticRegression

    generator, draw = np.random.default_rng(7), (_classes if task is Task.MULTICLASS else _numbers)
    problem = Problem.model_validate({"name": "other", "task": task.value, "data": {"source": "x.csv", "target": "y"}})
    train, held = (draw_line(generator, rows, Scenario.CLEAN, 0) for rows in (6000, 3000))
    outcomes = [draw(frame, Scenario.CLEAN, 0, generator) for frame in (train, held)]
    model = (LogisticRegression() if task is Task.MULTICLASS else LinearRegression()).fit(
        train.to_numpy() - 10, outcomes[0]
    )

    def predict(frame: pl.DataFrame) -> Floats:
        values = frame.to_numpy().astype(np.float64) - 10
        values = np.where(np.isfinite(values), values, 0.0)
        return np.asarray(model.predict_proba(values) if task is Task.MULTICLASS else model.predict(values))

    answers = predict(held)
    extra = {"score": answers.max(axis=1) if answers.ndim == 2 else answers}
    profile, with_score = build_profile(train, _COLUMNS), build_profile(held.select([]), (), extra=extra)
    known = ProfileWithOutcomes(profile.rows, profile.features + with_score.features)
    return OtherWorld(problem, draw, predict, known, metric_score(problem.primary_metric, outcomes[1], answers))


OTHER_WORLDS: dict[str, Callable[[], OtherWorld]] = {
    "three classes": functools.cache(lambda: _founded(Task.MULTICLASS)),
    "a number": functools.cache(lambda: _founded(Task.REGRESSION)),
}
"""The worlds by name; each is founded once, when it is first asked for."""
