"""Watching one packaged version: its prediction log, or a table scored now, judged against its own profile."""

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl

from modelyard.core import Actor, Clock, ConfigError, DataError, StateError, system_clock
from modelyard.data import Column, Schema, category_text, conform, read_table, settled, with_history
from modelyard.data.profile import ReferenceProfile
from modelyard.evaluation import Evaluation, load_evaluation
from modelyard.monitoring.causes import ProfileWithOutcomes, ScoreReference
from modelyard.monitoring.causes.labels import write_request
from modelyard.monitoring.courses.forecasts.watch import watch_forecast
from modelyard.monitoring.courses.labels import anomalies_known, anomaly_words, in_words_of_answers
from modelyard.monitoring.courses.packaged import detector_figures, expected_flags
from modelyard.monitoring.events import marked, read_events, with_events
from modelyard.monitoring.judging import Background, judge
from modelyard.monitoring.records import MonitorReport
from modelyard.monitoring.references import span_needed
from modelyard.monitoring.report import monitor_page
from modelyard.monitoring.state import StateStore, WindowState, count_log, join_states
from modelyard.monitoring.windows import moments
from modelyard.packaging import Package, Scorer
from modelyard.packaging.courses.horizon import is_forecast
from modelyard.problem import Problem, Task
from modelyard.report import render_html
from modelyard.serving import read_feedback, read_predictions
from modelyard.store import Workspace, save_record

__all__ = ["keep_report", "watch"]


def watch(
    workspace: Workspace,
    package: Package,
    problem: Problem,
    *,
    data: Path | str | None = None,
    labels: Path | str | None = None,
    folder: Path | None = None,
    clock: Clock = system_clock,
) -> MonitorReport:
    """Judge what a version has answered.

    Parameters
    ----------
    workspace
        Holds the prediction log, the feedback and the evaluation.
    package
        The version that is watched; rows that other versions answered are left out.
    problem
        The project's problem; the task is taken from the package.
    data
        A table to score and judge as one batch instead of the log; its target column serves as labels. Of forecasts: what was
        told, as ``modelyard score`` wrote it.
    labels
        Table with columns ``id`` and ``label``; added to what came back through ``/feedback``. Of forecasts: the values that
        came, in the columns of the training data; the project's source as it is now by default.
    folder
        Gets ``rows_to_label.csv`` if the diagnosis asks for labels; None writes nothing.
    clock
        Gives the moment of a table that has no time of its own.

    Raises
    ------
    DataError
        If a table cannot be read or lacks columns.
    ConfigError
        If labels are given for clusters, or forecasts are to be judged and none are given.
    """
    if is_forecast(package):
        return watch_forecast(workspace, package, problem, told=data, values=labels)
    scorer = Scorer.load(package)
    if labels is not None and scorer.task is Task.CLUSTERING:
        raise ConfigError(
            "clusters have no truth that labels could be held against",
            where="--labels",
            got=str(labels),
            cure="Leave --labels out; people who use the clusters say whether they still serve",
        )
    if data is None:
        predictions = read_predictions(workspace.folder("predictions"))
        predictions = predictions.filter(pl.col("digest") == scorer.digest)
        truth = read_feedback(workspace.folder("predictions"))
    else:
        predictions, truth = _scored(scorer, with_history(read_table(data), problem, workspace.root), problem, clock)
    if labels is not None:
        truth = pl.concat([truth.select("id", "label"), _labels(labels)])
    settings = settled(problem, scorer.task, scorer.classes)
    if scorer.task is Task.ANOMALY and truth.height:
        truth = in_words_of_answers(truth, anomaly_words(problem, package, workspace, scorer.classes))
    is_labelled = truth.height > 0 and scorer.task is not Task.CLUSTERING
    evaluation = _evaluation(workspace, package) if scorer.task.is_supervised else None
    profile = _with_outcomes(_watched(scorer.profile, problem, is_log=data is None), evaluation)
    background = Background(
        threshold=scorer.threshold,
        classes=scorer.classes,
        history=_history(workspace, scorer, problem, predictions),
        now=clock() if data is None else None,
    )
    anomalies = anomalies_known(problem, package, workspace) if scorer.task is Task.ANOMALY else None
    background = _known(background, scorer, package, settings, evaluation, anomalies)
    report = judge(profile, predictions, truth if is_labelled else None, settings, background)
    if folder is not None and report.diagnosis.labels is not None:
        write_request(report.diagnosis.labels, predictions, folder / "rows_to_label.csv")
    return report


def keep_report(
    report: MonitorReport, folder: Path, problem: Problem, workspace: Workspace, actor: Actor, subject: str
) -> None:
    """Store a report and its page, with what happened at the time, as the newest; the ledger hears of the version judged."""
    events = read_events(workspace.ledger, problem.name)
    page = with_events(monitor_page(marked(report, events), problem), report, events)
    save_record(folder, "monitoring", report, render_html(page))
    workspace.point("monitoring", folder.name)
    cause = report.diagnosis
    because = cause.evidence[0].says if cause.evidence else ""
    details = {"verdict": report.verdict.value, "cause": cause.verdict.value, "because": because, "report": folder.name}
    workspace.ledger.append(actor, "model.monitored", subject, details)


def _history(
    workspace: Workspace, scorer: Scorer, problem: Problem, predictions: pl.DataFrame
) -> tuple[WindowState, ...]:
    """The stored hours that the rows are held against, brought up to date with the version's log."""
    log, plan = workspace.folder("predictions"), problem.monitoring
    profile = _watched(scorer.profile, problem, is_log=True)
    store = StateStore(workspace.folder("states", scorer.digest[:32]), profile, zone=plan.zone)
    count_log(store, profile, log, scorer.digest, zone=plan.zone)
    join_states(store, log, scorer.digest, read_feedback(log), zone=plan.zone)
    if predictions.is_empty():
        return ()
    at = moments(predictions).sort()
    span = span_needed(plan, at[0], at[-1])
    return store.hours(*span) if span else ()


def _watched(profile: ReferenceProfile, problem: Problem, *, is_log: bool) -> ReferenceProfile:
    """The profile without what the log does not hold as it came: hashed and dropped columns have nothing to compare."""
    personal = problem.log.personal if is_log else {}
    return dataclasses.replace(profile, features=tuple(one for one in profile.features if one.name not in personal))


def _with_outcomes(profile: ReferenceProfile, evaluation: Evaluation | None) -> ProfileWithOutcomes:
    """The profile, with outcomes by score as the evaluation measured them."""
    known = ScoreReference.of_curves(evaluation.curves) if evaluation is not None else None
    return ProfileWithOutcomes(profile.rows, profile.features, known)


def _known(
    background: Background,
    scorer: Scorer,
    package: Package,
    problem: Problem,
    evaluation: Evaluation | None,
    known_anomalies: int | None,
) -> Background:
    """The background with what was measured of the version: by its evaluation, or by a course's package itself."""
    if evaluation is not None:
        importance = {item.feature: item.drop for item in evaluation.importance}
        return dataclasses.replace(background, reference_score=_reference_score(evaluation), importance=importance)
    if scorer.task is not Task.ANOMALY:
        return background
    figures = detector_figures(package, known_anomalies)
    primary = figures.get(problem.primary_metric)
    reference = primary.value if primary else None
    return dataclasses.replace(
        background, reference_score=reference, flags=expected_flags(package, scorer), figures=figures
    )


def _evaluation(workspace: Workspace, package: Package) -> Evaluation | None:
    """The evaluation of the package's run; None for a package that came from another machine."""
    try:
        return load_evaluation(package.manifest.run_id, workspace)
    except StateError:
        return None


def _reference_score(evaluation: Evaluation) -> float | None:
    """The winner's primary metric: on the test part if it was opened, else on validation rows."""
    systems = evaluation.test or evaluation.validation
    value = systems[-1].metric(evaluation.metric) if systems else None
    return value.value if value else None


def _scored(scorer: Scorer, table: pl.DataFrame, problem: Problem, clock: Clock) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A table as the log would hold it, all rows at one moment, and its labels."""
    names = [column.name for column in scorer.contract.columns]
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise DataError(
            "the table lacks columns of the contract",
            where="data",
            got=", ".join(map(repr, missing[:5])),
            cure="Export it with the columns that the model was trained on",
        )
    columns = (Column(item.name, item.kind, "", nullable=True) for item in scorer.contract.columns)
    frame = conform(table.select(names), Schema(tuple(columns)))
    scores = scorer.score_frame(frame)
    ids = [f"row-{position}" for position in range(frame.height)]
    predictions = frame.rename({name: f"feature.{name}" for name in names}).with_columns(
        pl.Series("id", ids),
        pl.Series("score", scores if scores.ndim == 1 else np.max(scores, axis=1)),
        pl.Series("label", [str(label) for label in scorer.decide(scores)]),
        pl.lit(scorer.version).alias("version"),
        pl.lit(clock()).alias("at"),
    )
    if scores.ndim > 1:
        shares = pl.Series("probabilities", scores, dtype=pl.Array(pl.Float64, scores.shape[1]))
        predictions = predictions.with_columns(shares.arr.to_list())
    target = problem.data.target
    truth = category_text(table[target]) if target in table.columns else pl.Series([None] * table.height)
    schema = {"id": pl.String, "label": pl.String}
    return predictions, pl.DataFrame({"id": ids, "label": truth}, schema=schema).drop_nulls()


def _labels(source: Path | str) -> pl.DataFrame:
    """The label table: id and label as text."""
    frame = read_table(source)
    missing = [name for name in ("id", "label") if name not in frame.columns]
    if missing:
        raise DataError(
            "the label table needs the columns id and label",
            where=str(source),
            got=", ".join(frame.columns[:8]),
            cure="Rename the columns; 'id' is the id that the prediction was answered with",
        )
    return frame.select(pl.col("id").cast(pl.String), category_text(frame["label"]).alias("label")).drop_nulls()
