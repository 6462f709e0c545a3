"""How far a detector can be relied on: by labels where there are some, on rows it has not seen, sealed ones for a reason."""

import math

import numpy as np
import polars as pl

from modelyard.core import Actor, Clock, Finding, Severity, derive_seed, system_clock
from modelyard.data import Split
from modelyard.evaluation.analytic import wilson_interval
from modelyard.evaluation.intervals import bootstrap_interval
from modelyard.problem import Problem, broken_bounds, broken_findings, held_guardrails
from modelyard.report import format_number, format_percent
from modelyard.store import Workspace
from modelyard.unsupervised.anomalies.fitted import FittedAnomalies, strange_rows
from modelyard.unsupervised.anomalies.labels import read_labels
from modelyard.unsupervised.anomalies.records import AnomalyEvaluation, AnomalyFigure, AnomalyRun
from modelyard.unsupervised.archive import open_fitted
from modelyard.unsupervised.rows import Array

__all__ = ["evaluate_anomalies"]

_RANKED = ("pr_auc", "roc_auc")
_DECIDED = ("precision", "recall")
_OFTEN, _SELDOM = 2.0, 0.25
_STEADY = 0.5
_CURE = "Bring other columns or rows"


def evaluate_anomalies(
    run: AnomalyRun,
    split: Split,
    problem: Problem,
    workspace: Workspace,
    *,
    actor: Actor,
    reason: str | None,
    clock: Clock = system_clock,
) -> AnomalyEvaluation:
    """Measure the winner; without a reason by what the run measured on held-out training rows.

    Raises
    ------
    DataError
        If the sealed labels have one class only.
    """
    fitted: FittedAnomalies = open_fitted(run.id, workspace)
    if reason is None:
        return _of_training(run, split, problem, clock)
    frame = split.test.open(reason, actor)
    openings = split.test.openings()
    confidence = 1 - 0.05 / max(1, openings)
    scores = fitted.score(frame)
    labels = read_labels(frame, problem) if run.metric == "pr_auc" else None
    seed = derive_seed(problem.training.seed, "anomaly-evaluation")
    figures = _figures(scores, labels, run.threshold, confidence, seed)
    top = strange_rows(frame, fitted, problem, min(problem.anomaly.top, frame.height), scored=scores, labels=labels)
    now = clock()
    base = None if labels is None else float(np.nanmean(labels))
    held = held_guardrails(problem, {item.name: item.value for item in figures})
    found = (*broken_findings(held, of="an answer", cure=_CURE), *_findings(run, figures, frame))
    answer = _answer(run, figures, base, f"On {frame.height:,} sealed rows")
    return AnomalyEvaluation(
        run.id,
        run.winner,
        answer,
        "test",
        frame.height,
        figures,
        base,
        openings,
        confidence,
        top,
        broken_bounds(held),
        found,
        now,
        now,
    )


def _of_training(run: AnomalyRun, split: Split, problem: Problem, clock: Clock) -> AnomalyEvaluation:
    """What the run measured: every training row by a detector that had not seen it."""
    measured = run.candidate(run.winner).figures
    names = (*_RANKED, "stability", "agreement")
    figures = tuple(AnomalyFigure(name, measured[name]) for name in names if name in measured)
    figures = (*figures, AnomalyFigure("flagged", run.contamination))
    base = run.labels[1] / run.labels[0] if run.labels[0] else None
    held = held_guardrails(problem, dict(measured))
    answer = _answer(run, figures, base, f"On {run.rows:,} training rows, each held out")
    found = (*broken_findings(held, of="an answer", cure=_CURE), *_steadiness(run))
    return AnomalyEvaluation(
        run.id,
        run.winner,
        answer,
        "training rows",
        run.rows,
        figures,
        base,
        split.test.openings(),
        0.95,
        run.top,
        broken_bounds(held),
        found,
        clock(),
    )


def _figures(
    scores: Array, labels: Array | None, threshold: float, confidence: float, seed: int
) -> tuple[AnomalyFigure, ...]:
    flagged = scores >= threshold
    found = [AnomalyFigure("flagged", float(flagged.mean()), *wilson_interval(flagged.sum(), len(scores), confidence))]
    if labels is None:
        return tuple(found)
    known = np.isfinite(labels)
    truth, told = labels[known], scores[known]
    for name in (*_RANKED, *_DECIDED):
        interval = bootstrap_interval(name, truth, told, confidence=confidence, seed=seed, threshold=threshold)
        low, high = _finite(interval.low), _finite(interval.high)
        found.append(AnomalyFigure(name, _finite(interval.value), low, high))
    return tuple(found)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _answer(run: AnomalyRun, figures: tuple[AnomalyFigure, ...], base: float | None, where: str) -> str:
    value = {item.name: item for item in figures}
    if base is not None:
        found = value["pr_auc"].value
        times = f", {found / base:.1f} times what a blind choice has" if found is not None and base > 0 else ""
        return f"{where}, {run.winner} finds anomalies with an average precision of {format_number(found)}{times}."
    if "stability" in value:
        said = format_number(value["stability"].value)
        return (
            f"{where}, {run.winner} is the steadiest detector: {said} of the strangest rows are named again when it learns from "
            "other rows; without labels nobody can say that they are anomalies."
        )
    share = format_percent(value["flagged"].value, 2)
    return f"{where}, {run.winner} calls {share} anomalies; {format_percent(run.contamination, 2)} was asked for. Nobody has labelled them."


def _steadiness(run: AnomalyRun) -> tuple[Finding, ...]:
    stability = run.candidate(run.winner).figures.get("stability")
    if stability is None or stability >= _STEADY:
        return ()
    return (
        Finding(
            "anomalies-unsteady",
            Severity.WARNING,
            run.winner,
            f"Learning from other rows, {run.winner} names only {stability:.0%} of the strangest rows again.",
            "Which rows are called anomalies is largely chance.",
            "State a larger anomaly.contamination, use fewer columns, or have rows labelled.",
            {"stability": stability},
            "E6",
        ),
    )


def _findings(run: AnomalyRun, figures: tuple[AnomalyFigure, ...], frame: pl.DataFrame) -> tuple[Finding, ...]:
    flagged = next(item for item in figures if item.name == "flagged")
    outside = (
        flagged.low is not None and flagged.high is not None and not flagged.low <= run.contamination <= flagged.high
    )
    times = (flagged.value or 0.0) / run.contamination
    drifted = (
        Finding(
            "anomalies-more-or-fewer",
            Severity.WARNING,
            "anomaly.contamination",
            f"{flagged.value or 0.0:.1%} of {frame.height:,} sealed rows are called anomalies, {run.contamination:.1%} of the others.",
            "The sealed rows are not like those that were learnt from, or the threshold lies where scores are dense.",
            "Look at the strangest sealed rows: if they are of one kind, something has changed.",
            {"flagged": flagged.value, "contamination": run.contamination},
            "E9",
        ),
    )
    return (*_steadiness(run), *(drifted if outside and (times > _OFTEN or times < _SELDOM) else ()))
