"""The systems that are judged on the same rows: the winner, the naive answer, and what decides today."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.evaluation.comparison import compare
from modelyard.evaluation.intervals import Interval, MeasuredMetric, metric_intervals, time_blocks
from modelyard.evaluation.records import Comparison, MetricValue, SystemScores
from modelyard.problem import MetricInput, MetricSpec, Problem

__all__ = ["EXISTING", "NAIVE", "WINNER", "JudgedRows", "compare_with_baselines", "resampling_units", "score_systems"]

Array = npt.NDArray[np.float64]

_ENOUGH_DAYS = 20

WINNER, NAIVE, EXISTING = "winner", "naive", "existing system"


@dataclasses.dataclass(frozen=True)
class JudgedRows:
    """One part of the rows, with what each system says about them.

    Parameters
    ----------
    part
        ``validation``, ``out of fold`` or ``test``.
    frame, truth
        The rows and their encoded target.
    predictions
        By system, the baselines first and the winner last; the winner's and the naive ones always.
    threshold
        From which probability on the winner calls a row positive (binary).
    units
        Labels of rows that are drawn together; None if each stands for itself.
    left_out
        Rows that could not be judged, since their class is unknown to the model.
    """

    part: str
    frame: pl.DataFrame
    truth: Array
    predictions: Mapping[str, Array]
    threshold: float = 0.5
    units: npt.NDArray[Any] | None = None
    left_out: int = 0

    def threshold_of(self, system: str) -> float:
        """The existing system's scores are decisions already: yes from 0.5 on. The others use the chosen threshold."""
        return 0.5 if system == EXISTING else self.threshold


def resampling_units(problem: Problem, frame: pl.DataFrame) -> npt.NDArray[Any] | None:
    """Which rows are drawn together: those of one group, else of one day or neighbours in time; None without either."""
    group, time = problem.data.group, problem.data.time
    if group is not None and group in frame.columns:
        return frame[group].rank("dense").fill_null(0).to_numpy()
    if time is not None and time in frame.columns:
        return time_blocks(_moments(frame[time]).rank("dense").fill_null(0).to_numpy())
    return None


def _moments(time: pl.Series) -> pl.Series:
    """Days in place of moments, if there are enough of them: the hours of one day err alike."""
    if isinstance(time.dtype, pl.Datetime) and time.dt.date().n_unique() >= _ENOUGH_DAYS:
        return time.dt.date()
    return time


def score_systems(problem: Problem, rows: JudgedRows, *, confidence: float) -> tuple[SystemScores, ...]:
    """Every metric of the task, of every system, each with its interval; all from the same bootstrap samples."""
    wanted = {
        (system, spec.name): MeasuredMetric(spec.name, prediction, rows.threshold_of(system))
        for system, prediction in rows.predictions.items()
        for spec in problem.reported_metrics
        if spec.input is not MetricInput.PROBABILITY or _says_probabilities(spec.name, prediction)
    }
    seed = derive_seed(problem.training.seed, "evaluation", rows.part)
    found = metric_intervals(list(wanted.values()), rows.truth, confidence=confidence, seed=seed, groups=rows.units)
    measured = dict(zip(wanted, found, strict=True))
    return tuple(
        SystemScores(
            system,
            tuple(_metric_value(spec, measured.get((system, spec.name))) for spec in problem.reported_metrics),
        )
        for system in rows.predictions
    )


def _metric_value(spec: MetricSpec, interval: Interval | None) -> MetricValue:
    """The figure as a record: None where it is undefined, or cannot judge this system's answers."""
    value, low, high = (float(end) if math.isfinite(end) else None for end in interval or (math.nan,) * 3)
    return MetricValue(spec.name, value, low, high, spec.greater_is_better)


def _says_probabilities(metric: str, prediction: Array) -> bool:
    """Yes/no decisions and scores outside [0, 1] rank rows, but are no probabilities that a loss could judge."""
    if metric in ("roc_auc", "pr_auc"):
        return True
    inside = bool(((prediction >= 0) & (prediction <= 1)).all())
    return inside and not bool(np.isin(prediction, (0.0, 1.0)).all())


def compare_with_baselines(problem: Problem, rows: JudgedRows, *, confidence: float) -> tuple[Comparison, ...]:
    """The winner against each baseline by the primary metric, paired on the same rows.

    A baseline whose answers the primary metric cannot judge is compared by the task's other metrics in their order:
    a yes/no rule has no log loss, but an accuracy.
    """
    comparisons = []
    for system in (name for name in rows.predictions if name != WINNER):
        names = [problem.primary_metric, *(spec.name for spec in problem.reported_metrics)]
        usable = (name for name in names if _judges(name, problem, rows.predictions[system]))
        result = compare(
            next(usable, names[0]),
            rows.truth,
            rows.predictions[system],
            rows.predictions[WINNER],
            confidence=confidence,
            seed=derive_seed(problem.training.seed, "comparison", rows.part, system),
            groups=rows.units,
            thresholds=(rows.threshold_of(system), rows.threshold),
        )
        comparisons.append(dataclasses.replace(result, against=system))
    return tuple(comparisons)


def _judges(metric: str, problem: Problem, prediction: Array) -> bool:
    spec = next(spec for spec in problem.reported_metrics if spec.name == metric)
    return spec.input is not MetricInput.PROBABILITY or _says_probabilities(metric, prediction)
