"""A retraining that is killed at random moments: the champion serves, and run again it ends as if nobody had disturbed it."""

import collections
import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.bad_input.test_full_disk import full_after
from tests.release import release
from tests.same_run import assert_same_run
from tests.yard import Yard

from modelyard import Project
from modelyard.core import Record
from modelyard.evaluation import Evaluation, load_evaluation
from modelyard.packaging import Scorer, load_package
from modelyard.retraining import Decision
from modelyard.store import Ledger, load_record
from modelyard.training.run import StoredRun, load_run

COLUMNS = ("tenure", "MonthlyCharges", "Contract", "InternetService", "Churn")
PATIENCE_S = 240.0
START_S = 0.3
"""Before this, Python itself is starting, and there is nothing to interrupt."""

COMMAND = ("retrain", "--data", "launch.parquet")
SETTINGS: dict[str, Any] = {
    "training": {"families": ["linear"], "folds": 3, "tuning_rounds": 0, "learning_curve": False, "imbalance": False},
    "retraining": {"min_new_rows": 150, "max_segment_loss": 0.4},
    "policy": {"two_person": False},
}


@dataclasses.dataclass(frozen=True)
class Reference:
    """A project before its retraining, the same after one that nobody disturbed, and how long that took in seconds."""

    before: Path
    after: Yard
    length_s: float


@pytest.fixture(scope="module")
def founded_reference(tmp_path_factory: pytest.TempPathFactory, founded: Path) -> Reference:
    """The project that the other tests of this room use."""
    home = tmp_path_factory.mktemp("founded-reference")
    shutil.copytree(founded / "churn", home / "before" / "model")
    shutil.copy(founded / "launch.parquet", home / "before" / "launch.parquet")
    return _undisturbed(Yard(home / "before"))


@pytest.fixture(scope="module")
def small_reference(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Reference:
    """Fewer rows and columns, for many kills: a champion that has learnt from shuffled labels, and a table that can teach better."""
    yard = Yard(tmp_path_factory.mktemp("small-reference") / "before")
    yard.folder.mkdir()
    table = pl.read_parquet(data_folder / "telco_churn.parquet").select(COLUMNS).sample(1000, seed=1, shuffle=True)
    table[:400].with_columns(pl.col("Churn").shuffle(seed=2)).write_parquet(yard.folder / "churn.parquet")
    table[400:].write_parquet(yard.folder / "launch.parquet")
    Project.new(yard.root, data=yard.folder / "churn.parquet", target="Churn")
    yard.configure(**SETTINGS)
    project = Project.open(yard.root, env="quick")
    release(project)
    return _undisturbed(yard)


def _undisturbed(yard: Yard) -> Reference:
    """The same call in this process, on a copy."""
    yard.configure(**SETTINGS)
    after = Yard(yard.folder.parent / "after")
    shutil.copytree(yard.folder, after.folder)
    begun = time.monotonic()
    Project.open(after.root, env="quick").retrain(after.folder / "launch.parquet")
    return Reference(yard.folder, after, START_S + time.monotonic() - begun)


def test_killed_three_times(founded_reference: Reference, tmp_path: Path) -> None:
    """SIGKILL to the process and all it started, three times."""
    moments = random.Random(7)
    assert _kill_until_done(founded_reference, tmp_path / "yard", moments, at_most=3) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_killed_ten_times(small_reference: Reference, tmp_path: Path, seed: int) -> None:
    """Ten kills at uniformly drawn moments, over as many retrainings as that takes; each ends well. All seeds: a hundred."""
    moments, kills, lives = random.Random(seed), 0, 0
    while kills < 10:
        kills += _kill_until_done(small_reference, tmp_path / f"yard-{lives}", moments, at_most=10 - kills)
        shutil.rmtree(tmp_path / f"yard-{lives}")
        lives += 1

    assert kills == 10


@pytest.mark.parametrize(
    "size_bytes", [50_000, *(pytest.param(size, marks=pytest.mark.slow) for size in (0, 4_096, 20_000, 200_000))]
)
def test_a_full_disk(founded: Path, tmp_path: Path, size_bytes: int) -> None:
    """One sentence, the champion serves, the ledger is whole, and no half-made file stays."""
    shutil.copytree(founded / "churn", tmp_path / "model")
    shutil.copy(founded / "launch.parquet", tmp_path / "launch.parquet")
    yard = Yard(tmp_path)
    yard.configure(**SETTINGS)

    assert "space" in yard.refused(*COMMAND, code=1, before=full_after(size_bytes))
    _assert_champion_serves(yard)
    assert not _is_done(yard)
    assert len(_ledger(yard).rows(action="version.registered")) == 1


def _kill_until_done(reference: Reference, home: Path, moments: random.Random, *, at_most: int) -> int:
    """Kill the same command until it is done, or often enough; then let it end. Returns how many kills that were."""
    shutil.copytree(reference.before, home)
    yard, kills = Yard(home), 0
    while not _is_done(yard):
        process = yard.start(*COMMAND)
        if kills < at_most and _killed(process, moments.uniform(START_S, reference.length_s)):
            kills += 1
            _assert_champion_serves(yard)
            continue
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, errors) == (0, b"")
    _assert_same(yard, reference.after)
    return kills


def _killed(process: "subprocess.Popen[bytes]", after_s: float) -> bool:
    """True if it was still at work."""
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE_S)
        return process.returncode == -signal.SIGKILL
    return False


def _is_done(yard: Yard) -> bool:
    """The ledger's row is the end of a retraining, even if the process did not live to say so."""
    return bool(_ledger(yard).rows(action="model.retrained"))


def _assert_champion_serves(yard: Yard) -> None:
    """Version 1 is in production and loads, the ledger is whole, and no file is half made under its own name."""
    project = Project.open(yard.root, env="quick")
    version = project._production()
    assert version.version == 1
    Scorer.load(project._registry.package(version))
    assert _ledger(yard).verify().ok
    for path in project.workspace.state.rglob("*.json"):
        if not any(part.startswith(".") for part in path.relative_to(project.workspace.state).parts):
            json.loads(path.read_text(encoding="utf-8"))
    for folder in project.workspace.folder("packages").glob("[!.]*"):
        load_package(folder)


def _assert_same(yard: Yard, other: Yard) -> None:
    """Gates, candidates and predictions bit for bit; figures, whose sums another process may order otherwise, but for the last
    bits; each row of the ledger once; nothing left about.
    """
    mine, whole = _decision(yard), _decision(other)
    assert _said(mine) == _said(whole)
    assert _rows(yard) == _rows(other)
    assert len(_runs(yard)) == len(_runs(other)) == 2
    rows = pl.read_parquet(other.folder / "launch.parquet")
    assert_same_run(_run(yard, mine), _run(other, whole), rows)
    figures, whole_figures = _leaves(_figures(yard, mine)), _leaves(_figures(other, whole))
    assert [one for one in figures if not isinstance(one, float)] == [
        one for one in whole_figures if not isinstance(one, float)
    ]
    np.testing.assert_allclose(
        [one for one in figures if isinstance(one, float)],
        [one for one in whole_figures if isinstance(one, float)],
        rtol=1e-12,
    )
    project = Project.open(yard.root, env="quick")
    versions = project._registry.versions(project.problem.name)
    np.testing.assert_array_equal(_challenger(yard).score_frame(rows), _challenger(other).score_frame(rows))
    assert (project.status().production, project.status().retraining) == (1, None)
    assert sorted(path.name for path in project.workspace.folder("packages").iterdir()) == sorted(
        version.folder for version in versions
    )
    assert [path for path in yard.root.rglob(".*") if path.name not in (".modelyard", ".gitignore")] == []


def _challenger(yard: Yard) -> Scorer:
    """The second version, as it would be served."""
    project = Project.open(yard.root, env="quick")
    return Scorer.load(project._registry.package(project._registry.versions(project.problem.name)[1]))


def _ledger(yard: Yard) -> Ledger:
    return Ledger.open(yard.root / ".modelyard" / "ledger.db")


def _decision(yard: Yard) -> Decision:
    """The only one, which the ledger has too."""
    (row,) = _ledger(yard).rows(action="model.retrained")
    decision = load_record(Decision, yard.root / ".modelyard" / "retraining" / row.subject, "decision", cure="")
    assert (row.details["outcome"], row.details["reason"]) == (decision.outcome.value, decision.reason)
    return decision


def _said(decision: Decision) -> Any:
    return dataclasses.replace(
        decision, id="", run_id="", created_at=decision.created_at.replace(2000, 1, 1, 0, 0, 0, 0)
    )


def _rows(yard: Yard) -> collections.Counter[str]:
    """How often each thing was done; the test part was opened once for each version."""
    counted = collections.Counter(row.action for row in _ledger(yard).rows())
    assert (counted["test.opened"], counted["version.registered"], counted["model.retraining_given_up"]) == (2, 2, 0)
    return counted


def _runs(yard: Yard) -> list[Path]:
    return list((yard.root / ".modelyard" / "runs").glob("[!.]*"))


def _run(yard: Yard, decision: Decision) -> StoredRun:
    return load_run(str(decision.run_id), Project.open(yard.root).workspace)


def _figures(yard: Yard, decision: Decision) -> Any:
    """What the evaluation measured, on validation and on test rows, and that it opened these once."""
    found: Evaluation = load_evaluation(str(decision.run_id), Project.open(yard.root).workspace)
    assert found.openings == 1
    return found.validation, found.test, found.threshold


def _leaves(value: Any) -> list[Any]:
    """All that records hold, in order, without their shape."""
    if isinstance(value, Record):
        return _leaves(value.to_dict())
    if isinstance(value, Mapping):
        return [leaf for name, inner in value.items() for leaf in (name, *_leaves(inner))]
    return [leaf for inner in value for leaf in _leaves(inner)] if isinstance(value, (tuple, list)) else [value]
