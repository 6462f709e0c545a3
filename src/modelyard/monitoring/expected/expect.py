"""From judged windows, labelled ones and quality to the expected performance of the latest windows."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.monitoring.expected.assumption import Checked, contradictions
from modelyard.monitoring.expected.estimate import ExpectedPerformance, expect_window
from modelyard.monitoring.expected.promise import Measure, Promise, class_promise, error_promise
from modelyard.monitoring.performance import Outcomes, PerformanceWindow, outcomes, predicted, tolerated_score
from modelyard.monitoring.quality import QualityResult
from modelyard.monitoring.windows import Window
from modelyard.problem import Problem, Task

__all__ = ["Expecting", "expect"]

Floats = npt.NDArray[np.float64]

_MOST_WINDOWS = 14
_NO_ERRORS = "a model of values promises nothing until 300 rows have labels: they show its errors"
_UNDEFINED = "the metric is not defined for these rows"


@dataclasses.dataclass(frozen=True)
class Expecting:
    """By what the expected performance is measured.

    Parameters
    ----------
    problem
        Names the task, the metric, the accepted drop and the seed.
    reference
        The metric in the package; None if it is not known.
    threshold, classes
        The package's.
    """

    problem: Problem
    reference: float | None
    threshold: float | None
    classes: Sequence[str]

    def measure(self) -> Measure:
        """The primary metric."""
        from modelyard.training.metrics import score_weighted

        metric, threshold = self.problem.primary_metric, 0.5 if self.threshold is None else self.threshold
        return lambda truth, said, weights: score_weighted(metric, truth, said, weights, threshold=threshold)

    def promise(self, name: str, prediction: Floats, known: Outcomes | None) -> Promise | None:
        """What some predictions promise; of values, by the errors on ``known`` rows."""
        if len(prediction) == 0 or not np.isfinite(prediction).all():
            return None
        seed = derive_seed(self.problem.training.seed, "expected", name)
        if self.problem.task is not Task.REGRESSION:
            return class_promise(prediction, self.measure(), seed)
        if known is None:
            return None
        return error_promise(prediction, known.truth, known.prediction, self.measure(), seed)


def expect(
    windows: Sequence[Window],
    labelled: Sequence[tuple[Window, PerformanceWindow]],
    quality: Sequence[QualityResult],
    by: Expecting,
) -> tuple[ExpectedPerformance, ...]:
    """The expected performance of the last fourteen judged windows; nothing for anomalies and clusters.

    Parameters
    ----------
    windows
        Judged windows, in the order of time.
    labelled
        Windows of labelled rows, with what was realised in them.
    quality
        Alarms of quality.
    by
        The measure.
    """
    if not Task(by.problem.task).is_supervised:  # a score of strangeness, or a share of a cluster, promises nothing
        return ()
    found = [(window, performance, outcomes(window.frame, by.problem, by.classes)) for window, performance in labelled]
    checked = _checked(found[-_MOST_WINDOWS:], found, by)
    problem = by.problem
    tolerated = None
    if by.reference is not None:
        tolerated = tolerated_score(problem.primary_metric, by.reference, problem.monitoring.performance_drop)
    expected: list[ExpectedPerformance] = []
    for window in windows[-_MOST_WINDOWS:]:
        facts = window.facts
        prediction, note = predicted(window.frame, Task(problem.task), by.classes)
        before = _pooled([known for other, _, known in found if other.facts.end < facts.start])
        promise = by.promise(facts.name, prediction, before)
        note = note or (_NO_ERRORS if problem.task is Task.REGRESSION else _UNDEFINED)
        word = contradictions(facts.name, facts.end, quality, checked)
        expected.append(
            expect_window(
                (facts.name, facts.rows), promise, word, metric=problem.primary_metric, tolerated=tolerated, note=note
            )
        )
    return tuple(expected)


def _checked(
    latest: Sequence[tuple[Window, PerformanceWindow, Outcomes]],
    every: Sequence[tuple[Window, PerformanceWindow, Outcomes]],
    by: Expecting,
) -> list[Checked]:
    """Labelled windows with what the same rows had promised; of values, by the errors of the windows before."""
    found: list[Checked] = []
    for window, performance, known in latest:
        before = _pooled([other for earlier, _, other in every if earlier.facts.end < window.facts.start])
        is_certain = bool(known.note)  # decided labels stand in for probabilities that were not logged
        promise = None if is_certain else by.promise(f"labelled {window.facts.name}", known.prediction, before)
        found.append(Checked(performance, promise, by.problem.monitoring.performance_drop))
    return found


def _pooled(known: Sequence[Outcomes]) -> Outcomes | None:
    """Labelled rows of several windows; None without any."""
    if not known:
        return None
    truth, prediction, kept = (
        np.concatenate([getattr(one, name) for one in known]) for name in ("truth", "prediction", "kept")
    )
    return Outcomes(truth, prediction, kept)
