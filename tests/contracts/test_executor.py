"""What every executor must do, whatever it runs on: the duties of ``modelyard.training.Executor``."""

import dataclasses
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import comes_true

from modelyard.adapters.ray import RayExecutor
from modelyard.core import ConfigError
from modelyard.training import Executor, InProcessExecutor, LocalPoolExecutor
from modelyard.training.executor import Limit, load_executor


@dataclasses.dataclass(frozen=True)
class Square:
    """Squares a number; negative ones are refused."""

    number: int

    @property
    def key(self) -> str:
        """Its number."""
        return str(self.number)

    def run(self) -> Mapping[str, Any]:
        """The square, and who computed it."""
        if self.number < 0:
            raise ValueError("a negative number")
        return {"square": self.number**2, "process": os.getpid()}


@dataclasses.dataclass(frozen=True)
class Fatal(Square):
    """Kills the process that runs it."""

    def run(self) -> Mapping[str, Any]:
        """Never returns."""
        os.kill(os.getpid(), signal.SIGKILL)
        return {}


@dataclasses.dataclass(frozen=True)
class FatalOnce(Square):
    """Kills the first process that runs it, as a machine that is taken away would."""

    folder: Path = Path()

    def run(self) -> Mapping[str, Any]:
        """The square, the second time."""
        trace = self.folder / f"tried-{self.number}"
        if not trace.exists():
            trace.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run()


@dataclasses.dataclass(frozen=True)
class Threads(Square):
    """Tells how many threads libraries would use."""

    def run(self) -> Mapping[str, Any]:
        """The environment's word."""
        return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")}


@dataclasses.dataclass(frozen=True)
class Slow(Square):
    """Sleeps before it answers."""

    def run(self) -> Mapping[str, Any]:
        """The square, after a while."""
        time.sleep(0.3)
        return super().run()


@dataclasses.dataclass(frozen=True)
class Endless(Square):
    """Never answers; leaves word of every process that began it."""

    folder: Path = Path()

    def run(self) -> Mapping[str, Any]:
        """Never returns."""
        (self.folder / f"began-{self.number}-{os.getpid()}").touch()
        while True:
            time.sleep(0.1)


@dataclasses.dataclass(frozen=True)
class Lasting(Square):
    """Takes a while; leaves word of every process that began it."""

    folder: Path = Path()

    def run(self) -> Mapping[str, Any]:
        """The square, after a while."""
        (self.folder / f"began-{self.number}-{os.getpid()}").touch()
        time.sleep(3)
        return super().run()


EXECUTORS: Mapping[str, Callable[[], Executor]] = {
    "in_process": InProcessExecutor,
    "local_pool": lambda: LocalPoolExecutor(workers=2),
    "ray": RayExecutor,
}


@pytest.fixture(scope="module")
def ray_is_up() -> Iterator[None]:
    """Ray on this machine, which takes seconds to start; the executors under test find it and leave it."""
    pytest.importorskip("ray")
    keeper = RayExecutor(workers=2)
    keeper.submit(Square(0))
    list(keeper.as_completed())
    yield
    keeper.close()


@pytest.fixture(params=sorted(EXECUTORS))
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Each executor in turn."""
    if request.param == "ray":
        request.getfixturevalue("ray_is_up")
    made = EXECUTORS[request.param]()
    yield made
    made.close()


@pytest.fixture(params=["local_pool", "ray"])
def workers(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Two worker processes, of each executor that has any."""
    if request.param == "ray":
        request.getfixturevalue("ray_is_up")
    made = EXECUTORS[request.param]()
    yield made
    made.close()


@pytest.fixture
def pool() -> Iterator[LocalPoolExecutor]:
    """Two worker processes."""
    made = LocalPoolExecutor(workers=2)
    yield made
    made.close()


def squares(executor: Executor) -> dict[str, int | None]:
    """Number to square of all outcomes."""
    return {
        outcome.key: None if outcome.result is None else outcome.result["square"] for outcome in executor.as_completed()
    }


def test_it_keeps_the_protocol(executor: Executor) -> None:
    """It is an Executor."""
    assert isinstance(executor, Executor)


def test_every_unit_has_one_outcome(executor: Executor) -> None:
    """All units submitted are answered once, and then the iteration ends."""
    for number in range(7):
        executor.submit(Square(number))

    assert squares(executor) == {str(number): number**2 for number in range(7)}
    assert squares(executor) == {}


def test_units_submitted_meanwhile_are_included(executor: Executor) -> None:
    """A unit submitted while outcomes are read is answered in the same iteration."""
    executor.submit(Square(1))
    seen = []
    for outcome in executor.as_completed():
        seen.append(outcome.key)
        if outcome.key == "1":
            executor.submit(Square(2))

    assert seen == ["1", "2"]


def test_a_unit_that_raises_is_an_outcome(executor: Executor) -> None:
    """The error is one line with its type, and the other units are not touched."""
    for number in (-1, 3):
        executor.submit(Square(number))
    outcomes = {outcome.key: outcome for outcome in executor.as_completed()}

    assert outcomes["-1"].result is None
    assert outcomes["-1"].error == "ValueError: a negative number"
    assert outcomes["3"].result is not None
    assert outcomes["3"].error == ""


def test_cancel_drops_what_has_not_begun(executor: Executor) -> None:
    """After a cancel only units that had begun are yielded."""
    for number in range(8):
        executor.submit(Slow(number))
    seen = []
    for outcome in executor.as_completed():
        seen.append(outcome.key)
        executor.cancel()

    assert 1 <= len(seen) <= 3
    assert squares(executor) == {}


def test_close_may_be_called_twice(executor: Executor) -> None:
    """Closing a closed executor does nothing."""
    executor.submit(Square(1))
    executor.close()
    executor.close()

    assert squares(executor) == {}


def test_workers_are_other_processes(workers: Executor) -> None:
    """Units run in two processes, neither of which is this one."""
    for number in range(8):
        workers.submit(Slow(number))
    processes = {outcome.result["process"] for outcome in workers.as_completed() if outcome.result is not None}

    assert len(processes) >= 2
    assert os.getpid() not in processes


def test_a_dead_worker_fails_its_unit_only(workers: Executor) -> None:
    """The unit that kills its worker is found, though others ran beside it; all others are answered."""
    for unit in (Square(1), Fatal(2), Slow(3), Square(4), Fatal(5)):
        workers.submit(unit)
    outcomes = {outcome.key: outcome for outcome in workers.as_completed()}

    assert {key for key, outcome in outcomes.items() if outcome.result is None} == {"2", "5"}
    assert "worker process died" in outcomes["2"].error
    assert set(outcomes) == {"1", "2", "3", "4", "5"}


def test_a_unit_that_lost_its_worker_is_tried_again(workers: Executor, tmp_path: Path) -> None:
    """A worker that dies by chance costs nothing."""
    for unit in (FatalOnce(3, tmp_path), Square(4)):
        workers.submit(unit)

    assert squares(workers) == {"3": 9, "4": 16}


def test_a_unit_that_takes_too_long_is_ended(workers: Executor, tmp_path: Path) -> None:
    """It says so, its process is gone, it is not tried again; the unit beside it is not disturbed, and others follow."""
    warmed_up(workers)
    workers.submit(Endless(2, tmp_path), Limit(seconds=1.5))
    workers.submit(Lasting(3, tmp_path), Limit(seconds=60))
    for number in (4, 5):
        workers.submit(Square(number), Limit(seconds=60))
    outcomes = {outcome.key: outcome for outcome in workers.as_completed()}
    first = outcomes.pop("2")

    assert (first.result, first.error, first.late) == (None, "ended after 1.5 s: training.unit_minutes", False)
    assert {key: outcome.error for key, outcome in outcomes.items()} == {"3": "", "4": "", "5": ""}
    assert [len(processes_of(number, tmp_path)) for number in (2, 3)] == [1, 1]
    assert comes_true(lambda: is_gone(processes_of(2, tmp_path)[0]), 10)

    workers.submit(Square(6))

    assert squares(workers) == {"6": 36}


def test_units_are_ended_at_a_moment(workers: Executor, tmp_path: Path) -> None:
    """What is at work then is ended at no fault of its own, what has not begun is not begun, and all are answered."""
    warmed_up(workers)
    until = time.monotonic() + 1.5
    for number in (2, 3, 4, 5):
        workers.submit(Endless(number, tmp_path), Limit(seconds=60, until=until))
    outcomes = {outcome.key: outcome for outcome in workers.as_completed()}

    assert {key: (outcome.error, outcome.late) for key, outcome in outcomes.items()} == dict.fromkeys(
        ("2", "3", "4", "5"), ("ended: the time for it was over", True)
    )
    assert [len(processes_of(number, tmp_path)) for number in (2, 3, 4, 5)] == [1, 1, 0, 0]
    assert comes_true(lambda: all(is_gone(processes_of(number, tmp_path)[0]) for number in (2, 3)), 10)


def warmed_up(workers: Executor) -> None:
    """Let two workers start, so that a limit of seconds is one of work."""
    for number in (-1, -2):
        workers.submit(Square(number))
    assert len(list(workers.as_completed())) == 2


def processes_of(number: int, folder: Path) -> list[int]:
    """Those that began a unit."""
    return [int(path.name.rpartition("-")[2]) for path in folder.glob(f"began-{number}-*")]


def is_gone(process: int) -> bool:
    """Whether there is no such process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_units_compute_with_one_thread(workers: Executor) -> None:
    """The environment of a worker says so before any library is loaded."""
    workers.submit(Threads(1))

    assert [outcome.result for outcome in workers.as_completed()] == [
        {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    ]


@pytest.mark.parametrize("name", sorted(EXECUTORS))
def test_executors_are_registered(name: str) -> None:
    """The project file's ``training.executor`` finds each by its name, with one signature for all."""
    made = load_executor(name, workers=2, address=None)

    assert type(made) is type(EXECUTORS[name]())
    assert getattr(made, "workers", 2) == 2


def test_an_unknown_executor_is_refused() -> None:
    """The known ones are named."""
    with pytest.raises(ConfigError, match="in_process, local_pool, ray"):
        load_executor("moon")


def test_closing_ends_all_workers(pool: LocalPoolExecutor) -> None:
    """No worker outlives its pool."""
    for number in range(4):
        pool.submit(Square(number))
    processes = {outcome.result["process"] for outcome in pool.as_completed() if outcome.result is not None}
    pool.close()

    assert processes
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
