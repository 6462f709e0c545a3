"""A training that is killed at random moments, driver or worker: run again it ends as if nobody had disturbed it."""

import collections
import dataclasses
import math
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.same_run import assert_same_run
from tests.waiting import comes_true
from tests.yard import Yard

from modelyard.store import Ledger, Workspace
from modelyard.training.run import StoredRun, load_run

ROWS = 700
COLUMNS = ("tenure", "MonthlyCharges", "Contract", "InternetService", "TechSupport", "PaymentMethod", "Churn")
WORKERS = 2
PLAN: Mapping[str, Any] = {
    "families": ["linear", "lightgbm"],
    "tuning_rounds": 4,
    "folds": 3,
    "prefer": "best",
    "workers": WORKERS,
    "unit_minutes": 60,
    "learning_curve": False,
    "imbalance": False,
}
SEARCH = re.compile(r"\.search-[0-9a-f]+")
CURVES = {"learning_curve": True, "imbalance": True}
PATIENCE_S = 240.0

MakeYard = Callable[..., Yard]


@dataclasses.dataclass
class Watch:
    """Sees every unit that a training leaves in a file, though the training removes them in the end.

    A file that is written again is another file: a hard link keeps the first one, so that no number is given twice.
    """

    yard: Yard
    kept: Path
    seen: set[Path] = dataclasses.field(default_factory=set)

    def look(self) -> None:
        """Take note of what is new."""
        for pattern in ("units/*.json", "refit/*/*.joblib"):
            for path in self.yard.root.glob(f".modelyard/runs/.search-*/{pattern}"):
                try:
                    link = self.kept / f"{path.name}.{path.stat().st_ino}"
                    if link not in self.seen:
                        os.link(path, link)
                        self.seen.add(link)
                except FileNotFoundError:  # the training has ended
                    continue

    @property
    def times(self) -> collections.Counter[str]:
        """Units, and how often each was computed."""
        return collections.Counter(link.stem for link in self.seen)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Callable[[bool], tuple[Yard, Watch]]:
    """A project whose training nobody disturbed, with curves or without, and what was seen of it."""
    made: dict[bool, tuple[Yard, Watch]] = {}

    def train(curves: bool) -> tuple[Yard, Watch]:
        if curves not in made:
            yard = Yard(tmp_path_factory.mktemp("ready") / "yard")
            yard.folder.mkdir()
            table = pl.read_parquet(data_folder / "telco_churn.parquet").select(COLUMNS).sample(ROWS, seed=1)
            table.write_parquet(yard.folder / "churn.parquet")
            assert yard.new("churn.parquet", "Churn", training={**PLAN, **(CURVES if curves else {})}).exit_code == 0
            assert yard.run("audit").exit_code == 0
            shutil.copytree(yard.folder, yard.folder.parent / "before")
            kept = tmp_path_factory.mktemp("kept")
            made[curves] = yard, Watch(yard, kept)
            finished(yard, made[curves][1])
        return made[curves]

    return train


@pytest.fixture
def copy_of(tmp_path: Path) -> MakeYard:
    """Copies a project as it was before its training."""

    def copied(yard: Yard) -> Yard:
        shutil.copytree(yard.folder.parent / "before", tmp_path / "yard")
        return Yard(tmp_path / "yard")

    return copied


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where a watch keeps its links."""
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


Undisturbed = Callable[[bool], tuple[Yard, Watch]]


def test_a_driver_killed_three_times(undisturbed: Undisturbed, copy_of: MakeYard, kept: Path) -> None:
    """SIGKILL to the driver alone, early, later and while the winner is fitted: nothing finished is computed again."""
    _kill_drivers(undisturbed(False), copy_of, kept, random.Random(25))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_driver_killed_anywhere(undisturbed: Undisturbed, copy_of: MakeYard, kept: Path, seed: int) -> None:
    """The same with curves and remedies, at other moments."""
    _kill_drivers(undisturbed(True), copy_of, kept, random.Random(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_worker_killed_anywhere(undisturbed: Undisturbed, copy_of: MakeYard, kept: Path, seed: int) -> None:
    """SIGKILL to single workers, as the kernel does: the command goes on, and ends as if nothing had happened."""
    whole, seen = undisturbed(False)
    yard = copy_of(whole)
    watch, moments = Watch(yard, kept), random.Random(seed)
    process, earliest = yard.start("train"), 0
    for moment in sorted(moments.sample(range(len(seen.times)), 3)):
        if _reached(process, watch, max(moment, earliest), moments.uniform(0, 0.3)):
            victims = workers_of(process.pid)
            if victims:
                os.kill(moments.choice(victims), signal.SIGKILL)
            watch.look()
            # A unit that loses two workers is held to be at fault itself. Counted from after the signal: what ends between
            # the choice of a victim and its death says nothing about the unit that lost it. By then that one is done.
            earliest = len(watch.seen) + WORKERS + 1
    finished(yard, watch, process)

    assert set(watch.times.values()) == {1}
    _assert_same(yard, watch, whole, seen)


def _kill_drivers(reference: tuple[Yard, Watch], copy_of: MakeYard, kept: Path, moments: random.Random) -> None:
    whole, seen = reference
    yard = copy_of(whole)
    watch, killed = Watch(yard, kept), 0
    folds, units = len(units_of(seen)), len(seen.times)
    for low, high in ((0, folds // 2), (folds // 2, folds), (folds + 1, units)):  # last, while the winner is fitted
        process = yard.start("train")
        moment = moments.randrange(low, high)
        if not _reached(process, watch, moment, moments.uniform(0, 0.3)):
            break
        assert len(workers_of(process.pid)) <= WORKERS  # each of them loses the unit that it is at work on, and no more
        os.kill(process.pid, signal.SIGKILL)
        killed += 1
        process.communicate(timeout=PATIENCE_S)
        assert session_is_gone(process.pid)
        watch.look()
        assert Ledger.open(yard.root / ".modelyard" / "ledger.db").verify().ok
    if any(SEARCH.fullmatch(path.name) for path in yard.root.glob(".modelyard/runs/.*")):
        finished(yard, watch)
    else:  # nothing was left to be done when the last signal came, but to sweep
        assert yard.run("audit").exit_code == 0

    assert killed >= 2
    assert set(watch.times.values()) == {1}
    _assert_same(yard, watch, whole, seen)


def _reached(process: "subprocess.Popen[bytes]", watch: Watch, moment: int, delay_s: float) -> bool:
    """Wait until so many units were seen, and a little longer; False if the command has ended before."""
    end = math.inf
    for _ in _until_ended(process, watch):
        if len(watch.seen) >= moment:
            end = min(end, time.monotonic() + delay_s)
        if time.monotonic() >= end:
            return process.poll() is None
    return False


def finished(yard: Yard, watch: Watch, process: "subprocess.Popen[bytes] | None" = None) -> None:
    """See a training to its end, which must be a good one."""
    process = process or yard.start("train")
    for _ in _until_ended(process, watch):
        pass
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, errors) == (0, b"")


def _until_ended(process: "subprocess.Popen[bytes]", watch: Watch) -> Iterator[None]:
    end = time.monotonic() + PATIENCE_S
    while process.poll() is None:
        assert time.monotonic() < end
        watch.look()
        yield
        time.sleep(0.02)


def _assert_same(yard: Yard, watch: Watch, whole: Yard, seen: Watch) -> None:
    """Candidates, winner, out-of-fold and predictions bit for bit; as many fits; a sound ledger; nothing left about."""
    assert_same_run(newest(yard), newest(whole), pl.read_parquet(whole.folder / "churn.parquet"))
    assert units_of(watch) == units_of(seen)
    assert len(watch.times) == len(seen.times)
    assert Ledger.open(yard.root / ".modelyard" / "ledger.db").verify().ok
    assert [path for path in yard.root.rglob(".*") if path.name not in (".modelyard", ".gitignore")] == []


def units_of(watch: Watch) -> set[str]:
    """Those on folds: a refit's name holds its folder."""
    return {name for name in watch.times if name.endswith(".json")}


def newest(yard: Yard) -> StoredRun:
    """The run to which the project points."""
    workspace = Workspace(yard.root)
    id_ = workspace.pointer("run")
    assert id_ is not None
    return load_run(id_, workspace)


def workers_of(driver: int) -> list[int]:
    """Processes of the pool: children of the driver that loky started, but for its accountant."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            words = (status.parent / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == driver and "popen_loky_posix" in words:
            found.append(int(status.parent.name))
    return found


def session_is_gone(session: int, patience_s: float = 20.0) -> bool:
    """True once no process of a session is left."""
    return comes_true(lambda: session not in _sessions(), patience_s)


def _sessions() -> set[int]:
    """Of all processes that are not dead."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] not in "ZX":
            found.add(int(fields[3]))
    return found
