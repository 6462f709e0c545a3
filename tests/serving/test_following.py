"""The server follows the deployment log: what is in production answers, and what cannot be used does not."""

import asyncio
import dataclasses
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.serving.conftest import ask_app

from modelyard.core import StateError
from modelyard.serving import Endpoint, ServingApp, ServingSettings, activate, read_predictions
from modelyard.serving.endpoint import ActiveModel
from modelyard.serving.following import Deployed, Follower

Call = Callable[..., Any]


@dataclasses.dataclass
class Log:
    """A deployment log of one row, which a test overwrites."""

    now: Deployed | None = None
    fails: bool = False
    heard: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def current(self) -> Deployed | None:
        """What the test says."""
        if self.fails:
            raise StateError("the ledger is locked", where="ledger.db", cure="Wait")
        return self.now

    def answers(self, model: ActiveModel, before: ActiveModel) -> None:
        """Remember who took whose place."""
        self.heard.append((model.digest, before.digest))


@pytest.fixture
def log() -> Log:
    """A deployment log."""
    return Log()


@pytest.fixture
def follower(app: ServingApp, log: Log) -> Follower:
    """The follower of the application in this process, which a test tells to look."""
    return Follower(app.endpoint, log, on_swap=app.answering.take_over)


def deployed(folder: Path) -> Deployed:
    """A package as the deployment log has it."""
    return Deployed(activate(folder).digest, folder)


def test_what_is_deployed_answers(
    app: ServingApp, call: Call, row: dict[str, Any], log: Log, follower: Follower, other_package: Path
) -> None:
    """After a look the other package answers, the log of deployments hears of it, and predictions name its digest."""
    first, log.now = app.endpoint.active, deployed(other_package)
    call("POST", "/predict", row)

    assert asyncio.run(follower.look())
    call("POST", "/predict", row)
    assert not asyncio.run(follower.look())
    assert app.endpoint.active.digest == log.now.digest
    assert log.heard == [(log.now.digest, first.digest)]
    assert set(read_predictions(app.settings.log_folder)["digest"]) == {first.digest, log.now.digest}


def test_the_model_before_stays_loaded(
    app: ServingApp, log: Log, follower: Follower, other_package: Path, tmp_path: Path
) -> None:
    """A way back needs nothing from the disk: the folder of the package before may even be gone."""
    first, log.now = app.endpoint.active, deployed(other_package)
    asyncio.run(follower.look())
    log.now = Deployed(first.digest, tmp_path / "gone")

    assert asyncio.run(follower.look())
    assert app.endpoint.active is first


@pytest.mark.parametrize("damage", ["changed", "absent", "exchanged"])
def test_what_cannot_be_used_does_not_answer(
    damage: str,
    app: ServingApp,
    log: Log,
    follower: Follower,
    other_package: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A package that is changed, absent or another one is refused once, and the one before goes on answering."""
    first, folder = app.endpoint.active, tmp_path / "package"
    good = deployed(other_package)
    shutil.copytree(app.settings.package_folder if damage == "exchanged" else other_package, folder)
    if damage == "changed":
        (folder / "card.md").write_text("a better card")
    if damage == "absent":
        shutil.rmtree(folder)
    log.now = Deployed(good.digest, folder)
    with caplog.at_level(logging.ERROR, logger="modelyard.serving"):
        looks = [asyncio.run(follower.look()) for _ in range(3)]

    assert looks == [False, False, False]
    assert app.endpoint.active is first
    assert [record.message for record in caplog.records] == [
        "the deployed package cannot be used, so the one before goes on answering"
    ]
    log.now = good
    assert not asyncio.run(follower.look())  # the same digest was refused
    log.now = Deployed(first.digest, app.settings.package_folder)
    assert not asyncio.run(follower.look())


def test_a_log_that_cannot_be_read_changes_nothing(
    app: ServingApp, log: Log, follower: Follower, other_package: Path
) -> None:
    """While the deployment log cannot be read nothing is swapped; afterwards it is."""
    log.now, log.fails = deployed(other_package), True
    assert not asyncio.run(follower.look())
    log.fails = False
    assert asyncio.run(follower.look())
    assert app.endpoint.active.digest == log.now.digest


def test_the_application_looks_by_itself(
    settings: ServingSettings, log: Log, other_package: Path, ask: Call, row: dict[str, Any]
) -> None:
    """From the server's start to its end the deployment log is looked at, and no request is refused while it changes."""
    settings = dataclasses.replace(settings, follow_s=0.01)
    app = ServingApp(Endpoint(activate(settings.package_folder)), settings, deployments=log)
    first, second = app.endpoint.active, deployed(other_package)

    async def life() -> list[int]:
        incoming: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        outgoing: asyncio.Queue[Any] = asyncio.Queue()
        lifespan = asyncio.create_task(app({"type": "lifespan"}, incoming.get, outgoing.put))
        await incoming.put({"type": "lifespan.startup"})
        await outgoing.get()
        log.now = second
        statuses = [await predicted()]
        while app.endpoint.active is first:
            statuses.append(await predicted())
        await incoming.put({"type": "lifespan.shutdown"})
        await lifespan
        return statuses

    async def predicted() -> int:
        await asyncio.sleep(0.005)
        return (await ask_app(app, "POST", "/predict", json.dumps(row).encode(), {})).status

    assert set(asyncio.run(asyncio.wait_for(life(), 60))) == {200}
    assert log.heard == [(second.digest, first.digest)]
