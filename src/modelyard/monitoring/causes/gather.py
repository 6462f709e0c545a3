"""From judged windows to a case: which window is asked about, its faults, its labelled rows and those before it."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.data.profile import FeatureReference, bin_places
from modelyard.data.schema import ColumnKind, category_text
from modelyard.monitoring.causes.case import Case, LabelledRows, Moved
from modelyard.monitoring.causes.diagnose import diagnose
from modelyard.monitoring.causes.inputs import usualness
from modelyard.monitoring.causes.labels import labels_needed, request_labels
from modelyard.monitoring.causes.outcomes import ScoreReference
from modelyard.monitoring.causes.pipeline import PipelineView, is_rescaled
from modelyard.monitoring.causes.records import Action, Diagnosis
from modelyard.monitoring.courses.records import FlaggedWindow
from modelyard.monitoring.drift import DriftResult
from modelyard.monitoring.performance import PerformanceWindow, outcomes
from modelyard.monitoring.quality import QualityResult
from modelyard.monitoring.windows import Window
from modelyard.problem import Problem, Task

__all__ = ["Observed", "find_cause"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PREFIX = "feature."
_MOST_COLUMNS = 40
_TOP_CATEGORIES = 5
_MOST_ROWS = 10_000
_ASKED_WINDOWS = 3
_MOSTLY = 0.8


@dataclasses.dataclass(frozen=True)
class Observed:
    """What monitoring has counted and judged.

    Parameters
    ----------
    windows
        The judged windows with their rows, in order.
    columns
        Features by the column of the log that holds them; a column without the prefix ``feature.`` is the model's output.
    values
        Gives a column of a frame as its feature's kind wants it.
    drift, counts
        By column: the results in each window; and for each window the counts.
    quality
        Alarms of all windows.
    labelled, performance
        Labelled rows, and the metric per window of them; None and empty without labels.
    problem, classes, reference_score, threshold, outcomes
        The question, and what is known of the package.
    flagged
        Of anomalies: the share flagged in each window that has answers.
    """

    windows: Sequence[Window]
    columns: Mapping[str, FeatureReference]
    values: Callable[[str, pl.DataFrame], pl.Series]
    drift: Mapping[str, Sequence[DriftResult]]
    counts: Sequence[Mapping[str, Ints]]
    quality: Sequence[QualityResult]
    labelled: pl.DataFrame | None
    performance: Sequence[PerformanceWindow]
    problem: Problem
    classes: Sequence[str]
    reference_score: float | None
    threshold: float | None
    outcomes: ScoreReference | None = None
    flagged: Sequence[FlaggedWindow] = ()


def find_cause(seen: Observed) -> Diagnosis:
    """The cause of what the latest windows show; of a loss, in the windows in which it was seen."""
    diagnosis = diagnose(_case(seen))
    if diagnosis.action is not Action.WAIT_FOR_LABELS or not seen.windows:
        return diagnosis
    rows = pl.concat([window.frame for window in seen.windows[-_ASKED_WINDOWS:]], how="diagonal_relaxed")
    if seen.labelled is not None:
        rows = rows.filter(~category_text(rows["id"]).is_in(seen.labelled["id"].to_list()))
    if "score" not in rows.columns or rows.is_empty():
        return diagnosis
    drop, problem = seen.problem.monitoring.performance_drop, seen.problem
    needed = labels_needed(problem.task, seen.reference_score, drop, _rarer_share(rows, problem.task, seen.classes))
    request = request_labels(rows, needed, derive_seed(problem.training.seed, "labels"))
    return dataclasses.replace(diagnosis, labels=request)


def _rarer_share(rows: pl.DataFrame, task: Task, classes: Sequence[str]) -> float:
    """The share of the rarer class that the scores expect; of anomalies, the share of rows that are flagged."""
    if task is Task.ANOMALY and "label" in rows.columns:
        return float((rows["label"] == classes[-1]).fill_null(value=False).sum()) / rows.height
    if task is not Task.BINARY:
        return 0.5
    mean = rows["score"].cast(pl.Float64, strict=False).mean()
    share = mean if isinstance(mean, float) else 0.5
    return min(share, 1 - share)


def _case(seen: Observed) -> Case:
    valued = [window for window in seen.performance if window.value is not None and not window.note]
    last = valued[-1] if valued else None
    position = _window_of(seen.windows, last)
    moved = _moved(seen, position)
    names = [window.facts.name for window in seen.windows]
    outputs = {one.name for column, one in seen.columns.items() if not column.startswith(_PREFIX)}
    lively, rescaled = functools.partial(_was_lively, seen), functools.partial(_rescaled, seen)
    view = PipelineView(seen.quality, names, outputs, lively, rescaled)
    faults = view.faults(position) if position is not None else ()
    recent, earlier = _labelled(seen, last, valued, moved)
    score = seen.windows[position].frame if position is not None else None
    return Case(
        task=seen.problem.task,
        metric=seen.problem.primary_metric,
        seed=derive_seed(seen.problem.training.seed, "cause"),
        recent=recent,
        earlier=earlier,
        moved=moved,
        faults=faults,
        since=_since(faults, seen.quality, names, position),
        sources=_sources(seen),
        performance=last,
        score=_scores(score),
        reference=seen.outcomes if seen.problem.task is Task.BINARY else None,
        references={one.name: one for column, one in seen.columns.items() if column.startswith(_PREFIX)},
        threshold=seen.threshold,
        drop=seen.problem.monitoring.performance_drop,
        can_be_labelled=seen.reference_score is not None,
        flagged=_flagged(seen, position),
    )


def _moved(seen: Observed, position: int | None) -> tuple[Moved, ...]:
    """The features whose test alarms in the window."""
    if position is None:
        return ()
    return tuple(
        Moved(seen.columns[column], seen.counts[position][column], results[position], not column.startswith(_PREFIX))
        for column, results in seen.drift.items()
        if results[position].alarm
    )


def _flagged(seen: Observed, position: int | None) -> FlaggedWindow | None:
    """The share flagged in the window."""
    if position is None:
        return None
    name = seen.windows[position].facts.name
    return next((one for one in seen.flagged if one.name == name), None)


def _window_of(windows: Sequence[Window], loss: PerformanceWindow | None) -> int | None:
    """The last window, or that in which a loss ended; None if no window was judged."""
    if not windows:
        return None
    if loss is not None and loss.alarm:
        for position, window in enumerate(windows):
            if window.facts.end >= loss.end:
                return position
    return len(windows) - 1


def _was_lively(seen: Observed, feature: str, position: int) -> bool:
    """True if no bin held most of the column's rows in that window."""
    counts = seen.counts[position][_column_of(seen, feature)]
    return bool(counts.max() < _MOSTLY * max(int(counts.sum()), 1))


def _rescaled(seen: Observed, feature: str, position: int) -> bool:
    """True if the column is as it was in training but for its scale."""
    column = _column_of(seen, feature)
    return is_rescaled(seen.columns[column], seen.values(column, seen.windows[position].frame))


def _column_of(seen: Observed, feature: str) -> str:
    return next(column for column, reference in seen.columns.items() if reference.name == feature)


def _since(
    faults: Sequence[QualityResult], quality: Sequence[QualityResult], names: Sequence[str], position: int | None
) -> dict[str, str]:
    """The first window of the run of windows up to this one in which each column was faulty."""
    since: dict[str, str] = {}
    for fault in faults:
        seen = {one.window for one in quality if (one.feature, one.signal) == (fault.feature, fault.signal)}
        place = position or 0
        while place > 0 and names[place - 1] in seen:
            place -= 1
        since[fault.feature] = names[place]
    return since


def _sources(seen: Observed) -> dict[str, tuple[str, ...]]:
    """Columns by the source that delivers them: as declared, else by the event table that they come from."""
    found: dict[str, tuple[str, ...]] = {}
    for column, feature in seen.columns.items():
        source = _source(feature.name, seen.problem) if column.startswith(_PREFIX) else None
        if source is not None:
            found[source] = (*found.get(source, ()), feature.name)
    return found


def _source(feature: str, problem: Problem) -> str | None:
    """None for what comes with the main table: that all of it broke says nothing of where."""
    declared = problem.alerts.declared_source(feature)
    tables = (name for name in problem.data.events if feature.startswith(f"{name}."))
    return declared or next(tables, None)


def _scores(frame: pl.DataFrame | None) -> Floats | None:
    if frame is None or "score" not in frame.columns:
        return None
    score = frame["score"].cast(pl.Float64, strict=False).drop_nulls().to_numpy()
    return np.asarray(score[np.isfinite(score)])


def _labelled(
    seen: Observed, last: PerformanceWindow | None, valued: Sequence[PerformanceWindow], moved: Sequence[Moved]
) -> tuple[LabelledRows, LabelledRows]:
    """The rows of the window asked about, and those of windows before it that showed no loss."""
    nothing = LabelledRows(np.empty(0), np.empty(0), np.empty((0, 0)))
    if last is None or seen.labelled is None:
        return nothing, nothing
    rows = seen.labelled.sort("at", maintain_order=True)
    recent = rows.filter(pl.col("at").is_between(last.start, last.end)).tail(_MOST_ROWS)
    quiet = [window for window in valued if window.end < last.start and not window.alarm]
    spans = [pl.col("at").is_between(window.start, window.end) for window in quiet]
    earlier = rows.filter(pl.any_horizontal(spans)).tail(_MOST_ROWS) if spans else rows.clear()
    found = [outcomes(part, seen.problem, seen.classes) for part in (earlier, recent)]
    parts = [part.filter(pl.Series(one.kept)) for part, one in zip((earlier, recent), found, strict=True)]
    features = _matrix(pl.concat(parts), seen)
    cut = parts[0].height
    bins = _bins(parts[1], seen)
    usual = usualness(moved, bins, parts[1].height)
    before = LabelledRows(found[0].truth, found[0].prediction, features[:cut], has_scores=not found[0].note)
    now = LabelledRows(found[1].truth, found[1].prediction, features[cut:], bins, usual, has_scores=not found[1].note)
    return now, before


def _bins(frame: pl.DataFrame, seen: Observed) -> dict[str, Ints]:
    """The bin of each row, by feature."""
    found = {}
    for column, reference in seen.columns.items():
        if column.startswith(_PREFIX) and reference.kind is not ColumnKind.DATE:
            found[reference.name] = bin_places(reference, seen.values(column, frame))
    return found


def _matrix(frame: pl.DataFrame, seen: Observed) -> Floats:
    """Features as standardised numbers: numbers as they are, the most frequent categories as indicators."""
    columns: list[Floats] = []
    for column, reference in seen.columns.items():
        if not column.startswith(_PREFIX) or len(columns) >= _MOST_COLUMNS:
            continue
        values = seen.values(column, frame)
        if reference.is_counted_by_category:
            text = category_text(values)
            levels = reference.categories[:_TOP_CATEGORIES]
            columns += [(text == level).fill_null(value=False).cast(pl.Float64).to_numpy() for level in levels]
        elif reference.kind in (ColumnKind.NUMERIC, ColumnKind.TEXT):
            columns.append(values.cast(pl.Float64, strict=False).to_numpy())
    if not columns:
        return np.empty((frame.height, 0))
    matrix = np.column_stack(columns)
    known = np.isfinite(matrix)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, matrix, 0.0).sum(axis=0) / count
    centred = np.where(known, matrix - mean, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / count)
    return np.asarray(np.clip(centred / np.where(spread > 0, spread, 1.0), -5.0, 5.0))
