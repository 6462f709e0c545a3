"""The order of questions, on evidence made by hand."""

import dataclasses
import datetime as dt

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.data.profile import FeatureReference
from modelyard.data.schema import ColumnKind
from modelyard.monitoring import Action, Cause, PerformanceWindow, QualityResult, QualitySignal, drift_test
from modelyard.monitoring.causes.case import Case, LabelledRows, Moved
from modelyard.monitoring.causes.diagnose import diagnose
from modelyard.monitoring.causes.light_models import chance
from modelyard.problem import Task

Floats = npt.NDArray[np.float64]
MOMENT = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
LOSS = PerformanceWindow("w", MOMENT, MOMENT, 2_000, 9.0, 8.5, 9.5, 1.0, 1.05, alarm=True)
KEPT = dataclasses.replace(LOSS, value=1.0, low=0.9, high=1.1, alarm=False)
NOTHING = LabelledRows(np.empty(0), np.empty(0), np.empty((0, 0)))
FAULT = QualityResult("w", "spend", QualitySignal.NULL_RATE, 0.4, 0.0, large=True, detail="")


def _moved(name: str = "age") -> Moved:
    counts = (500, 500, 0, 0, 0)
    reference = FeatureReference(name, ColumnKind.NUMERIC, (1.0,), (), None, counts, 0.02, 0.0, 2.0)
    now = np.array([900, 100, 0, 0, 0])
    result = drift_test(reference, now, false_alarm_rate=0.01, features=1)
    return Moved(reference, now, result, is_score=False)


def _numbers(by_feature: float = 0.0, level: float = 0.0, rows: int = 2_000, seed: int = 0) -> LabelledRows:
    """Rows of numbers whose errors have a mean of ``level`` and follow a feature by ``by_feature``."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(rows, 3))
    prediction = features[:, 0]
    truth = prediction + level + by_feature * features[:, 1] + generator.normal(size=rows)
    return LabelledRows(truth, prediction, features)


def _classes(turned: bool, rows: int = 2_000) -> LabelledRows:
    """Rows of three classes; ``turned`` ones follow another feature than the probabilities do."""
    generator = np.random.default_rng(1)
    features = generator.normal(size=(rows, 3))
    truth_by, scores_by = features[:, 1 if turned else 0], features[:, 0]
    weights = np.array([-1.5, 0.0, 1.5])
    chances, shares = (np.exp(column[:, None] * weights) for column in (truth_by, scores_by))
    chances, shares = chances / chances.sum(axis=1, keepdims=True), shares / shares.sum(axis=1, keepdims=True)
    truth = (generator.random(rows)[:, None] > chances.cumsum(axis=1)).sum(axis=1).astype(np.float64)
    return LabelledRows(truth, shares, features)


def _case(
    recent: LabelledRows = NOTHING, performance: PerformanceWindow | None = LOSS, task: Task = Task.REGRESSION
) -> Case:
    metric = "rmse" if task is Task.REGRESSION else "log_loss"
    return Case(task=task, metric=metric, seed=0, recent=recent, earlier=NOTHING, performance=performance)


def test_features_that_say_more_than_the_prediction_are_concept_drift() -> None:
    """Errors that a feature explains mean that the relation changed; retraining pays, and by how much is said."""
    found = diagnose(_case(_numbers(by_feature=1.0)))

    assert (found.verdict, found.action) == (Cause.CONCEPT, Action.RETRAIN)
    assert found.expected_gain is not None
    assert found.expected_gain.pays
    assert found.expected_gain.rows == 800
    assert found.expected_gain.before == pytest.approx(2**0.5, abs=0.05)
    assert found.confidence is not None
    assert found.confidence > 0.9


def test_a_constant_error_is_a_shift_of_level() -> None:
    """Errors with a mean far from 0 that no feature explains ask for recalibration."""
    found = diagnose(_case(_numbers(level=0.5)))

    assert (found.verdict, found.action) == (Cause.PRIOR, Action.RECALIBRATE)
    assert "was not tested" in found.not_known
    assert found.expected_gain is not None
    assert found.expected_gain.metric == "rmse"


def test_moved_inputs_with_a_loss_are_covariate_shift() -> None:
    """Neither the relation nor the level changed, but inputs did; nothing that was learnt would pay."""
    found = diagnose(dataclasses.replace(_case(_numbers()), moved=[_moved()]))

    assert (found.verdict, found.action) == (Cause.COVARIATE, Action.WAIT_FOR_LABELS)
    assert "would pay" in found.not_known


def test_a_loss_that_nothing_explains_is_said() -> None:
    """Without evidence no cause is invented."""
    assert diagnose(_case(_numbers())).verdict is Cause.UNEXPLAINED


def test_a_change_without_loss_is_harmless() -> None:
    """Inputs moved, performance held, and how far they moved is in the evidence."""
    found = diagnose(dataclasses.replace(_case(_numbers(), KEPT), moved=[_moved()]))

    assert (found.verdict, found.action) == (Cause.HARMLESS, Action.IGNORE)
    assert found.evidence[-1].value == pytest.approx(0.7, abs=0.01)
    assert found.segments[0].conditions == ("age is ≤ 1",)


def test_what_features_always_said_is_no_drift() -> None:
    """A model that underfits is not blamed on the world: before the window, features said as much."""
    poor = dataclasses.replace(_case(_numbers(by_feature=1.0)), earlier=_numbers(by_feature=1.0, seed=5))

    assert diagnose(poor).verdict is Cause.UNEXPLAINED


def test_several_classes_are_taken_apart_too() -> None:
    """Three classes: probabilities that follow the wrong feature by now are concept drift."""
    found = diagnose(_case(_classes(turned=True), task=Task.MULTICLASS))

    assert (found.verdict, found.action) == (Cause.CONCEPT, Action.RETRAIN)
    assert diagnose(_case(_classes(turned=False), task=Task.MULTICLASS)).verdict is Cause.UNEXPLAINED


def test_without_probabilities_several_classes_are_not_taken_apart() -> None:
    """Decided classes alone say too little, and that is said."""
    rows = dataclasses.replace(_classes(turned=True), has_scores=False)
    found = diagnose(_case(rows, task=Task.MULTICLASS))

    assert (found.verdict, found.action) == (Cause.UNEXPLAINED, Action.WAIT_FOR_LABELS)
    assert "no probabilities" in found.not_known


def test_too_few_labels_are_said() -> None:
    """With 100 labels a loss is seen, but not taken apart."""
    found = diagnose(_case(_numbers(by_feature=1.0, rows=100)))

    assert (found.verdict, found.action) == (Cause.UNEXPLAINED, Action.WAIT_FOR_LABELS)
    assert "too few labels" in found.not_known


@pytest.mark.parametrize("performance", [None, KEPT, LOSS])
def test_a_broken_pipeline_comes_first(performance: PerformanceWindow | None) -> None:
    """Whatever else was seen, a fault is mended first, and the source that broke is named."""
    faults = [FAULT, dataclasses.replace(FAULT, feature="age")]
    case = dataclasses.replace(
        _case(_numbers(by_feature=1.0), performance),
        moved=[_moved()],
        faults=faults,
        since={"spend": "Monday"},
        sources={"crm": ("age", "spend", "plan")},
    )
    found = diagnose(case)

    assert (found.verdict, found.action, found.expected_gain) == (Cause.PIPELINE, Action.FIX_PIPELINE, None)
    assert found.evidence[0].says == "spend is missing in 40\u202f% of the rows, in training in 0\u202f%, since Monday."
    assert "2 of 3 columns of the source crm broke together: age, spend." in found.evidence[-1].says


def test_moved_inputs_without_labels_stay_unknown() -> None:
    """Drift alone proves no loss."""
    found = diagnose(dataclasses.replace(_case(performance=None), moved=[_moved()]))

    assert (found.verdict, found.action, found.confidence) == (Cause.UNKNOWN, Action.WAIT_FOR_LABELS, None)
    assert "cannot be known without labels" in found.not_known


def test_where_the_loss_sits_is_named() -> None:
    """The relation turned for one plan only: the segment is found, with its p-value after the search."""
    generator = np.random.default_rng(3)
    plan, age = generator.integers(0, 3, 3_000), generator.normal(size=3_000)
    prediction = chance(1.5 * age)
    truth = (generator.random(3_000) < chance(np.where(plan == 2, -1.5, 1.5) * age)).astype(np.float64)
    counts = (1_000, 1_000, 1_000, 0, 0, 0, 0)
    reference = FeatureReference("plan", ColumnKind.CATEGORY, (), ("basic", "plus", "gold"), None, counts, 0.02)
    features = np.column_stack([age, plan == 0, plan == 1, plan == 2]).astype(np.float64)
    rows = LabelledRows(truth, prediction, features, {"plan": plan.astype(np.int64)})
    found = diagnose(dataclasses.replace(_case(rows, task=Task.BINARY), references={"plan": reference}))

    assert found.verdict is Cause.CONCEPT
    assert [segment.conditions for segment in found.segments] == [("plan is gold",)]
    assert found.segments[0].p_value < 1e-6
    assert found.segments[0].rows == int((plan == 2).sum())
