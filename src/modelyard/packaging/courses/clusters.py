"""Clusters as a package sees them: native, with what they were chosen by."""

import numpy as np
import polars as pl

from modelyard.core import StateError
from modelyard.packaging.card import CandidateLine
from modelyard.packaging.courses.figures import figures_of
from modelyard.packaging.courses.rows import RowModel
from modelyard.packaging.courses.story import CourseStory
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import ClusterPredictor
from modelyard.packaging.predictors.unlabelled import GroupRule
from modelyard.problem import Problem, Task, held_guardrails
from modelyard.unsupervised.clusters import ClusterEvaluation, ClusterRun
from modelyard.unsupervised.clusters.fitted import FittedClusters
from modelyard.unsupervised.clusters.methods import Centres, Dense, Mixture
from modelyard.unsupervised.rows import Array

__all__ = ["NONE", "cluster_model", "cluster_story"]

NONE = "none"
"""The label of a row in no cluster."""


def cluster_model(run: ClusterRun, fitted: FittedClusters, frame: pl.DataFrame) -> RowModel:
    """The clusters of a run.

    Parameters
    ----------
    frame
        The training rows, whose memberships are the reference of later ones.

    Raises
    ------
    StateError
        If there are no clear clusters.
    """
    if run.count == 0:
        raise StateError(
            "there are no clear clusters, so no row can be assigned",
            where=f"run {run.id}",
            cure="Bring other columns or more rows, then run: modelyard train",
        )
    plan = ScoringPlan(
        Task.CLUSTERING, _classes(run, fitted), None, tuple(fitted.encoder.encodings_), ClusterPredictor.kind
    )

    def predict(rows: pl.DataFrame) -> Array:
        return fitted.memberships(fitted.place(rows))

    return RowModel(
        run_id=run.id,
        columns=fitted.columns,
        plan=plan,
        predictor=_predictor(fitted),
        predict=predict,
        held_out=predict(frame),
        usual=None,
    )


def cluster_story(
    run: ClusterRun, fitted: FittedClusters, evaluation: ClusterEvaluation, problem: Problem
) -> CourseStory:
    """What was tried, chosen and measured."""
    values = {"silhouette": evaluation.silhouette, "replication": evaluation.replication}
    said = " ".join(cluster.sentence for cluster in run.clusters)
    return CourseStory(
        run_id=run.id,
        task=Task.CLUSTERING,
        classes=_classes(run, fitted),
        answers=f"Says to which of {run.count} clusters a row belongs, and how far. {said}",
        winner=run.method,
        why=run.why,
        metric="silhouette",
        resamples=(problem.clustering.repeats, "halves, no"),
        candidates=tuple(
            CandidateLine(
                f"{item.method} with {item.count} clusters",
                item.method,
                "candidate",
                item.reason or "done",
                item.silhouette,
                None,
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


def _classes(run: ClusterRun, fitted: FittedClusters) -> tuple[str, ...]:
    """The numbers of the clusters, the largest first; ``none`` where a row may be in none."""
    numbers = tuple(str(number) for number in range(1, run.count + 1))
    return (*numbers, NONE) if isinstance(fitted.grouping, Dense) else numbers


def _predictor(fitted: FittedClusters) -> ClusterPredictor:
    """The groups in the order of their sizes."""
    order, group = list(fitted.by_size), fitted.grouping
    turn = {} if fitted.directions is None else {"directions": fitted.directions}
    if isinstance(group, Centres):
        arrays = {"centres": group.centres[order], "variance": np.array([group.variance])}
        return ClusterPredictor(GroupRule.CENTRES, arrays | turn)
    if isinstance(group, Mixture):
        found = {"means": group.means, "factors": group.factors, "weights": group.weights}
        return ClusterPredictor(GroupRule.MIXTURE, {name: values[order] for name, values in found.items()} | turn)
    if isinstance(group, Dense):
        answers = group.answers[:, [*order, len(order)]]
        return ClusterPredictor(GroupRule.NEAREST, {"known": group.known, "answers": answers} | turn)
    raise StateError("these groups have no native form, so they cannot be packaged", got=type(group).__name__)
