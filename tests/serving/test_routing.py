"""The router and its conductor: variants, shadows and verdicts, with the champion behind whatever a new version does."""

import asyncio
import dataclasses
import datetime as dt
import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.plans import plan
from tests.serving.conftest import Response, ask_app

from modelyard.core import StateError
from modelyard.governance import Rollout, RolloutView
from modelyard.problem.schema import Costs
from modelyard.rollout import Phase, Reading, State, Strategy, start
from modelyard.serving import ServingApp, activate, read_predictions, record_feedback
from modelyard.serving.endpoint import ActiveModel
from modelyard.serving.following import Follower
from modelyard.serving.prediction_log import LogPolicy, PredictionLog
from modelyard.serving.prediction_log.policy import Privacy
from modelyard.serving.routing import Conductor, Router
from modelyard.serving.routing.figures import figures_of
from modelyard.serving.routing.outcomes import Outcomes
from modelyard.serving.routing.shadow import ShadowLane
from modelyard.serving.routing.tally import Window

PATIENT = {"name": "latency_p99_ms", "threshold_range": {"max": 60_000}}
"""A busy machine is no fault of a version."""


class Wrong:
    """A scorer that a test breaks; for the rest it is the real one."""

    def __init__(self, scorer: Any, scores: Callable[[Any], Any]) -> None:
        self._scorer = scorer
        self._scores = scores

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scorer, name)

    def score_rows(self, rows: Sequence[Any]) -> Any:
        """What the test makes of the scores."""
        return self._scores(self._scorer.score_rows(rows))


def broken(model: ActiveModel, scores: Callable[[Any], Any]) -> ActiveModel:
    """The model with other scores."""
    return dataclasses.replace(model, scorer=Wrong(model.scorer, scores))  # type: ignore[arg-type]


def refuse(_scores: Any) -> Any:
    """A scorer that fails."""
    raise ValueError("out of order")


@pytest.fixture(scope="session")
def candidate(other_package: Path) -> ActiveModel:
    """The version that is rolled out."""
    return activate(other_package)


def rollout(
    candidate: ActiveModel, kind: Strategy = Strategy.CANARY, *, key: str | None = None, **deploy: Any
) -> Rollout:
    """One with quick looks, of a few requests each."""
    metrics = [PATIENT, *deploy.pop("metrics", [])]
    guard = {"interval": "1s", "count": 1, "min_samples": 20, "inconclusive_limit": 1000, "metrics": metrics}
    guard |= deploy.pop("guard", {})
    steps = [{"set_weight": 40}, {"analysis": "guard"}, {"set_weight": 100}]
    section = {
        "sticky": {"key": key},
        "strategy": {"canary": {"steps": steps}, **deploy},
        "analysis": {"guard": guard},
    }
    begun_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Rollout("a-rollout", "telco-churn", 2, candidate.digest, 1, plan(kind, **section), "ada", begun_at)


@dataclasses.dataclass
class Source:
    """A rollout in memory; a test sees what is decided, and may say that another process drives."""

    view: RolloutView | None
    folder: Path
    is_led: bool = True
    fails: bool = False
    heard: list[tuple[Phase, int, str]] = dataclasses.field(default_factory=list)
    completed: int = 0
    broken_glass: int = 0
    costs: Costs = dataclasses.field(default_factory=Costs)

    def current(self) -> RolloutView | None:
        """The rollout, until it is over."""
        return None if self.view is None or self.view.state.phase.is_over else self.view

    def package(self, view: RolloutView) -> Path:
        """The candidate's folder."""
        return self.folder

    def lead(self, view: RolloutView, progress: State) -> State | None:
        """As the test says."""
        return progress if self.is_led else None

    def change(self, view: RolloutView, state: State, readings: Sequence[Reading]) -> bool:
        """Remember."""
        if self.fails:
            raise StateError("the ledger is locked", where="ledger.db", cure="Wait")
        self.view = dataclasses.replace(view, state=state, position=view.position + 1)
        self.heard.append((state.phase, state.weight, state.why))
        return True

    def complete(self) -> None:
        """The version is in production."""
        self.completed += 1
        if self.view is not None:
            self.view = dataclasses.replace(self.view, state=State(Phase.STABLE))


def divided(app: ServingApp, rollout: Rollout, candidate: ActiveModel, lane: ShadowLane | None = None) -> Router:
    """Let a router at its first step divide the application's requests."""
    router = Router(rollout, candidate, lane)
    router.follow(start(rollout.plan))
    app.answering.routing.router = router
    return router


def rows_of(row: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Rows of different customers."""
    return [{**row, "tenure": number % 70, "customer": f"c{number}"} for number in range(count)]


def posted(app: ServingApp, rows: Any, path: str = "/predict") -> Any:
    """What the application answers."""
    return asyncio.run(ask_app(app, "POST", path, json.dumps(rows).encode(), {})).json()


def test_rows_keep_their_variant_and_their_order(app: ServingApp, row: dict[str, Any], candidate: ActiveModel) -> None:
    """With a key each row of a request goes by its own: the same customer to the same variant, answers in their order,
    scored as the variant scores, and on record with the variant's role.
    """
    champion = app.endpoint.active
    divided(app, rollout(candidate, key="customer"), candidate)
    rows = rows_of(row, 200)
    first, second = posted(app, rows)["predictions"], posted(app, rows[::-1])["predictions"][::-1]
    log = read_predictions(app.settings.log_folder)
    roles = dict(zip(log["id"], log["role"], strict=True))
    by_first = [roles[answer["id"]] for answer in first]

    assert by_first == [roles[answer["id"]] for answer in second]
    assert {role: round(by_first.count(role) / 200, 1) for role in set(by_first)} == {
        "canary": 0.4,
        "baseline": 0.4,
        "stable": 0.2,
    }
    expected = {"canary": candidate.scorer.score_rows(rows), "stable": champion.scorer.score_rows(rows)}
    for number, (answer, role) in enumerate(zip(first, by_first, strict=True)):
        assert answer["score"] == pytest.approx(expected["canary" if role == "canary" else "stable"][number], abs=1e-9)


def test_without_a_key_a_request_goes_as_a_whole(app: ServingApp, row: dict[str, Any], candidate: ActiveModel) -> None:
    """Nobody could tell its rows apart, so one variant answers all of them; each request is drawn anew."""
    router = divided(app, rollout(candidate), candidate)
    requests = [posted(app, rows_of(row, 5))["predictions"] for _ in range(60)]
    log = read_predictions(app.settings.log_folder)
    roles = dict(zip(log["id"], log["role"], strict=True))
    by_request = [{roles[answer["id"]] for answer in answers} for answers in requests]

    assert all(len(found) == 1 for found in by_request)
    assert set.union(*by_request) >= {"canary", "baseline"}
    assert sum(router.tallies[role].requests for role in ("canary", "baseline", "stable")) == 60


@pytest.mark.parametrize(
    ("scores", "counted"),
    [
        (refuse, "errors"),
        (lambda scores: scores * np.nan, "invalid"),
        (lambda scores: scores + 2, "invalid"),
    ],
)
def test_whatever_a_version_does_the_champion_answers(
    scores: Callable[[Any], Any], counted: str, app: ServingApp, row: dict[str, Any], candidate: ActiveModel
) -> None:
    """A version that fails, or gives what is no probability, loses no request: it is counted, the champion answers."""
    router = divided(app, rollout(candidate, key="customer"), broken(candidate, scores))
    answers = posted(app, rows_of(row, 100))["predictions"]
    expected = app.endpoint.active.scorer.score_rows(rows_of(row, 100))

    assert [answer["score"] for answer in answers] == pytest.approx(expected.tolist(), abs=1e-9)
    assert {answer["version"] for answer in answers} == {"1"}
    assert getattr(router.tallies["canary"], counted) == 1
    assert set(read_predictions(app.settings.log_folder)["role"]) == {"stable", "baseline"}


def test_a_named_version_is_the_champion(app: ServingApp, row: dict[str, Any], candidate: ActiveModel) -> None:
    """Who asks for a version by its number gets that one, whatever is rolled out."""
    router = divided(app, rollout(candidate), candidate)
    router.share = 1.0
    inputs = [
        {"name": name, "shape": [1], "datatype": kind, "data": [row[name]]}
        for name, kind in (("tenure", "INT64"), ("Contract", "BYTES"), ("MonthlyCharges", "FP64"), ("since", "BYTES"))
    ]
    inputs.append({"name": "PaperlessBilling", "shape": [1], "datatype": "BOOL", "data": [True]})
    inputs.append({"name": "TotalCharges", "shape": [1], "datatype": "FP64", "data": [20.0]})
    model = app.endpoint.active
    posted(app, {"inputs": inputs}, f"/v2/models/{model.name}/versions/{model.version}/infer")
    posted(app, {"inputs": inputs}, f"/v2/models/{model.name}/infer")

    assert read_predictions(app.settings.log_folder)["role"].to_list() == ["stable", "canary"]


def test_a_shadow_changes_no_answer(app: ServingApp, row: dict[str, Any], candidate: ActiveModel) -> None:
    """Its answers stand in the log under the ids of the real ones, apart from them, and are compared."""
    shadow = rollout(candidate, Strategy.SHADOW)

    async def life() -> tuple[list[Response], Router]:
        log = PredictionLog(app.settings.log_folder, columns=candidate.kinds)
        router = divided(app, shadow, candidate)
        router.lane = ShadowLane(
            candidate, log, Privacy(LogPolicy(personal={"Contract": "drop"}), candidate.columns), router.hear
        )
        bodies = [json.dumps(one).encode() for one in rows_of(row, 30)]
        answers = [await ask_app(app, "POST", "/predict", body, {}) for body in bodies]
        while router.tallies["shadow"].requests < 30:  # noqa: ASYNC110 - counts come from a thread, which sets no event
            await asyncio.sleep(0.01)
        await asyncio.to_thread(router.close)
        return answers, router

    answers, router = asyncio.run(asyncio.wait_for(life(), 60))
    given, shadows = read_predictions(app.settings.log_folder), read_predictions(app.settings.log_folder, shadows=True)
    figures = figures_of(router.tallies["shadow"].window, router.tallies["stable"].window)

    assert [answer.json()["id"] for answer in answers] == given["id"].to_list() == shadows["id"].to_list()
    assert (set(given["digest"]), set(shadows["digest"])) == ({app.endpoint.active.digest}, {candidate.digest})
    assert "feature.Contract" in given.columns
    assert shadows.get_column("feature.Contract", default=pl.Series([None])).null_count() == len(
        shadows
    )  # by the log's policy
    difference = (given["score"] - shadows["score"]).abs().mean()
    assert figures["score_difference"].value == pytest.approx(difference)
    assert figures["agreement_rate"].value == (given["label"] == shadows["label"]).mean()


def test_a_slow_shadow_drops_and_delays_nobody(app: ServingApp, row: dict[str, Any], candidate: ActiveModel) -> None:
    """A version that takes half a second a request: hundreds of answers leave at once, and what it misses is counted."""

    def slowly(scores: Any) -> Any:
        time.sleep(0.5)
        return scores

    async def life() -> tuple[float, int]:
        log = PredictionLog(app.settings.log_folder, columns=candidate.kinds)
        router = divided(app, rollout(candidate, Strategy.SHADOW), candidate)
        router.lane = ShadowLane(broken(candidate, slowly), log, Privacy(LogPolicy(), candidate.columns), router.hear)
        latencies = []
        for one in rows_of(row, 400):
            began = time.perf_counter()
            await ask_app(app, "POST", "/predict", json.dumps(one).encode(), {})
            latencies.append(time.perf_counter() - began)
        await asyncio.to_thread(router.close)
        return float(np.median(latencies)), router.lane.dropped

    median_s, dropped = asyncio.run(asyncio.wait_for(life(), 120))
    assert median_s < 0.25
    assert 400 > dropped > 0


async def conducted(
    app: ServingApp, source: Source, row: dict[str, Any], until: Callable[[], bool], *, requests: int = 30
) -> list[int]:
    """Look as the server does, with requests between the looks; a look of the machine is due each time."""
    follower = Follower(app.endpoint, _Nothing(), on_swap=app.answering.take_over)
    routing = app.answering.routing
    conductor = Conductor(app.endpoint, routing, source, app.settings, keep=follower.keep)
    statuses: list[int] = []
    for _ in range(60):
        conductor._seen_at -= 1.0  # a second goes by
        await conductor.look()
        if until():
            break
        bodies = [json.dumps(one).encode() for one in rows_of(row, requests)]
        statuses += [(await ask_app(app, "POST", "/predict", body, {})).status for body in bodies]
    await conductor.close()
    return statuses


class _Nothing:
    """A deployment log that says nothing."""

    def current(self) -> None:
        """Nothing is deployed."""

    def answers(self, model: ActiveModel, before: ActiveModel) -> None:
        """Nobody listens."""


def begun(candidate: ActiveModel, folder: Path, kind: Strategy = Strategy.CANARY, **deploy: Any) -> Source:
    """A rollout at its beginning."""
    found = rollout(candidate, kind, **deploy)
    return Source(RolloutView(found, 1, start(found.plan), {}), folder)


LENIENT = [{"name": "prediction_psi", "threshold_range": {"max": 9}}]


def test_a_good_version_is_promoted(
    app: ServingApp, row: dict[str, Any], candidate: ActiveModel, other_package: Path
) -> None:
    """Every request is answered, the version goes on after a look in which all held, and is loaded for its new place."""
    source = begun(candidate, other_package, metrics=LENIENT)
    statuses = asyncio.run(conducted(app, source, row, lambda: source.completed > 0))

    assert set(statuses) == {200}
    assert [(phase, weight) for phase, weight, _ in source.heard if phase is not Phase.PAUSED][-1] == (
        Phase.PROMOTING,
        100,
    )
    assert app.answering.routing.router is None


def test_a_bad_version_is_taken_back(
    app: ServingApp, row: dict[str, Any], candidate: ActiveModel, other_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that fails loses its requests within a look, with the figure as the reason, and nobody got anything but an answer."""
    monkeypatch.setattr("modelyard.serving.routing.conductor.activate", lambda *_: broken(candidate, refuse))
    source = begun(candidate, other_package)
    statuses = asyncio.run(conducted(app, source, row, lambda: app.answering.routing.aborted > 0))

    assert set(statuses) == {200}
    assert source.heard[-1] == (Phase.ABORTED, 0, "error_rate is 1, above 0.01")
    assert set(read_predictions(app.settings.log_folder)["role"]) <= {"stable", "baseline"}


def test_a_moved_distribution_is_taken_back(
    app: ServingApp, row: dict[str, Any], candidate: ActiveModel, other_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that calls everybody safe fails at no request, and yet is taken back."""
    monkeypatch.setattr(
        "modelyard.serving.routing.conductor.activate", lambda *_: broken(candidate, lambda s: s * 0.01)
    )
    source = begun(candidate, other_package, guard={"min_samples": 100, "count": 2})
    asyncio.run(conducted(app, source, row, lambda: app.answering.routing.aborted > 0, requests=90))

    assert source.heard[-1][0] is Phase.ABORTED
    assert "prediction_psi is" in source.heard[-1][2]


def test_what_cannot_be_used_never_answers(app: ServingApp, row: dict[str, Any], candidate: ActiveModel) -> None:
    """A folder with another package than the approved one: aborted before a single request."""
    source = begun(candidate, app.settings.package_folder)
    asyncio.run(conducted(app, source, row, lambda: bool(source.heard)))

    assert source.heard == [
        (Phase.ABORTED, 0, "it cannot be used: the folder holds another package than the one that was approved")
    ]


def test_another_process_drives(
    app: ServingApp, row: dict[str, Any], candidate: ActiveModel, other_package: Path
) -> None:
    """Without the lease a process divides its requests, decides nothing, and follows what is decided elsewhere."""
    source = begun(candidate, other_package)
    source.is_led = False
    looks = iter(range(100))
    asyncio.run(conducted(app, source, row, lambda: next(looks) >= 4))
    assert source.heard == []
    assert "canary" in set(read_predictions(app.settings.log_folder)["role"])

    assert source.view is not None
    source.view = dataclasses.replace(source.view, state=State(Phase.ABORTED), position=2)
    asyncio.run(conducted(app, source, row, lambda: True))
    assert app.answering.routing.router is None


def test_requests_come_back_before_the_ledger_hears(
    app: ServingApp, row: dict[str, Any], candidate: ActiveModel, other_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the ledger takes nothing a failed version gets no request; afterwards the end is written down."""
    monkeypatch.setattr("modelyard.serving.routing.conductor.activate", lambda *_: broken(candidate, refuse))
    source = begun(candidate, other_package)
    source.fails = True
    shares: list[float] = []

    def until() -> bool:
        router = app.answering.routing.router
        shares.append(router.share if router else -1.0)
        source.fails = shares.count(0.0) < 3
        return bool(source.heard)

    asyncio.run(conducted(app, source, row, until))
    assert shares[0] == 0.4
    assert shares.count(0.0) >= 3
    assert source.heard == [(Phase.ABORTED, 0, "error_rate is 1, above 0.01")]


def test_metrics_tell_the_variants(app: ServingApp, row: dict[str, Any], candidate: ActiveModel) -> None:
    """Requests by role, the weight and the phase, in Prometheus' format."""
    app._conductor = Conductor(app.endpoint, app.answering.routing, begun(candidate, Path()), app.settings, keep=print)
    divided(app, rollout(candidate, key="customer"), candidate)
    posted(app, rows_of(row, 100))
    app.answering.routing.broken_glass = 1
    text = asyncio.run(ask_app(app, "GET", "/metrics", b"", {})).body.decode()

    assert 'modelyard_rollout_weight{version="1"} 0.4' in text
    assert 'modelyard_rollout_phase{phase="canary"} 1' in text
    assert 'modelyard_variant_requests_total{role="canary"} 1' in text
    assert "modelyard_rollouts_aborted_total 0" in text
    assert "modelyard_broken_glass 1" in text


@pytest.mark.parametrize("size", [30, 200, 5_000])
def test_noise_is_no_drift(size: int) -> None:
    """Equal distributions stay below the default bound in 200 windows of any size; a shift by one deviation does not, where
    there are enough rows to be sure.
    """
    generator = np.random.default_rng(size)
    clean, moved = [], []
    for _ in range(200):
        one, other = generator.normal(size=(2, size))
        clean.append(_psi(one, other))
        moved.append(_psi(one + 1, other))

    assert max(clean) < 0.25
    assert size < 100 or np.mean(np.array(moved) > 0.25) > 0.9


def test_too_few_scores_say_nothing() -> None:
    """Eight scores against eight others: even if all have moved, that is no evidence, neither for nor against."""
    moved = Window(scores=deque([0.9] * 8))
    figure = figures_of(moved, Window(scores=deque(np.linspace(0, 0.5, 8).tolist())))["prediction_psi"]

    assert (figure.value, figure.samples) == (None, 8)


def _psi(one: Any, other: Any) -> float:
    first, second = Window(scores=deque(one.tolist())), Window(scores=deque(other.tolist()))
    value = figures_of(first, second)["prediction_psi"].value
    assert value is not None
    return value


def test_outcomes_join_labels_to_variants(app: ServingApp, row: dict[str, Any], candidate: ActiveModel) -> None:
    """Labels that came back become money and quality of each variant, by the ids of their answers."""
    divided(app, rollout(candidate, Strategy.AB, key="customer"), candidate)
    answers = posted(app, rows_of(row, 200))["predictions"]
    feedback = [{"id": answer["id"], "label": "Yes", "at": "2026-01-02T00:00:00Z"} for answer in answers]
    record_feedback(app.settings.log_folder, feedback)
    costs = Costs(true_positive=80, false_negative=-100)
    outcomes = Outcomes(app.settings.log_folder, costs, ("No", "Yes"))
    figures = outcomes.figures(("money", "accuracy", "brier"), candidate.digest, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    log = read_predictions(app.settings.log_folder).filter(pl.col("role") == "canary")
    share = float((log["label"] == "Yes").cast(pl.Float64).to_numpy().mean())
    brier = float(((1 - log["score"].to_numpy()) ** 2).mean())

    assert figures["accuracy"].value == pytest.approx(share)
    assert figures["money"].value == pytest.approx(80 * share - 100 * (1 - share))
    assert figures["brier"].value == pytest.approx(-brier)
    assert figures["accuracy"].samples + figures["accuracy"].other_samples == 200


@pytest.mark.parametrize(("right", "phase"), [("canary", Phase.PROMOTING), ("baseline", Phase.ABORTED)])
def test_the_better_of_two_wins_by_its_labels(
    right: str, phase: Phase, app: ServingApp, row: dict[str, Any], candidate: ActiveModel, other_package: Path
) -> None:
    """A/B: nothing is decided before labels come; then the version whose answers came true wins, whichever it is."""
    source = begun(candidate, other_package, Strategy.AB, key="customer", metrics=LENIENT, ab={"min_samples": 30})
    looks = iter(range(1000))

    def until() -> bool:
        if next(looks) == 3:
            assert source.heard == []
            log = read_predictions(app.settings.log_folder)
            said = log.select("id", is_right=pl.col("role") == right, said=pl.col("label") == "Yes")
            record_feedback(
                app.settings.log_folder,
                [
                    {"id": id_, "label": "Yes" if is_right == said else "No", "at": "2026-01-02T00:00:00Z"}
                    for id_, is_right, said in said.iter_rows()
                ],
            )
        return bool(source.heard)

    asyncio.run(conducted(app, source, row, until, requests=60))
    assert source.heard[0][0] is phase
