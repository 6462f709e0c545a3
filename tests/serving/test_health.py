"""Golden rows are replayed while the server runs, and a scorer that no longer agrees answers no longer."""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from modelyard.core import IntegrityError
from modelyard.packaging.scorer import Scores
from modelyard.serving import ServingApp
from modelyard.serving.health import replayed

Call = Callable[..., Any]


@pytest.fixture
def spoil(app: ServingApp, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Let the scorer answer otherwise than it was packaged, from now on."""
    scorer = app.endpoint.active.scorer
    honest = scorer.score_rows

    def exchange(change: Callable[[Scores], Scores] | None) -> None:
        app.golden._looked = -10.0  # as if a second had passed
        monkeypatch.setattr(scorer, "score_rows", honest if change is None else lambda rows: change(honest(rows)))

    return exchange


def test_a_good_scorer_is_replayed_on_demand(app: ServingApp, call: Call) -> None:
    """The answer tells rows, difference and tolerance; the gauges tell the same."""
    before = call("GET", "/metrics").body.decode()
    answer = call("GET", "/health/golden")
    found = answer.json()
    after = call("GET", "/metrics").body.decode()

    assert (answer.status, found["ok"], found["out_of_range"]) == (200, True, 0)
    assert found["parity"]["rows"] == len(app.endpoint.active.scorer.golden.rows)
    assert "modelyard_golden_ok" not in before
    assert "modelyard_golden_ok 1\n" in after
    assert f"modelyard_golden_rows {found['parity']['rows']}\n" in after


def test_a_scorer_that_drifts_stops_answering_and_comes_back(
    app: ServingApp, call: Call, row: dict[str, Any], spoil: Callable[[Any], None]
) -> None:
    """A planted difference of 0.001 makes ready false and refuses rows; once it is gone, answers are given again."""
    spoil(lambda scores: scores + 0.001)
    still = call("POST", "/predict", row).status
    found = call("GET", "/health/golden")
    states = (call("GET", "/health/ready").status, call("POST", "/predict", row).status, call("GET", "/ping").status)
    gauges = call("GET", "/metrics").body.decode()
    spoil(None)
    healed = call("GET", "/health/golden").status

    assert (still, found.status, states) == (200, 503, (503, 503, 503))
    assert found.json()["parity"]["max_abs_difference"] == pytest.approx(0.001, abs=1e-6)
    assert "modelyard_golden_ok 0\n" in gauges
    assert "modelyard_ready 0\n" in gauges
    assert (healed, call("GET", "/health/ready").status, call("POST", "/predict", row).status) == (200, 200, 200)


def test_predictions_out_of_range_are_counted(app: ServingApp, spoil: Callable[[Any], None]) -> None:
    """Answers that no golden row may have, and such that are no numbers, are told from small differences."""
    rows = len(app.endpoint.active.scorer.golden.rows)
    spoil(lambda scores: scores + 2)
    far = replayed(app.endpoint.active)
    spoil(lambda scores: scores * float("nan"))
    broken = replayed(app.endpoint.active)

    assert (far.out_of_range, broken.out_of_range) == (rows, rows)
    assert not far.ok
    assert not broken.ok


def test_a_scorer_that_fails_disagrees(app: ServingApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the native library is no crash of the watch."""

    def fail(rows: object) -> None:
        raise IntegrityError("planted")

    monkeypatch.setattr(app.endpoint.active.scorer, "score_rows", fail)

    assert not replayed(app.endpoint.active).ok


def test_asking_often_costs_little(app: ServingApp, call: Call) -> None:
    """Within a second the last replay is told again; another model is replayed at once."""
    first, second = (call("GET", "/health/golden").json()["at"] for _ in range(2))
    app.endpoint.active = dataclasses.replace(app.endpoint.active, version="2")
    third = call("GET", "/health/golden").json()

    assert first == second
    assert (third["version"], third["at"] > first) == ("2", True)


def test_the_server_looks_by_itself(app: ServingApp, spoil: Callable[[Any], None]) -> None:
    """Between startup and shutdown golden rows are replayed every so often, without a request."""
    app.settings = dataclasses.replace(app.settings, golden_s=0.02)
    spoil(lambda scores: scores + 0.5)

    async def live() -> None:
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        sent: asyncio.Queue[Any] = asyncio.Queue()
        await messages.put({"type": "lifespan.startup"})
        life = asyncio.create_task(app({"type": "lifespan"}, messages.get, sent.put))
        await sent.get()
        for _ in range(1_000):
            await asyncio.sleep(0.02)
            if not app.endpoint.active.is_verified:
                break
        await messages.put({"type": "lifespan.shutdown"})
        await life

    asyncio.run(live())

    assert not app.endpoint.active.is_verified
