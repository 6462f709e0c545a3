"""Ray as an executor: what is its own beside the duties of all executors (``tests/contracts/test_executor.py``)."""

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.adapters.ray import RayExecutor
from modelyard.adapters.ray_link import _knock, library_versions
from modelyard.core import ConfigError, MissingExtraError, ModelyardError, StateError
from modelyard.core.actor import Actor
from modelyard.data import load_version, make_split, resolve, store_version
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training import Executor, InProcessExecutor
from modelyard.training.engine import train
from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.family import Family
from modelyard.training.families.linear import Linear
from modelyard.training.run import StoredRun

pytest.importorskip("ray")


@dataclasses.dataclass(frozen=True)
class Worker:
    """Tells who worked."""

    key: str
    folder: Path | None = None

    def run(self) -> Mapping[str, Any]:
        """The process."""
        return {"process": os.getpid()}


@pytest.fixture(scope="module")
def ray() -> Iterator[RayExecutor]:
    """Two workers on this machine."""
    made = RayExecutor(workers=2)
    yield made
    made.close()


def trained(folder: Path, executor: Executor, actor: Actor) -> StoredRun:
    """A small search of two families with tuning and a learning curve."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(300, 3))
    y = np.where(x[:, 0] + x[:, 1] ** 2 + generator.normal(size=300) > 1, "yes", "no")
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "churn": y})
    plan = {"folds": 3, "tuning_rounds": 2, "learning_curve": True, "families": ["linear", "lightgbm"]}
    problem = Problem.model_validate({"data": {"source": "t", "target": "churn"}, "training": plan})
    workspace = Workspace(folder)
    dataset = load_version(store_version(frame, "t", workspace).id, workspace)
    problem = resolve(problem, dataset.frame)
    split = make_split(dataset, problem, workspace, actor)
    families: dict[str, Family] = {
        "linear": Linear(),
        "lightgbm": LightGBM(max_rounds=20, patience=5, fallback_rounds=10),
    }
    return train(split, problem, workspace, executor=executor, families=families)


def test_a_run_on_ray_equals_one_in_this_process(tmp_path: Path, ray: RayExecutor, actor: Actor) -> None:
    """Scores, rounds, winner, curve and out-of-fold predictions are the same bit for bit."""
    alone, spread = (trained(tmp_path / name, made, actor) for name, made in (("a", InProcessExecutor()), ("b", ray)))

    def leaderboard(run: StoredRun) -> list[Any]:
        return [(item.name, item.params, item.fold_scores, item.rounds) for item in run.record.candidates]

    assert leaderboard(spread) == leaderboard(alone)
    assert (spread.record.winner, spread.record.why) == (alone.record.winner, alone.record.why)
    assert spread.record.learning_curve == alone.record.learning_curve
    for item in alone.record.candidates:
        assert np.array_equal(spread.out_of_fold(item.name), alone.out_of_fold(item.name))


def test_a_worker_that_does_not_see_the_folder_is_refused(tmp_path: Path, ray: RayExecutor) -> None:
    """A folder of the same name with other contents is another folder; it stops the run, not one candidate."""
    ray.submit(Worker("1", tmp_path))

    assert [outcome.error for outcome in ray.as_completed()] == [""]

    ray._marks[tmp_path] = "what the driver wrote into a folder that only it can see"
    ray.submit(Worker("2", tmp_path))
    with pytest.raises(
        StateError, match=rf"{socket.gethostname()} does not see {tmp_path} .*share under the same path"
    ):
        list(ray.as_completed())


def test_relative_folders_are_the_drivers(tmp_path: Path, ray: RayExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """They lead on from where the driver stands; a folder that was removed and made again is no other one."""
    monkeypatch.chdir(tmp_path)
    folder = Path("search")
    for key in ("1", "2"):
        folder.mkdir()
        ray.submit(Worker(key, folder))

        assert [outcome.error for outcome in ray.as_completed()] == [""]

        shutil.rmtree(folder)


def test_workers_of_other_versions_are_refused(ray: RayExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results must not depend on who computed them."""
    known = library_versions()
    monkeypatch.setattr("modelyard.adapters.ray.library_versions", lambda: {**known, "lightgbm": "0.1"})
    ray.submit(Worker("1"))
    with pytest.raises(StateError, match=rf"has lightgbm {known['lightgbm']}, and the driver 0.1"):
        list(ray.as_completed())


def test_an_address_where_nothing_answers_is_one_clear_error() -> None:
    """In seconds, and without ending the process, as Ray itself would."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    for address in (f"ray://127.0.0.1:{port}", f"127.0.0.1:{port}"):
        with pytest.raises(ModelyardError, match=f"the Ray cluster at {address} cannot be reached"):
            _knock(address)


@pytest.mark.parametrize("address", ["nowhere", "http://127.0.0.1:80", "127.0.0.1:none"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """The cure shows the forms there are."""
    with pytest.raises(ConfigError, match="ray://host:10001, host:6379 or auto"):
        _knock(address)


def test_missing_ray_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Ray the error gives the line that installs it."""
    monkeypatch.setitem(sys.modules, "ray", None)
    executor = RayExecutor()
    executor.submit(Worker("1"))

    with pytest.raises(MissingExtraError, match=r"pip install 'modelyard\[ray\]'"):
        list(executor.as_completed())


@pytest.mark.slow
def test_closing_ends_what_was_started() -> None:
    """No worker outlives an executor that started Ray; units that never end are stopped. In a process of its own."""
    code = (
        "import time\n"
        "from modelyard.adapters.ray import RayExecutor\n"
        "class Unit:\n"
        "    def __init__(self, key): self.key = key\n"
        "    def run(self):\n"
        "        import os, time\n"
        "        time.sleep(600 if self.key == 'forever' else 0)\n"
        "        return {'process': os.getpid()}\n"
        "executor = RayExecutor(workers=2)\n"
        "for key in ('forever', 'short'): executor.submit(Unit(key))\n"
        "print(next(executor.as_completed()).result['process'], flush=True)\n"
        "executor.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout.split()[-1]), 0)
