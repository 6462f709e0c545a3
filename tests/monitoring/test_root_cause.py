import datetime as dt

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.data.profile import FeatureReference
from modelyard.data.schema import ColumnKind
from modelyard.monitoring import Action, Cause, DriftResult, PerformanceWindow, drift_test
from modelyard.monitoring.root_cause import Diagnosis, Evidence, diagnose, labels_needed
from modelyard.problem import Task

Floats = npt.NDArray[np.float64]
MOMENT = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
LOSS = PerformanceWindow("w", MOMENT, MOMENT, 2_000, 9.0, 8.5, 9.5, 1.0, 1.05, alarm=True)


def _moved() -> DriftResult:
    reference = FeatureReference("age", ColumnKind.NUMERIC, (1.0,), (), None, (500, 500, 0, 0, 0), 0.02, 0.0, 2.0)
    return drift_test(reference, [900, 100, 0, 0, 0], false_alarm_rate=0.01, features=1)


def _regression(noise_by_feature: float, level: float = 0.0, rows: int = 2_000) -> Evidence:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(rows, 3))
    prediction = features[:, 0]
    truth = prediction + level + noise_by_feature * features[:, 1] + generator.normal(size=rows)
    return Evidence((), (), LOSS, truth, prediction, features)


def _with_drift(evidence: Evidence, drift: DriftResult) -> Evidence:
    return Evidence([drift], (), evidence.performance, evidence.truth, evidence.prediction, evidence.features)


def _diagnose(evidence: Evidence, task: Task = Task.REGRESSION) -> Diagnosis:
    return diagnose(evidence, task, 0)


def test_features_that_say_more_than_the_prediction_are_concept_drift() -> None:
    """Errors that a feature explains mean that the relation changed."""
    assert _diagnose(_regression(1.0)).cause is Cause.CONCEPT


def test_a_constant_error_is_a_shift_of_level() -> None:
    """Errors with a mean far from 0 that no feature explains ask for recalibration."""
    found = _diagnose(_regression(0.0, level=0.5))

    assert (found.cause, found.action) == (Cause.PRIOR, Action.RECALIBRATE)
    assert "was not tested" in found.not_known


def test_moved_inputs_with_a_loss_are_covariate_shift() -> None:
    """Neither the relation nor the level changed, but inputs did."""
    found = _diagnose(_with_drift(_regression(0.0), _moved()))

    assert (found.cause, found.action) == (Cause.COVARIATE, Action.RETRAIN)


def test_a_loss_that_nothing_explains_is_said() -> None:
    """Without evidence no cause is invented."""
    assert _diagnose(_regression(0.0)).cause is Cause.UNEXPLAINED


@pytest.mark.parametrize("task", [Task.REGRESSION, Task.MULTICLASS])
def test_what_cannot_be_taken_apart_is_said(task: Task) -> None:
    """Too few labels, or more than two classes: the diagnosis stops there."""
    evidence = _regression(1.0, rows=100 if task is Task.REGRESSION else 2_000)
    found = _diagnose(evidence, task)

    assert (found.cause, found.action) == (Cause.UNEXPLAINED, Action.WAIT_FOR_LABELS)
    assert "cannot be told" in found.not_known


def test_moved_inputs_without_labels_stay_unknown() -> None:
    """Drift alone proves no loss, and the number of labels to ask for is told."""
    nothing: Floats = np.empty(0)
    evidence = Evidence([_moved()], (), None, nothing, nothing, np.empty((0, 0)))
    found = diagnose(evidence, Task.BINARY, 0, labels_hint=labels_needed(Task.BINARY, 0.8, 0.05))

    assert (found.cause, found.action) == (Cause.UNKNOWN, Action.WAIT_FOR_LABELS)
    assert "about 385 labelled rows of the rarer class" in found.not_known


def test_labels_needed_for_other_metrics() -> None:
    """Where no formula holds, the round number is said."""
    assert labels_needed(Task.REGRESSION, 72.0, 0.05) == "at least 300 labelled rows"
