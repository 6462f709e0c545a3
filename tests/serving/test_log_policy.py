"""What the log's policy says is what happens: personal cells, and a log that takes nothing."""

import json
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from modelyard.core import ConfigError
from modelyard.serving import (
    Endpoint,
    LogPolicy,
    ServingApp,
    ServingSettings,
    activate,
    read_feedback,
    read_gaps,
    read_predictions,
)
from modelyard.serving.prediction_log import Privacy

if TYPE_CHECKING:
    from tests.serving.conftest import Call, StartServer

MakeApp = Callable[[LogPolicy], ServingApp]


@pytest.fixture
def app_with(package_folder: Path, tmp_path: Path) -> Iterator[MakeApp]:
    """Applications in this process with a policy."""
    made: list[ServingApp] = []

    def make(policy: LogPolicy) -> ServingApp:
        folder = tmp_path / (f"log-{len(made)}" if made else "log")
        settings = ServingSettings(package_folder, folder, log=policy)
        made.append(ServingApp(Endpoint(activate(package_folder)), settings))
        return made[-1]

    yield make
    for app in made:
        app.answering.predictions.close()
        app.answering.feedback.close()


def test_personal_cells_are_never_written(tmp_path: Path, app_with: MakeApp, ask: "Call", row: dict[str, Any]) -> None:
    """Answers are the same; in the log a hashed column has codes and a dropped one is not there, in files and rows."""
    sink = f"sqlite:///{tmp_path / 'log.db'}"
    rules = {"Contract": "hash", "tenure": "hash", "MonthlyCharges": "drop"}
    policy = LogPolicy(personal=rules, key=tmp_path / "key" / "log.key", sink=sink, ship_s=0.05)
    app, plain = app_with(policy), app_with(LogPolicy())
    rows = [{**row, "tenure": 7}, {**row, "tenure": 7.0}, {**row, "Contract": None, "MonthlyCharges": 60.25}]
    scores = [ask(one, "POST", "/predict", rows).json()["predictions"] for one in (app, plain)]
    app.answering.predictions.close()
    app.answering.keeper._shipper.close()  # type: ignore[union-attr]
    raw = next((tmp_path / "log").glob("*.jsonl")).read_text()
    frame = read_predictions(sink)
    codes = frame["feature.Contract"].to_list()

    assert [one["score"] for one in scores[0]] == [one["score"] for one in scores[1]]
    assert "One year" not in raw
    assert "60.25" not in raw
    assert "MonthlyCharges" not in raw.partition("\n")[2]
    assert codes[0] == codes[1] != "One year"
    assert (len(codes[0]), codes[2]) == (32, None)
    assert frame["feature.tenure"].n_unique() == 2  # 7 and 7.0 are one, 3 is another
    assert frame["feature.since"].null_count() == 0
    assert (tmp_path / "key" / "log.key").stat().st_mode & 0o077 == 0


def test_codes_belong_to_the_key(tmp_path: Path) -> None:
    """The same key gives the same codes in any process; another key gives others; a broken key is refused."""
    rules = {"name": "hash"}
    first, second = (Privacy(LogPolicy(personal=rules, key=tmp_path / "a"), ["name"]) for _ in range(2))
    other = Privacy(LogPolicy(personal=rules, key=tmp_path / "b"), ["name"])

    assert first.code("Ann") == second.code("Ann") != other.code("Ann")
    assert first.code("Ann") != first.code("ann")
    (tmp_path / "a").write_text("short")
    with pytest.raises(ConfigError, match="the key for hashes cannot be used"):
        Privacy(LogPolicy(personal=rules, key=tmp_path / "a"), ["name"])


def test_policies_that_make_no_sense(tmp_path: Path, app_with: MakeApp) -> None:
    """A column that the model does not know, a hash without a key, an unknown word: refused at the start."""
    with pytest.raises(ConfigError, match=r"the model has no such column; got 'Tenure'"):
        app_with(LogPolicy(personal={"Tenure": "drop"}))
    with pytest.raises(ConfigError, match="a hash that keeps a secret needs a key"):
        LogPolicy(personal={"tenure": "hash"})
    with pytest.raises(ConfigError, match="does not know this word"):
        LogPolicy(on_full="ignore")
    with pytest.raises(ConfigError, match="does not know this word"):
        LogPolicy(personal={"tenure": "encrypt"})


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], None]]:
    """Make every file as long as it may be, or not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda on: resource.setrlimit(resource.RLIMIT_FSIZE, (100 if on else soft, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_serving_goes_on_without_a_record_if_so_chosen(
    tmp_path: Path, app_with: MakeApp, ask: "Call", row: dict[str, Any], full: Callable[[bool], None]
) -> None:
    """While the disk is full answers leave, marked and counted; feedback does not; afterwards the log has the gap."""
    app = app_with(LogPolicy(on_full="answer"))
    before = ask(app, "POST", "/predict", row)
    full(True)
    try:
        during = [ask(app, "POST", "/predict", [row] * 2) for _ in range(3)]
        ready = ask(app, "GET", "/health/ready")
        metrics = ask(app, "GET", "/metrics").body.decode()
        feedback = ask(app, "POST", "/feedback", {"id": before.json()["id"], "label": "Yes"})
    finally:
        full(False)
    after = ask(app, "POST", "/predict", row)
    gaps = read_gaps(tmp_path / "log")

    assert [answer.status for answer in during] == [200, 200, 200]
    assert [answer.headers.get("x-modelyard-log") for answer in (before, *during, after)] == [
        None,
        *["left-out"] * 3,
        None,
    ]
    assert (ready.status, feedback.status) == (200, 503)
    assert "modelyard_log_left_out_total 6\n" in metrics
    assert gaps["answers"].to_list() == [6]
    assert gaps["at"][0] <= gaps["until"][0]
    assert sorted(read_predictions(tmp_path / "log")["id"]) == sorted([before.json()["id"], after.json()["id"]])
    assert read_feedback(tmp_path / "log").height == 0


def test_a_copy_that_is_too_far_behind_is_a_full_log(
    tmp_path: Path, app_with: MakeApp, ask: "Call", row: dict[str, Any]
) -> None:
    """The segments may grow to a limit while the database is down; then the policy for a full log holds."""
    sink = f"sqlite:///{tmp_path / 'later' / 'log.db'}"
    policies = [
        LogPolicy(on_full=word, sink=sink, max_backlog_bytes=3_000, ship_s=0.02) for word in ("refuse", "answer")
    ]
    for policy, status, mark in zip(policies, (503, 200), (None, "left-out"), strict=True):
        app = app_with(policy)
        shipper = app.answering.keeper._shipper
        assert shipper is not None
        while shipper.backlog_bytes <= 3_000:
            ask(app, "POST", "/predict", row)
        answer = ask(app, "POST", "/predict", row)
        shipper.close()

        assert (answer.status, answer.headers.get("x-modelyard-log")) == (status, mark)


def test_a_small_disk_and_a_server_that_answers(
    start_server: "StartServer", row: dict[str, Any], small_disk: Path
) -> None:
    """On a disk that runs full a real server goes on answering, and logs the gap when there is space."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 900_000)
    server = start_server("--log-on-full", "answer", log=small_disk / "log")
    logged, left_out = [], 0
    with httpx.Client(base_url=server.url) as client:
        while left_out < 5:
            response = client.post("/predict", json=row)
            assert response.status_code == 200
            marked = response.headers.get("x-modelyard-log") == "left-out"
            left_out += marked
            logged += [] if marked else [response.json()["id"]]
        ready = client.get("/health/ready").status_code
        ballast.unlink()
        logged.append(client.post("/predict", json=row).json()["id"])
    server.process.terminate()
    _, errors = server.process.communicate(timeout=30)
    said = [json.loads(line)["message"] for line in errors.splitlines()]

    assert ready == 200
    assert sorted(read_predictions(small_disk / "log")["id"]) == sorted(logged)
    assert read_gaps(small_disk / "log")["answers"].to_list() == [5]
    assert said[0].startswith("answers leave without a record: ")
    assert said[-1] == "answers are on record again"
