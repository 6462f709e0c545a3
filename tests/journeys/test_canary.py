"""Two versions come to a running server: the bad one is taken back by itself, the good one goes through its steps."""

import contextlib
import dataclasses
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard
from tests.waiting import comes_true

from modelyard import Project
from modelyard.governance import RolloutView, Stage
from modelyard.rollout import Phase
from modelyard.serving import read_predictions

pytestmark = [pytest.mark.journey, pytest.mark.slow]

DEPLOY = {
    "sticky": {"key": "customerID"},
    "strategy": {
        "canary": {
            "steps": [
                {"set_weight": 30},
                {"analysis": "guard"},
                {"set_weight": 60},
                {"pause": {"duration": "4s"}},
                {"set_weight": 100},
            ]
        }
    },
    "analysis": {
        "guard": {
            "interval": "1s",
            "count": 2,
            "min_samples": 40,
            "inconclusive_limit": 300,
            "metrics": [{"name": "latency_p99_ms", "threshold_range": {"max": 5_000}}],  # a busy machine is no fault
        }
    },
}
TRAINING = {"families": ["linear"], "tuning_rounds": 0, "folds": 3}


@dataclasses.dataclass
class Callers:
    """Somebody who asks all the time, and what they were told."""

    rows: list[dict[str, Any]]
    url: str
    statuses: list[int] = dataclasses.field(default_factory=list)
    ids: list[str] = dataclasses.field(default_factory=list)
    versions: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    ends: threading.Event = dataclasses.field(default_factory=threading.Event)

    def ask(self, part: int) -> None:
        """Row after row of every second one; a connection that breaks is tried again, since the server is killed once."""
        rows = self.rows[part::2]
        with httpx.Client(base_url=self.url, timeout=20) as client:
            for number in range(10**9):
                if self.ends.is_set():
                    return
                row = rows[number % len(rows)]
                with contextlib.suppress(httpx.TransportError):
                    response = client.post("/predict", json=row)
                    self.statuses.append(response.status_code)
                    self.ids.append(response.json()["id"])
                    self.versions.setdefault(row["customerID"], []).append(response.json()["version"])


@pytest.fixture
def served(yard: JourneyYard) -> Iterator[Callable[[str], tuple[Any, str]]]:
    """Start a server in a process of its own on a port; says where it listens. What still runs in the end is killed."""
    with contextlib.ExitStack() as stack:

        def start(port: str) -> tuple[Any, str]:
            server = yard.start("serve", "--port", port)
            stack.callback(server.communicate)
            stack.callback(server.kill)
            assert server.stdout is not None
            return server, str(json.loads(server.stdout.readline())["url"])

        yield start


def test_a_bad_version_goes_back_and_a_good_one_comes_through(
    yard: JourneyYard, data_folder: Path, served: Callable[[str], tuple[Any, str]]
) -> None:
    """A version trained on a shuffled target is taken back by the guards; a good one is promoted, although the server is
    killed in the middle of a step; no request is lost, and the ledger tells all of it.
    """
    table = pl.read_parquet(data_folder / "telco_churn.parquet").sample(1_500, seed=3)
    shuffled = table.with_columns(pl.col("Churn").shuffle(seed=1))
    wrong = yard.table("wrong", shuffled)
    owner = yard.project(yard.table("churn", table), "Churn", training=TRAINING, deploy=DEPLOY)
    owner.train(accept="a test")
    owner.evaluate()
    token = yard.release(owner, 1)
    _registered(yard, token, 2, data={"source": str(wrong)})
    _registered(yard, token, 3, data={"exclude": {"gender": "it tells nothing"}})
    colleague = yard.open(token)

    rows = table.drop("Churn").head(400).to_dicts()
    server, url = served("0")
    with _asked(Callers(rows, url)) as callers:
        assert yard.done("deploy", "2", token=token)["state"]["weight"] == 30
        taken_back = _awaited(colleague, lambda view: view.state.phase.is_over)
        assert (taken_back.state.phase, taken_back.state.weight) == (Phase.ABORTED, 0)
        assert "prediction_psi is" in taken_back.state.why
        assert taken_back.numbers["error_rate"][0] == 0.0
        assert yard.done("status")["rollout"] is None
        assert "no rollout is under way" in yard.refused("rollout", "--resume")

        colleague.rollouts.begin(3)
        _awaited(colleague, lambda view: view.state.weight == 60 and view.state.elapsed_s > 1)
        server.kill()
        server.wait()
        killed = _latest(colleague)
        server, _ = served(url.rpartition(":")[2])
        taken_up = _latest(colleague)
        promoted = _awaited(colleague, lambda view: view.state.phase.is_over)
        assert comes_true(lambda: httpx.get(f"{url}/version").json()["version"] == "3", 60)
    server.send_signal(signal.SIGTERM)
    server.wait()

    assert (killed.position, killed.state.phase) == (taken_up.position, Phase.PAUSED)
    assert 1 < killed.state.elapsed_s <= taken_up.state.elapsed_s < 4
    assert promoted.state.phase is Phase.STABLE
    assert set(callers.statuses) == {200}
    _on_record(yard, callers)
    _told(colleague)
    account = yard.done("rollout")
    assert (account["state"]["phase"], account["rollout"]["version"]) == ("stable", 3)
    weights = [change["weight"] for change in account["changes"]]
    assert list(dict.fromkeys(weights)) == [30, 60, 100]
    assert len(weights) <= 5, "a pause for want of data is one more row at most"


def _registered(yard: JourneyYard, token: str, version: int, **changes: Any) -> None:
    """One more version, approved and not promoted."""
    yard.configure(training=TRAINING, deploy=DEPLOY, **changes)
    project = yard.open()
    project.train(accept="a test")
    project.evaluate()
    project.package()
    assert project.register().version == version
    yard.open(token).approve(version, "Let the canary decide.")


@contextlib.contextmanager
def _asked(callers: Callers) -> Iterator[Callers]:
    """Two callers who ask all the time."""
    threads = [threading.Thread(target=callers.ask, args=(part,)) for part in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield callers
    finally:
        callers.ends.set()
        for thread in threads:
            thread.join()


def _latest(project: Project) -> RolloutView:
    found = project.rollouts.latest()
    assert found is not None
    return found[0]


def _awaited(project: Project, condition: Callable[[RolloutView], bool], timeout_s: float = 180.0) -> RolloutView:
    deadline = time.monotonic() + timeout_s
    while not condition(view := _latest(project)):
        assert time.monotonic() < deadline, view
        time.sleep(0.05)
    return view


def _on_record(yard: JourneyYard, callers: Callers) -> None:
    """Every acknowledged answer stands in the log once, with the role of who gave it; and who once heard the good version
    never heard the champion again.
    """
    log = read_predictions(yard.root / ".modelyard" / "predictions")
    assert set(callers.ids) <= set(log["id"])
    assert log["id"].n_unique() == log.height
    assert set(log["role"]) == {"stable", "baseline", "canary"}
    by_version = log.filter(pl.col("role") == "canary")["version"].unique().sort().to_list()
    assert by_version == ["2", "3"]
    heard = [[version for version in versions if version != "2"] for versions in callers.versions.values()]
    assert all(versions == sorted(versions) for versions in heard)


def _told(project: Project) -> None:
    """The ledger's account, in order, and that it holds."""
    actions = [(row.action, row.subject) for row in project.ledger().rows() if row.action.startswith("rollout.")]
    bad, good = ([action for action, subject in actions if subject.endswith(f"/{number}")] for number in (2, 3))
    registry = {version.version: version.stage for version in project._registry.versions()}

    assert bad[0] == good[0] == "rollout.started"
    assert (bad[-1], good[-2:]) == ("rollout.aborted", ["rollout.promoting", "rollout.stable"])
    assert registry == {1: Stage.RETIRED, 2: Stage.APPROVED, 3: Stage.PRODUCTION}
    assert project.status().ledger_ok
