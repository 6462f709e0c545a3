"""Real packages of anomalies and clusters, watched by their log and by tables."""

import dataclasses
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from tests.courses.test_rows import course_of, project_of
from tests.unsupervised.conftest import blobs, payments

from modelyard.cli.show.operations import show_monitoring
from modelyard.core import ConfigError
from modelyard.data import Column, ColumnKind, build_profile
from modelyard.evaluation.analytic import wilson_interval
from modelyard.monitoring import Action, Cause, MonitorReport, Verdict, monitor_page
from modelyard.monitoring.courses.clusters import cluster_shares
from modelyard.monitoring.courses.packaged import detector_figures
from modelyard.monitoring.exporting import monitoring_text
from modelyard.monitoring.watch import watch
from modelyard.monitoring.windows import Window, WindowFacts
from modelyard.packaging import Package, Scorer
from modelyard.project import Project
from modelyard.report import render_html, render_markdown
from modelyard.schedule.jobs import jobs_of
from modelyard.serving.prediction_log import LogKind, PredictionLog
from modelyard.store import Workspace

START = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)
DAILY = 250


@dataclasses.dataclass(frozen=True)
class Watched:
    """A package, and an empty place for its log beside the project that it comes from."""

    project: Project
    package: Package

    def log(self, folder: Path, rows: pl.DataFrame, *, day: int = 0) -> None:
        """One day's answers, as the service would keep them; ids are the day and the row."""
        scorer = Scorer.load(self.package)
        names = [column.name for column in scorer.contract.columns]
        scores = scorer.score_frame(rows.select(names))
        labels = scorer.decide(scores)
        log = PredictionLog(folder / "predictions", LogKind.PREDICTIONS, columns=dict.fromkeys(names, ""))
        records: list[dict[str, Any]] = []
        for place, cells in enumerate(rows.select(names).iter_rows(named=True)):
            at = START + dt.timedelta(days=day, minutes=2 * place)
            score = float(np.max(scores[place]))
            records.append(
                {"id": f"{day}-{place}", "at": at.isoformat(), "version": "1", "digest": scorer.digest}
                | {"latency_ms": 2.0, "score": score, "label": labels[place], "flags": [], "features": cells}
            )
        log.append(records)
        log.close()

    def report(self, workspace: Workspace, *, days: int = 1, **options: Any) -> MonitorReport:
        """Judge the log as of the end of some days."""
        return watch(
            workspace,
            self.package,
            self.project.problem,
            clock=lambda: START + dt.timedelta(days=days),
            **options,
        )


@pytest.fixture(scope="module")
def anomalies(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """An isolation forest over labelled payments, measured on sealed rows."""
    folder = tmp_path_factory.mktemp("payments")
    plan = {"contamination": 0.02, "detectors": ["isolation_forest"]}
    project = project_of(folder, payments(1_500, 30), "anomaly", "fraud", anomaly=plan, monitoring={"window": "day"})
    course = course_of(project)
    course.train()
    course.evaluate(open_test="final evaluation")
    return Watched(project, course.package())


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Three round clusters by k-means."""
    plan = {"most": 3, "repeats": 5, "methods": ["kmeans"]}
    rows = blobs(900).drop("member")
    project = project_of(tmp_path_factory.mktemp("blobs"), rows, "clustering", clustering=plan)
    course = course_of(project)
    course.train()
    course.evaluate()
    return Watched(project, course.package())


def _place(tmp_path: Path, watched: Watched) -> Workspace:
    """A workspace of its own for the log, that knows the project's splits."""
    (tmp_path / ".modelyard").mkdir()
    for name in ("splits", "datasets"):
        (tmp_path / ".modelyard" / name).symlink_to(watched.project.workspace.folder(name))
    return Workspace(tmp_path)


def _shown(report: MonitorReport, folder: Path) -> str:
    """What the terminal shows of a report."""
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(show_monitoring(report, folder / "monitoring.html"))
    return console.export_text()


def _labels(path: Path, rows: pl.DataFrame, *, day: int = 0, keep: pl.Series | None = None) -> Path:
    """The truth of a day's rows as a table of labels."""
    table = pl.DataFrame({"id": [f"{day}-{place}" for place in range(rows.height)], "label": rows["fraud"]})
    (table if keep is None else table.filter(keep)).write_csv(path)
    return path


def test_usual_payments_are_quiet_with_labels(tmp_path: Path, anomalies: Watched) -> None:
    """Drift, share flagged, and by labels in the project's own words the metric with precision and recall."""
    workspace = _place(tmp_path, anomalies)
    folder = tmp_path / ".modelyard"
    days = [payments(DAILY, 5, seed=day + 1) for day in range(3)]
    for day, rows in enumerate(days):
        anomalies.log(folder, rows, day=day)
    tables = [pl.read_csv(_labels(tmp_path / f"{day}.csv", rows, day=day)) for day, rows in enumerate(days)]
    pl.concat(tables).write_csv(tmp_path / "labels.csv")
    report = anomalies.report(workspace, days=3, labels=tmp_path / "labels.csv")
    page = render_markdown(monitor_page(report, anomalies.project.problem))

    assert report.verdict is Verdict.QUIET
    assert (report.diagnosis.verdict, report.diagnosis.action) == (Cause.NOTHING, Action.IGNORE)
    assert [one.rows for one in report.flagged] == [DAILY] * 3
    assert report.flagged[0].expected == pytest.approx(0.02)
    assert [trail.feature for trail in report.trails] == ["score", "amount", "hour", "country"]
    assert report.metric == "pr_auc"
    assert report.reference_score == pytest.approx(1.0, abs=0.1)
    assert all(window.value is not None and window.value > 0.9 for window in report.performance)
    assert [trail.metric for trail in report.beside] == ["precision", "recall"]
    assert all(window.value is not None for trail in report.beside for window in trail.windows)
    assert report.expected == ()
    assert [one.rows for one in report.service] == [DAILY] * 3
    assert "## Rows flagged" in page
    assert "2 % were expected" in page
    assert "Recall" in page
    assert "2\u202f% expected" in _shown(report, tmp_path)
    assert 'modelyard_flagged_expected_ratio{model="model"} 0.02' in monitoring_text(report, [], waiting=0, at=START)
    assert MonitorReport.from_dict(report.to_dict()) == report


def test_many_strange_payments_alarm_without_a_word_of_retraining(tmp_path: Path, anomalies: Watched) -> None:
    """The share flagged alarms, inputs moved, and without labels the cause is not known: rows to label are named."""
    workspace = _place(tmp_path, anomalies)
    for day in range(3):
        anomalies.log(tmp_path / ".modelyard", payments(DAILY, 60, seed=day + 1), day=day)
    report = anomalies.report(workspace, days=3, folder=tmp_path)
    (flagged,) = (one for one in report.findings if one.id == "drift-flagged")

    assert report.verdict is Verdict.ALARM
    assert flagged.severity.value == "error"
    assert min(one.level for one in report.flagged) >= 2
    assert report.diagnosis.verdict is Cause.UNKNOWN
    assert report.diagnosis.action is Action.WAIT_FOR_LABELS
    assert report.diagnosis.confidence is None
    assert report.diagnosis.evidence[0].test == "share flagged"
    assert report.diagnosis.labels is not None
    assert (tmp_path / "rows_to_label.csv").exists()
    assert "etrain" not in " ".join(one.says for one in report.diagnosis.evidence) + report.diagnosis.not_known


def test_a_lost_detector_is_a_loss_without_a_cause(tmp_path: Path, anomalies: Watched) -> None:
    """Strange rows turned usual: average precision and recall fall; what changed is not told, and nobody retrains."""
    workspace = _place(tmp_path, anomalies)
    rows = payments(600, 60, seed=3)
    hidden = rows.with_columns(fraud=rows["fraud"].shuffle(seed=1))
    anomalies.log(tmp_path / ".modelyard", hidden)
    report = anomalies.report(workspace, labels=_labels(tmp_path / "labels.csv", hidden))
    recall = next(trail for trail in report.beside if trail.metric == "recall").windows[0]

    assert report.performance[0].alarm
    assert recall.value is not None
    assert recall.value < 0.3
    assert report.diagnosis.verdict is Cause.UNEXPLAINED
    assert report.diagnosis.action is Action.LOOK
    assert {finding.subject for finding in report.findings if finding.id == "performance-drop"} >= {"pr_auc", "recall"}


def test_labels_of_flagged_rows_tell_precision_alone(tmp_path: Path, anomalies: Watched) -> None:
    """Recall and average precision would be too high, so they are not told, and the reason is."""
    workspace = _place(tmp_path, anomalies)
    rows = payments(600, 30, seed=4)
    anomalies.log(tmp_path / ".modelyard", rows)
    scorer = Scorer.load(anomalies.package)
    told = pl.Series(scorer.decide(scorer.score_frame(rows.drop("fraud"))))
    keep = (told == "anomaly") | (pl.int_range(600, eager=True) < 40)
    report = anomalies.report(workspace, labels=_labels(tmp_path / "labels.csv", rows, keep=keep))
    precision, recall = (trail.windows[0] for trail in report.beside)

    assert report.performance[0].value is None
    assert report.performance[0].note.startswith("labels are no fair draw: 100\u202f% of the flagged rows have one")
    assert recall.note == report.performance[0].note
    assert precision.value is not None
    assert precision.value > 0.8


def test_the_package_tells_how_few_anomalies_its_figures_are_of(anomalies: Watched) -> None:
    """The sealed rows' own count, read out of the interval of the recall; each figure with the end that so few leave open."""
    sealed = anomalies.project.workspace.folder("evaluations")
    (record,) = (json.loads(path.read_text(encoding="utf-8")) for path in sealed.glob("*/evaluation.json"))
    strange = round(record["base"] * record["rows"])
    figures = detector_figures(anomalies.package, None)

    assert record["measured_on"] == "test"
    assert figures["recall"].low == pytest.approx(
        wilson_interval(figures["recall"].value * strange, strange, 0.95)[0], abs=1e-3
    )
    assert figures["pr_auc"].low == pytest.approx(
        wilson_interval(figures["pr_auc"].value * strange, strange, 0.95)[0], abs=1e-3
    )
    assert figures["pr_auc"].low < 0.9 < figures["pr_auc"].value


def test_a_table_with_the_label_column_is_judged_at_once(tmp_path: Path, anomalies: Watched) -> None:
    """Its target serves as labels, as for classes; one batch."""
    payments(800, 16, seed=9).write_csv(tmp_path / "new.csv")
    report = anomalies.report(anomalies.project.workspace, data=tmp_path / "new.csv")

    assert report.labels is not None
    assert report.labels.used == 800
    assert len(report.performance) == 1
    assert report.performance[0].reference == report.reference_score


def test_a_broken_column_is_a_broken_pipeline(tmp_path: Path, anomalies: Watched) -> None:
    """Faults of columns are asked first, for anomalies too."""
    workspace = _place(tmp_path, anomalies)
    rows = payments(600, 12, seed=5).with_columns(amount=pl.lit(None, dtype=pl.Float64))
    anomalies.log(tmp_path / ".modelyard", rows)
    report = anomalies.report(workspace)

    assert report.diagnosis.verdict is Cause.PIPELINE
    assert report.diagnosis.action is Action.FIX_PIPELINE


def test_clusters_are_watched_by_their_mix(tmp_path: Path, clusters: Watched) -> None:
    """As in training it is quiet; with a cluster that shrinks the mix moves, and people are asked to look, not for labels."""
    rows = blobs(3_000, seed=4)
    usual, moved = rows.head(900), rows.filter((pl.col("member") != "m1") | (pl.int_range(pl.len()) % 4 == 0)).head(900)
    usual.write_csv(tmp_path / "usual.csv")
    moved.write_csv(tmp_path / "moved.csv")
    workspace = clusters.project.workspace
    quiet = clusters.report(workspace, data=tmp_path / "usual.csv")
    found = clusters.report(workspace, data=tmp_path / "moved.csv")
    page = render_html(monitor_page(found, clusters.project.problem))

    assert quiet.verdict is Verdict.QUIET
    assert quiet.diagnosis.verdict is Cause.NOTHING
    assert [one.cluster for one in quiet.clusters] == ["1", "2", "3"]
    assert sum(one.rows for one in found.clusters) == 900
    assert min(one.share for one in found.clusters) < 0.15
    assert all(one.low < one.share < one.high for one in found.clusters)
    assert {trail.feature for trail in found.trails if trail.results[-1].alarm} >= {"label"}
    assert (found.diagnosis.verdict, found.diagnosis.action) == (Cause.UNKNOWN, Action.LOOK)
    assert found.diagnosis.labels is None
    assert (found.performance, found.expected, found.flagged) == ((), (), ())
    assert "clusters have no truth to be held against" in page
    assert "in training" in _shown(found, tmp_path)


def test_the_schedule_refuses_what_needs_a_target(clusters: Watched) -> None:
    """Keys that would be passed over in silence are refused with the way."""
    problem = clusters.project.problem
    asked = problem.with_values(deploy={**problem.deploy.model_dump(), "automatic": True})

    assert "retrain" not in [job.name for job in jobs_of(problem)]
    with pytest.raises(ConfigError, match=r"deploy\.automatic: this is for models that learn a target row by row"):
        jobs_of(asked)


def test_the_rarest_of_many_clusters_have_no_share_of_their_own_in_training() -> None:
    """The profile counts clusters beyond twenty together: None, and not nothing."""
    rows = pl.DataFrame({"label": [str(number) for number in range(1, 23) for _ in range(30 - number)]})
    column = Column("label", ColumnKind.CATEGORY, "String", nullable=False)
    (trained,) = build_profile(rows, [column]).features
    facts = WindowFacts("day", START, START, rows.height, 1, judged=True)
    shares = cluster_shares([Window(facts, rows)], [str(number) for number in range(1, 23)], trained)

    assert shares[0].before == shares[0].share
    assert [one.cluster for one in shares if one.before is None] == ["21", "22"]


def test_labels_of_clusters_are_refused(tmp_path: Path, clusters: Watched) -> None:
    """There is no truth; the command says so instead of a figure."""
    (tmp_path / "labels.csv").write_text("id,label\n1,2\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="clusters have no truth that labels could be held against"):
        clusters.report(clusters.project.workspace, labels=tmp_path / "labels.csv")
