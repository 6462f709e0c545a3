"""A detector of anomalies as a package sees it: native, with what it was chosen by."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import StateError
from modelyard.packaging.card import CandidateLine
from modelyard.packaging.courses.figures import figures_of
from modelyard.packaging.courses.rows import RowModel
from modelyard.packaging.courses.story import CourseStory
from modelyard.packaging.courses.usual import UsualRows
from modelyard.packaging.golden import as_requests
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import AnomalyPredictor, KernelPredictor, flatten_trees
from modelyard.packaging.predictors.unlabelled import (
    AnomalyPart,
    BoundaryMeasure,
    DensityMeasure,
    DistanceMeasure,
    IsolationMeasure,
    Measure,
)
from modelyard.problem import Problem, Task, held_guardrails
from modelyard.report import format_number, format_percent
from modelyard.unsupervised.anomalies import AnomalyEvaluation, AnomalyRun
from modelyard.unsupervised.anomalies.detectors import (
    BASELINE,
    Boundary,
    Density,
    Detector,
    Distance,
    Isolation,
)
from modelyard.unsupervised.anomalies.fitted import FittedAnomalies

__all__ = ["CLASSES", "anomaly_model", "anomaly_story", "native_detector"]

CLASSES = ("usual", "anomaly")
"""The labels of rows below the threshold, and from it on."""

_MOST_SCORES = 2_000


def anomaly_model(run: AnomalyRun, fitted: FittedAnomalies) -> RowModel:
    """The winner of a search for anomalies.

    Raises
    ------
    StateError
        If a detector has no native form.
    """
    encodings = tuple(fitted.points.encoder.encodings_)
    plan = ScoringPlan(Task.ANOMALY, CLASSES, run.threshold, encodings, AnomalyPredictor.kind)
    return RowModel(
        run_id=run.id,
        columns=fitted.points.columns,
        plan=plan,
        predictor=native_detector(fitted.detector),
        predict=fitted.score,
        held_out=fitted.reference,
        usual=_usual(fitted),
    )


def native_detector(detector: Detector) -> AnomalyPredictor:
    """A fitted detector as numbers.

    Raises
    ------
    StateError
        If one of its members has no native form.
    """
    members = zip(detector.members, detector.middles, detector.spreads, strict=True)
    return AnomalyPredictor([AnomalyPart(_measure(member), middle, spread) for member, middle, spread in members])


def anomaly_story(run: AnomalyRun, evaluation: AnomalyEvaluation, problem: Problem) -> CourseStory:
    """What was tried, chosen and measured."""
    share = format_percent(run.contamination, 2)
    values = {item.name: item.value for item in evaluation.figures}
    return CourseStory(
        run_id=run.id,
        task=Task.ANOMALY,
        classes=CLASSES,
        answers=(
            f"Says how strange a row is, in usual deviations, and calls it an anomaly from {format_number(run.threshold)} on; "
            f"{share} of the training rows are as strange, the share that the project file states."
        ),
        winner=run.winner,
        why=run.why,
        metric=run.metric,
        resamples=(len(run.candidate(run.winner).folds), "folds" if run.metric == "pr_auc" else "pairs of halves, no"),
        candidates=tuple(
            CandidateLine(
                item.name,
                item.name,
                "baseline" if item.name == BASELINE else "candidate",
                item.status,
                *_mean(item.folds),
            )
            for item in run.candidates
        ),
        measured_on=evaluation.measured_on,
        confidence=evaluation.confidence,
        figures=figures_of((item.name, item.value, item.low, item.high) for item in evaluation.figures),
        guardrails=held_guardrails(problem, values),
        openings=evaluation.openings,
        findings=(("training", run.findings), ("evaluation", evaluation.findings)),
        environment=run.environment,
    )


def _mean(folds: tuple[float, ...]) -> tuple[float | None, float | None]:
    """Mean and standard deviation; None if they cannot be told."""
    if not folds:
        return None, None
    return float(np.mean(folds)), float(np.std(folds, ddof=1)) if len(folds) > 1 else None


def _measure(member: Any) -> Measure:
    """A fitted detector as numbers."""
    if isinstance(member, Distance):
        return DistanceMeasure(member.middle)
    if isinstance(member, Density):
        return DensityMeasure(member.known, member.reach, member.density, member.neighbours)
    if isinstance(member, Isolation):
        return _isolation(member.model)
    if isinstance(member, Boundary):
        return _boundary(member.model)
    raise StateError("this detector has no native form, so it cannot be packaged", got=type(member).__name__)


def _isolation(model: Any) -> IsolationMeasure:
    """Trees whose leaves hold path lengths, as ``IsolationForest`` adds them up."""
    from sklearn.ensemble._iforest import _average_path_length

    lengths = zip(model._decision_path_lengths, model._average_path_length_per_tree, strict=True)  # noqa: SLF001 - no public names
    trees = [
        _with_values(estimator.tree_, path + beyond - 1.0)
        for estimator, (path, beyond) in zip(model.estimators_, lengths, strict=True)
    ]
    usual = float(_average_path_length([model._max_samples])[0])  # noqa: SLF001 - likewise
    arrays = flatten_trees(trees, int(model.n_features_in_), [0])
    return IsolationMeasure(dataclasses.replace(arrays, cover=None), usual)  # path lengths are explained by sampling


def _with_values(tree: Any, values: npt.NDArray[np.float64]) -> SimpleNamespace:
    """A tree of scikit-learn with other values in its nodes."""
    structure = (
        "node_count",
        "max_depth",
        "children_left",
        "children_right",
        "feature",
        "threshold",
        "missing_go_to_left",
    )
    kept = {name: getattr(tree, name) for name in (*structure, "weighted_n_node_samples")}
    return SimpleNamespace(value=values.reshape(-1, 1, 1), **kept)


def _boundary(model: Any) -> BoundaryMeasure:
    """Support vectors with their weights, turned so that stranger is more."""
    kernel = KernelPredictor(
        model.support_vectors_,
        -np.asarray(model.dual_coef_),
        np.zeros(1),
        gamma=float(model._gamma),  # noqa: SLF001 - no public name
        is_classes=False,
    )
    return BoundaryMeasure(kernel)


def _usual(fitted: FittedAnomalies) -> UsualRows:
    """What is usual, small enough to travel."""
    scores = fitted.reference
    if len(scores) > _MOST_SCORES:
        scores = np.quantile(scores, np.linspace(0, 1, _MOST_SCORES))
    values = {name: value for name, (value, _) in fitted.usual.items()}
    (plain,) = as_requests(pl.DataFrame({name: [value] for name, value in values.items()}))
    return UsualRows(tuple(scores.tolist()), plain, {name: words for name, (_, words) in fitted.usual.items()})
