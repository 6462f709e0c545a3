"""The search: every detector scores rows that it has not seen, and is judged by labels or by how steady it is.

With labels a detector is judged by the average precision of each fold. Without, nobody can say which is right. What can be
said: does a detector name the same rows when it learns from another half of the rows (stability), and do the others
name them too (agreement)? The steadiest wins; the figures say so and claim no more.
"""

import dataclasses
import itertools
import math
import platform
import time

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import (
    Clock,
    Progress,
    ProgressEvent,
    derive_seed,
    digest_json,
    installed_versions,
    silent,
    system_clock,
)
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.report import format_number
from modelyard.store import Workspace
from modelyard.training.metrics import score
from modelyard.unsupervised.anomalies.detectors import (
    AVERAGE,
    BASELINE,
    Detector,
    DetectorKind,
    detector_kinds,
    fit_member,
    scale_of,
    scaled,
)
from modelyard.unsupervised.anomalies.fitted import FittedAnomalies, strange_rows
from modelyard.unsupervised.anomalies.labels import read_labels
from modelyard.unsupervised.anomalies.reasons import usual_values
from modelyard.unsupervised.anomalies.records import Anomaly, AnomalyRun, DetectorCandidate
from modelyard.unsupervised.archive import is_kept, keep_run, open_run
from modelyard.unsupervised.rows import Array, Points, check_rows, encode_points, used_columns

__all__ = ["search_anomalies"]

_FOLDS = 5
_HALVES = 4
_AVERAGE_COMPLEXITY = 4
_BINS = 40
_RULES = 2
_LIBRARIES = ("numpy", "polars", "scikit-learn")


@dataclasses.dataclass(frozen=True)
class _Scored:
    """A kind of detector with its scores: of rows it had not seen, and of all rows after learning from halves."""

    kind: DetectorKind
    held_out: Array
    halves: tuple[Array, ...]
    seconds: float


@dataclasses.dataclass(frozen=True)
class _Tried:
    """A detector, or the mean of several, with its figures."""

    members: tuple[_Scored, ...]
    candidate: DetectorCandidate

    @property
    def held_out(self) -> Array:
        """Each row's score by what had not seen it."""
        return _mean_of([member.held_out for member in self.members])


def search_anomalies(
    split: Split,
    problem: Problem,
    workspace: Workspace,
    *,
    resume: bool = True,
    progress: Progress = silent,
    clock: Clock = system_clock,
) -> AnomalyRun:
    """Try the detectors of the plan, choose one, and list the strangest rows with their reasons.

    Raises
    ------
    DataError
        If no column can be used, a number is infinite, all rows are alike, or labels have one class only.
    """
    id_ = _run_id(split, problem)
    if resume and is_kept(id_, workspace):
        return open_run(AnomalyRun, id_, workspace)
    frame, plan = split.train.frame, problem.anomaly
    columns, excluded = used_columns(problem, split.train.schema)
    points = encode_points(frame, problem, columns)
    labels = read_labels(frame, problem)
    tried = _try_all(points.matrix, labels, problem, progress)
    chosen, why = _choose(tried, labels is not None)
    fitted = _fit_final(chosen, points, frame, problem)
    top = strange_rows(frame, fitted, problem, plan.top, scored=chosen.held_out, labels=labels)
    record = AnomalyRun(
        id=id_,
        dataset_id=split.record.dataset_id,
        split_id=split.record.id,
        columns=tuple(column.name for column in columns),
        excluded=excluded,
        metric="pr_auc" if labels is not None else "stability",
        labels=(0, 0) if labels is None else (int(np.isfinite(labels).sum()), int(np.nansum(labels))),
        contamination=plan.contamination,
        threshold=float(np.quantile(chosen.held_out, 1 - plan.contamination)),
        candidates=tuple(item.candidate for item in tried),
        winner=chosen.candidate.name,
        why=why,
        top=top,
        drivers=_drivers(top),
        scores=_histogram(chosen.held_out),
        rows=frame.height,
        findings=check_rows(frame, columns),
        environment=_environment(),
        created_at=clock(),
    )
    keep_run(id_, record, fitted, workspace)
    return open_run(AnomalyRun, id_, workspace)


def _run_id(split: Split, problem: Problem) -> str:
    plan = problem.anomaly.model_dump(mode="json")
    data = problem.data.model_dump(
        mode="json", include={"target", "positive", "id", "time", "group", "exclude", "types"}
    )
    question = {"split": split.record.id, "plan": plan, "data": data, "seed": problem.training.seed, "rules": _RULES}
    return digest_json(question | {"libraries": _environment()})[:12]


def _environment() -> dict[str, str]:
    return {"python": platform.python_version(), **installed_versions(_LIBRARIES)}


def _try_all(matrix: Array, labels: Array | None, problem: Problem, progress: Progress) -> list[_Tried]:
    kinds = detector_kinds(problem.anomaly)
    scored = []
    for position, kind in enumerate(kinds, start=1):
        scored.append(_score_rows(kind, matrix, problem.training.seed))
        progress(ProgressEvent("training", position, len(kinds), f"{kind.name}: done"))
    tried = [_try((item,), item.kind.name, item.kind.complexity, labels, problem) for item in scored]
    learners = tuple(scored[1:])
    if len(learners) > 1:
        tried.append(_try(learners, AVERAGE, _AVERAGE_COMPLEXITY, labels, problem))
    return _with_agreement(tried, problem.anomaly.contamination)


def _score_rows(kind: DetectorKind, matrix: Array, seed: int) -> _Scored:
    """Learn from all but each fold, and from random halves."""
    begun = time.monotonic()
    folds = _folds(len(matrix), seed)
    held_out = np.empty(len(matrix))
    for fold in range(_FOLDS):
        held_out[folds == fold] = fit_member(kind, matrix[folds != fold], seed).raw(matrix[folds == fold])
    generator = np.random.default_rng(derive_seed(seed, "anomaly-halves"))
    halves = []
    for _ in range(_HALVES):
        half = generator.permutation(len(matrix))[: len(matrix) // 2]
        halves.append(fit_member(kind, matrix[half], seed).raw(matrix))
    return _Scored(kind, held_out, tuple(halves), time.monotonic() - begun)


def _mean_of(raws: list[Array]) -> Array:
    """Scores of several detectors on one scale, averaged."""
    mean: Array = np.mean([scaled(raw) for raw in raws], axis=0)
    return mean


def _try(members: tuple[_Scored, ...], name: str, complexity: int, labels: Array | None, problem: Problem) -> _Tried:
    contamination, seed = problem.anomaly.contamination, problem.training.seed
    held_out = _mean_of([member.held_out for member in members])
    named = [
        _strangest(_mean_of([member.halves[half] for member in members]), contamination) for half in range(_HALVES)
    ]
    folds = tuple(_overlap(one, other) for one, other in itertools.combinations(named, 2))
    figures: dict[str, float | None] = {"stability": float(np.mean(folds))}
    if labels is not None:
        known = np.isfinite(labels)
        figures |= {metric: _finite(score(metric, labels[known], held_out[known])) for metric in ("pr_auc", "roc_auc")}
        folds = _by_fold(labels, held_out, seed)
    seconds = round(sum(member.seconds for member in members), 3)
    return _Tried(members, DetectorCandidate(name, complexity, "done", figures, folds, seconds))


def _folds(rows: int, seed: int) -> npt.NDArray[np.int64]:
    order = np.random.default_rng(derive_seed(seed, "anomaly-folds")).permutation(rows)
    folds = np.empty(rows, dtype=np.int64)
    folds[order] = np.arange(rows) % _FOLDS
    return folds


def _by_fold(labels: Array, held_out: Array, seed: int) -> tuple[float, ...]:
    """Average precision within each fold that holds both classes."""
    folds, known = _folds(len(labels), seed), np.isfinite(labels)
    found = []
    for fold in range(_FOLDS):
        inside = (folds == fold) & known
        if len(set(labels[inside])) == 2:
            found.append(float(score("pr_auc", labels[inside], held_out[inside])))
    return tuple(found)


def _strangest(scores: Array, contamination: float) -> set[int]:
    count = max(1, round(contamination * len(scores)))
    return set(np.argsort(-scores, kind="stable")[:count].tolist())


def _overlap(one: set[int], other: set[int]) -> float:
    """Jaccard's share: 1 if both name the same rows."""
    return len(one & other) / len(one | other)


def _with_agreement(tried: list[_Tried], contamination: float) -> list[_Tried]:
    """The mean overlap of each detector's strangest rows with those of the others; the average counts for none."""
    named = {item.candidate.name: _strangest(item.held_out, contamination) for item in tried}
    peers = [name for name in named if name not in (AVERAGE, BASELINE)]
    result = []
    for item in tried:
        others = [_overlap(named[item.candidate.name], named[peer]) for peer in peers if peer != item.candidate.name]
        agreement = float(np.mean(others)) if others else None
        figures = {**item.candidate.figures, "agreement": agreement}
        result.append(dataclasses.replace(item, candidate=dataclasses.replace(item.candidate, figures=figures)))
    return result


def _choose(tried: list[_Tried], labelled: bool) -> tuple[_Tried, str]:
    """The simplest detector within one standard error of the best, by folds of labels or by pairs of halves."""
    usable = [item for item in tried if item.candidate.folds]
    if not labelled:  # how far a row is from the middle is always steady: it is no detector without a proof
        usable = [item for item in usable if item.candidate.name != BASELINE] or usable
    best = max(usable, key=lambda item: (float(np.mean(item.candidate.folds)), -item.candidate.complexity))
    for item in sorted(usable, key=lambda item: item.candidate.complexity):
        gap = np.subtract(best.candidate.folds, item.candidate.folds)
        error = float(gap.std(ddof=1)) / math.sqrt(len(gap)) if len(gap) > 1 else 0.0
        if item is best or float(gap.mean()) <= error:
            return item, _why(item, best, len(usable), labelled)
    return best, _why(best, best, len(usable), labelled)


def _why(winner: _Tried, best: _Tried, tried: int, labelled: bool) -> str:
    figure = format_number(float(np.mean(winner.candidate.folds)))
    if labelled:
        text = f"{winner.candidate.name} wins with average precision {figure} over {len(winner.candidate.folds)} folds"
    else:
        text = (
            f"{winner.candidate.name} is the steadiest: learning from another half of the rows it names {figure} of the "
            "strangest rows again (Jaccard). Without labels nobody can say which detector is right"
        )
    if winner is not best:
        return f"{text}; {best.candidate.name} is ahead by less than one standard error, so the simpler one is taken."
    return f"{text}; it is the best of {tried}."


def _fit_final(chosen: _Tried, points: Points, frame: pl.DataFrame, problem: Problem) -> FittedAnomalies:
    members = tuple(fit_member(item.kind, points.matrix, problem.training.seed) for item in chosen.members)
    scales = [scale_of(item.held_out) for item in chosen.members]
    detector = Detector(members, tuple(middle for middle, _ in scales), tuple(spread for _, spread in scales))
    bare = dataclasses.replace(points, matrix=np.empty((0, 0)))
    return FittedAnomalies(bare, detector, np.sort(chosen.held_out), usual_values(frame, points.columns))


def _drivers(top: tuple[Anomaly, ...]) -> dict[str, float]:
    counts: dict[str, int] = {}
    for anomaly in top:
        for reason in anomaly.reasons:
            counts[reason.column] = counts.get(reason.column, 0) + 1
    return {name: counts[name] / len(top) for name in sorted(counts, key=lambda name: -counts[name])}


def _histogram(scores: Array) -> tuple[tuple[float, ...], tuple[int, ...]]:
    low, high = (float(value) for value in np.quantile(scores, (0.0, 0.999)))
    counts, edges = np.histogram(np.clip(scores, low, high), bins=_BINS, range=(low, high if high > low else low + 1))
    return tuple(float(edge) for edge in edges), tuple(int(count) for count in counts)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
