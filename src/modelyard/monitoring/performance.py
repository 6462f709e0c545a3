"""Performance once labels came: joined by id, judged by an interval, never by a single number."""

import dataclasses
import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError, Record, derive_seed
from modelyard.data.schema import category_text
from modelyard.monitoring.windows import Window, moments
from modelyard.problem import MetricInput, Problem, Task, metric_spec

__all__ = [
    "LabelUse",
    "Outcomes",
    "PerformanceWindow",
    "by_arrival",
    "join_labels",
    "judge_performance",
    "outcomes",
    "predicted",
    "tolerated_score",
]

Floats = npt.NDArray[np.float64]

_CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class LabelUse(Record):
    """What became of the labels.

    Parameters
    ----------
    received
        Rows of the label table.
    used
        Predictions that have a label.
    coverage
        ``used`` as a share of the predictions.
    empty
        Rows without a label or an id; left out.
    repeated
        Ids that came more than once; the latest counts.
    conflicting
        Of these, ids whose labels differ.
    unknown_ids
        Labels for ids that no prediction has; left out.
    """

    received: int
    used: int
    coverage: float
    empty: int
    repeated: int
    conflicting: int
    unknown_ids: int


@dataclasses.dataclass(frozen=True)
class PerformanceWindow(Record):
    """The primary metric in one window of labelled rows.

    Parameters
    ----------
    name, start, end, rows
        The window; ``rows`` are those with a usable label.
    value, low, high
        The metric and its 95 % bootstrap interval; None if it is not defined here, see ``note``.
    reference, tolerated
        The package's value, and the value below (or above, for losses) which the loss is too large.
    alarm
        True if the whole interval is worse than ``tolerated``.
    note
        Why there is no value.
    """

    name: str
    start: dt.datetime
    end: dt.datetime
    rows: int
    value: float | None
    low: float | None
    high: float | None
    reference: float | None
    tolerated: float | None
    alarm: bool
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """Truth and prediction as arrays, in the shapes of :func:`modelyard.training.metrics.score`, and the rows kept."""

    truth: Floats
    prediction: Floats
    kept: npt.NDArray[np.bool_]
    note: str = ""


def join_labels(predictions: pl.DataFrame, labels: pl.DataFrame) -> tuple[pl.DataFrame, LabelUse]:
    """The predictions that have a label, with it in the column ``truth`` as text, and what became of the labels.

    Parameters
    ----------
    predictions
        With a column ``id``; ids are unique.
    labels
        Columns ``id``, ``label`` and, if corrections may come, ``at``; of several labels of one id the latest counts
        (the last row, without ``at``).

    Raises
    ------
    DataError
        If ``id`` or ``label`` is missing.
    """
    missing = [name for name in ("id", "label") if name not in labels.columns]
    if missing:
        raise DataError(
            f"the labels have no column {missing[0]!r}",
            where="labels",
            got=", ".join(labels.columns[:10]) or "no columns",
            cure="Give a table with the columns id (of the prediction) and label",
        )
    order = labels.sort("at", maintain_order=True, nulls_last=False) if "at" in labels.columns else labels
    table = pl.DataFrame({"id": category_text(order["id"]), "truth": category_text(order["label"])})
    usable = table.drop_nulls()
    per_id = usable.group_by("id").agg(rows=pl.len(), values=pl.col("truth").n_unique())
    latest = usable.unique("id", keep="last", maintain_order=True)
    named = predictions.with_columns(id=category_text(predictions["id"]))
    joined = named.join(latest, on="id", how="inner", maintain_order="left")
    use = LabelUse(
        received=labels.height,
        used=joined.height,
        coverage=joined.height / predictions.height if predictions.height else 0.0,
        empty=table.height - usable.height,
        repeated=per_id.filter(pl.col("rows") > 1).height,
        conflicting=per_id.filter(pl.col("values") > 1).height,
        unknown_ids=latest.height - joined.height,
    )
    return joined, use


def by_arrival(joined: pl.DataFrame, labels: pl.DataFrame | None) -> pl.DataFrame:
    """Labelled rows in the order in which their labels came; in that of their predictions where that is not known."""
    ordered = joined.with_columns(at=moments(joined)).sort("at", maintain_order=True)
    if labels is None or "at" not in labels.columns:
        return ordered
    came = pl.DataFrame({"id": category_text(labels["id"]), "_came": labels["at"]}).drop_nulls()
    latest = came.group_by("id").agg(pl.col("_came").max())
    return ordered.join(latest, on="id", how="left", maintain_order="left").sort("_came", maintain_order=True)


def outcomes(joined: pl.DataFrame, problem: Problem, classes: Sequence[str]) -> Outcomes:
    """Truth and prediction of labelled rows; rows whose label is no class or no number are left out.

    Raises
    ------
    DataError
        If a binary problem names no positive class.
    """
    if problem.task is Task.REGRESSION:
        truth = joined["truth"].cast(pl.Float64, strict=False).to_numpy()
        kept = np.isfinite(truth)
        return Outcomes(truth[kept], _numbers(joined, "score")[kept], kept)
    if problem.task in (Task.BINARY, Task.ANOMALY):
        return _binary(joined, problem, classes)
    return _multiclass(joined, classes)


def predicted(frame: pl.DataFrame, task: Task, classes: Sequence[str]) -> tuple[Floats, str]:
    """What was predicted, in the shape of :class:`Outcomes`, for rows without labels; and why it is empty, if it is."""
    if task is Task.MULTICLASS:
        shares = _probabilities(frame, len(classes))
        return (np.empty((0, 0)), "the log holds no probabilities of the classes") if shares is None else (shares, "")
    if "score" not in frame.columns:
        return np.empty(0), "the log holds no scores"
    scores = _numbers(frame, "score")
    return scores[np.isfinite(scores)], ""


def _probabilities(frame: pl.DataFrame, classes: int) -> Floats | None:
    """Probabilities of the classes, shape (rows, classes); None where the log lacks some."""
    if not classes or "probabilities" not in frame.columns or frame["probabilities"].null_count():
        return None
    lengths = frame["probabilities"].list.len()
    if not frame.height or not lengths.min() == lengths.max() == classes:
        return None
    return frame["probabilities"].list.to_array(classes).to_numpy().astype(np.float64)


def _binary(joined: pl.DataFrame, problem: Problem, classes: Sequence[str]) -> Outcomes:
    positive = problem.data.positive or (classes[-1] if classes else None)
    if positive is None:
        raise DataError("the positive class is not known", where="data.positive", cure="Name it in modelyard.yaml")
    kept = joined["truth"].is_in(list(classes)).to_numpy() if classes else np.ones(joined.height, dtype=np.bool_)
    truth = (joined["truth"] == positive).cast(pl.Float64).to_numpy()
    return Outcomes(truth[kept], _numbers(joined, "score")[kept], kept)


def _multiclass(joined: pl.DataFrame, classes: Sequence[str]) -> Outcomes:
    """Codes and probabilities; where the log has none, the decided label stands as certain, and a note says so."""
    names = list(classes) or sorted({*joined["truth"].unique(), *joined["label"].drop_nulls().unique()})
    codes = {name: float(code) for code, name in enumerate(names)}
    truth = joined["truth"].replace_strict(codes, default=None, return_dtype=pl.Float64).to_numpy()
    kept = np.isfinite(truth)
    shares = _probabilities(joined, len(classes))
    if shares is not None:
        return Outcomes(truth[kept], shares[kept], kept)
    decided = joined["label"].replace_strict(codes, default=None, return_dtype=pl.Float64).to_numpy()
    kept &= np.isfinite(decided)
    certain = np.zeros((int(kept.sum()), max(len(names), 1)))
    certain[np.arange(len(certain)), decided[kept].astype(np.int64)] = 1.0
    return Outcomes(truth[kept], certain, kept, "the log holds no probabilities of the classes")


def _numbers(frame: pl.DataFrame, name: str) -> Floats:
    """A column as float64 with NaN for missing."""
    return frame[name].cast(pl.Float64, strict=False).to_numpy()


def tolerated_score(metric: str, reference: float, drop: float) -> float:
    """The reference value worsened by the share ``drop`` of its size.

    >>> tolerated_score("roc_auc", 0.8, 0.05), tolerated_score("rmse", 10.0, 0.05)
    (0.76, 10.5)
    """
    sign = -1 if metric_spec(metric).greater_is_better else 1
    return reference + sign * drop * abs(reference)


def judge_performance(
    window: Window,
    problem: Problem,
    *,
    reference: float | None,
    threshold: float | None = None,
    classes: Sequence[str] = (),
    metric: str | None = None,
    obstacle: str = "",
    reference_low: float | None = None,
) -> PerformanceWindow:
    """A metric of a window of labelled rows against the package's value.

    Parameters
    ----------
    window
        Rows from :func:`join_labels`.
    problem
        Names the task, the primary metric, the accepted drop and the seed.
    reference
        The metric on the sealed test (or validation) part; None if it is not known, and then there is no alarm.
    threshold
        Binary and anomalies: the package's threshold, for metrics of decided labels.
    classes
        Class names in the package's order.
    metric
        Which one; the primary metric by default.
    obstacle
        Why these rows cannot tell it, if that is known; there is no value then.
    reference_low
        The worse end of the 95 % interval of the package's value, where it is of few rows: what is tolerated is worsened so far
        that the interval of the difference counts, put together from both (Newcombe 1998, Statistics in Medicine 17, method 10).
    """
    from modelyard.evaluation.intervals import bootstrap_interval

    metric, facts = metric or problem.primary_metric, window.facts
    found = outcomes(window.frame, problem, classes)
    tolerated = None if reference is None else tolerated_score(metric, reference, problem.monitoring.performance_drop)
    judged = PerformanceWindow(
        facts.name, facts.start, facts.end, len(found.truth), None, None, None, reference, tolerated, alarm=False
    )
    obstacle = obstacle or _obstacle(found, metric, problem.task)
    if obstacle:
        return dataclasses.replace(judged, note=obstacle)
    value, low, high = bootstrap_interval(
        metric,
        found.truth,
        found.prediction,
        confidence=_CONFIDENCE,
        seed=derive_seed(problem.training.seed, "monitor", facts.name),
        threshold=threshold if threshold is not None else 0.5,
    )
    if not np.isfinite([value, low, high]).all():
        return dataclasses.replace(judged, note="the metric is not defined for these rows")
    better = metric_spec(metric).greater_is_better
    if tolerated is not None and reference is not None and reference_low is not None:
        own = high - value if better else value - low
        slack = math.hypot(own, reference - reference_low) - own
        tolerated = tolerated - slack if better else tolerated + slack
        judged = dataclasses.replace(judged, tolerated=tolerated)
    worse = tolerated is not None and (high < tolerated if better else low > tolerated)
    note = "" if facts.judged else "too few labelled rows to judge"
    return dataclasses.replace(judged, value=value, low=low, high=high, alarm=worse and facts.judged, note=note)


def _obstacle(found: Outcomes, metric: str, task: Task) -> str:
    """Why the metric cannot be computed; empty if it can be tried."""
    if len(found.truth) == 0:
        return "no usable labels"
    if found.note and metric_spec(metric).input is MetricInput.PROBABILITY:
        return found.note
    if not np.isfinite(found.prediction).all():
        return "some predictions have no score"
    if (task.is_classification or task is Task.ANOMALY) and len(np.unique(found.truth)) < 2:
        return "all labels are of one class"
    return ""
