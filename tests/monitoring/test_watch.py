"""A real package, a real log, and the states that are kept of it."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.life import trained

from modelyard.monitoring import MonitorReport, Verdict
from modelyard.monitoring.expected import Assumption
from modelyard.monitoring.state import StateStore
from modelyard.monitoring.watch import watch
from modelyard.packaging import Package, Scorer
from modelyard.problem import Problem
from modelyard.serving.prediction_log import LogKind, PredictionLog
from modelyard.store import Workspace

COLUMNS = ("tenure", "Contract", "MonthlyCharges", "Churn")
START = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)
DAILY, DAYS = 230, 12


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> tuple[Package, Problem, pl.DataFrame, Path]:
    """LightGBM on some columns of the churn data, its project, and rows in a random order."""
    frame = pl.read_parquet(data_folder / "telco_churn.parquet", columns=list(COLUMNS))
    plan = {"folds": 2, "families": ("lightgbm",), "tuning_rounds": 0, "workers": 1, "unit_minutes": None}
    data = {"source": "telco_churn.parquet", "target": "Churn"}
    problem = Problem.model_validate({"name": "telco_churn", "data": data, "training": plan})
    life = trained(tmp_path_factory.mktemp("project"), frame, problem)
    return life.packaged(), life.problem, frame.sample(fraction=1.0, shuffle=True, seed=1), life.workspace.root


def _write_day(folder: Path, scorer: Scorer, rows: pl.DataFrame, day: int) -> None:
    """One day's predictions as a segment, with the labels of half of them."""
    part = rows.slice(day * DAILY, DAILY)
    names = [column.name for column in scorer.contract.columns]
    scores = scorer.score_frame(part.select(names))
    answers = PredictionLog(folder, LogKind.PREDICTIONS, columns=dict.fromkeys(names, ""))
    records: list[dict[str, Any]] = []
    for place, (cells, score) in enumerate(zip(part.iter_rows(named=True), scores.tolist(), strict=True)):
        at = START + dt.timedelta(days=day, minutes=2 * place)
        records.append(
            {
                "id": f"{day}-{place}",
                "at": at.isoformat(),
                "version": "1",
                "digest": scorer.digest,
                "latency_ms": 2.0,
                "score": score,
                "label": scorer.decide(np.asarray([score]))[0],
                "flags": [],
                "features": {name: cells[name] for name in names},
            }
        )
    answers.append(records)
    answers.close()
    labels = PredictionLog(folder, LogKind.FEEDBACK)
    came = (START + dt.timedelta(days=day + 1)).isoformat()
    truth = part["Churn"].cast(pl.String).to_list()
    labels.append([{"id": f"{day}-{place}", "label": truth[place], "at": came} for place in range(0, DAILY, 2)])
    labels.close()


def _watched(workspace: Workspace, made: tuple[Package, Problem, pl.DataFrame, Path], **plan: Any) -> MonitorReport:
    package, problem, _, _ = made
    now = START + dt.timedelta(days=DAYS)
    return watch(workspace, package, problem.with_values(monitoring=plan), clock=lambda: now)


def test_every_run_brings_the_states_up_to_date(
    tmp_path: Path, made: tuple[Package, Problem, pl.DataFrame, Path]
) -> None:
    """Hours hold all rows and labels of the log, a second run changes no byte, and a past whose rows are gone still counts."""
    package, _, rows, _ = made
    scorer, workspace = Scorer.load(package), Workspace(tmp_path)
    log = workspace.folder("predictions")
    for day in range(DAYS):
        _write_day(log, scorer, rows, day)
    report = _watched(workspace, made)
    folder = workspace.folder("states", scorer.digest[:32])
    states = StateStore(folder, scorer.profile).hours()
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    _watched(workspace, made)
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    oldest = sorted(log.glob("predictions-*.jsonl"))[:6]
    for path in oldest:
        path.unlink()
    trailing = _watched(workspace, made, reference="trailing", trailing=6)

    assert report.verdict in (Verdict.QUIET, Verdict.WATCH)
    assert [one.rows for one in report.volume] == [DAILY] * DAYS
    assert sum(state.rows for state in states) == DAILY * DAYS
    assert sum(state.labels.rows for state in states) == DAILY * DAYS // 2
    assert sum(sum(state.latency) for state in states) == DAILY * DAYS
    assert after == before
    assert trailing.rows == DAILY * (DAYS - 6)
    assert trailing.unreferenced == ()
    assert {one.assumption for one in report.expected} <= {Assumption.HELD, Assumption.BROKEN}
    assert report.stream is not None
    assert report.stream.rows == DAILY * DAYS // 2


def test_labels_of_feedback_come_into_the_states(
    tmp_path: Path, made: tuple[Package, Problem, pl.DataFrame, Path]
) -> None:
    """A label that comes after the states were stored is counted in the hour of its prediction."""
    package, _, rows, _ = made
    scorer, workspace = Scorer.load(package), Workspace(tmp_path)
    log = workspace.folder("predictions")
    _write_day(log, scorer, rows, 0)
    _watched(workspace, made)
    store = StateStore(workspace.folder("states", scorer.digest[:32]), scorer.profile)
    first = sum(state.labels.rows for state in store.hours())
    late = PredictionLog(log, LogKind.FEEDBACK)
    late.append([{"id": "0-1", "label": "Yes", "at": (START + dt.timedelta(days=9)).isoformat()}])
    late.close()
    _watched(workspace, made)

    assert sum(state.labels.rows for state in store.hours()) == first + 1
