"""The state machine of a rollout: success goes on, failure goes back, and no data is never success."""

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plans import plan

from modelyard.rollout import (
    Figure,
    Phase,
    Plan,
    State,
    StepKind,
    Strategy,
    Verdict,
    abort,
    advance,
    is_due,
    judge,
    look,
    promote,
    promoted,
    resume,
    start,
)

GOOD = {
    "error_rate": Figure(0.0, 500),
    "latency_p99_ms": Figure(5.0, 500, 5.0, 500),
    "invalid_rate": Figure(0.0, 500),
    "golden_rows": Figure(0.0, 10**9),
    "prediction_psi": Figure(0.0, 500),
}
BAD = {**GOOD, "error_rate": Figure(0.2, 500)}
NOTHING = {"golden_rows": Figure(0.0, 10**9)}
FEW = {**GOOD, "error_rate": Figure(0.0, 99)}


def looked(plan: Plan, state: State, figures: dict[str, Figure]) -> State:
    """A look at figures."""
    return look(plan, state, judge(plan.analysis(state.step).guards, figures))


def after(plan: Plan, state: State, *all_figures: dict[str, Figure]) -> State:
    """Several looks."""
    for figures in all_figures:
        state = looked(plan, state, figures)
    return state


def places(plan: Plan, state: State) -> list[tuple[str, int]]:
    """Phase and weight from place to place, while every look succeeds and nobody says anything."""
    found = [(state.phase.value, state.weight)]
    for _ in range(100_000):
        following = advance(plan, state, 10.0)
        if is_due(plan, following):
            following = looked(plan, following, GOOD)
        if not following.is_same_place(state):
            found.append((following.phase.value, following.weight))
        if following.phase is Phase.PROMOTING or following.waits:
            return found
        state = following
    raise AssertionError


def test_the_default_way() -> None:
    """10, 50 and 100 percent of the policy: each share below 100 waits ten minutes and three good looks."""
    way = plan()

    assert places(way, start(way)) == [
        ("paused", 10),
        ("canary", 10),
        ("paused", 50),
        ("canary", 50),
        ("promoting", 100),
    ]


def test_a_shadow_comes_first() -> None:
    """A shadow that the project file declares precedes the canary; as a strategy it ends with a question to a person."""
    before = plan(strategy={"shadow": {"duration": "10m", "min_samples": 600}})
    alone = plan(Strategy.SHADOW)

    assert places(before, start(before))[:2] == [("shadow", 0), ("paused", 10)]
    assert places(alone, start(alone)) == [("shadow", 0), ("paused", 0)]
    asked = after(alone, dataclasses.replace(start(alone), elapsed_s=3600.0), GOOD)
    assert (asked.phase, asked.waits) == (Phase.PAUSED, True)
    assert (resume(alone, asked, "ada").phase, resume(alone, asked, "ada").weight) == (Phase.PAUSED, 10)


def test_a_shadow_needs_its_answers() -> None:
    """When its time is over and answers lack, it waits for them, as long as looks may say nothing."""
    way = plan(
        strategy={"shadow": {"duration": "1m", "min_samples": 1000}},
        analysis={"guard": {"inconclusive_limit": 2}},
    )
    begun = after(way, start(way), NOTHING, NOTHING, NOTHING, NOTHING)
    assert begun.phase is Phase.SHADOW
    over = advance(way, begun, 60.0)

    assert after(way, over, GOOD).phase is Phase.SHADOW
    assert (after(way, over, GOOD, GOOD).phase, after(way, over, GOOD, GOOD).weight) == (Phase.PAUSED, 10)
    assert [after(way, over, *[NOTHING] * looks).phase for looks in (1, 2, 3)] == ["paused", "paused", "aborted"]
    assert after(way, over, NOTHING, GOOD, NOTHING, GOOD).weight == 10


def test_failure_takes_everything_back_with_its_numbers() -> None:
    """One failed look of a guard without tolerance aborts, in a pause too, and says the figure and its bound."""
    way = plan()
    state = looked(way, start(way), BAD)

    assert (state.phase, state.weight, state.why) == (Phase.ABORTED, 0, "error_rate is 0.2, above 0.01")


def test_failures_within_the_limit_are_no_success() -> None:
    """Latency may fail twice in a step; then it is over. A failed look never counts as one that held."""
    way = plan(
        strategy={"canary": {"steps": [{"set_weight": 10}, {"analysis": "guard"}]}}, analysis={"guard": {"count": 1}}
    )
    slow = {**GOOD, "latency_p99_ms": Figure(300.0, 500, 5.0, 500)}

    assert [after(way, start(way), *[slow] * looks).phase for looks in (1, 2, 3)] == ["paused", "paused", "aborted"]
    assert after(way, start(way), slow, GOOD).phase is Phase.PROMOTING


def test_a_dry_run_decides_nothing() -> None:
    """A guard in a dry run may fail as often as it likes."""
    guard = {"name": "prediction_psi", "threshold_range": {"max": 0.1}, "dry_run": True}
    way = plan(
        strategy={"canary": {"steps": [{"set_weight": 10}, {"analysis": "guard"}]}},
        analysis={"guard": {"metrics": [guard]}},
    )
    moved = {**GOOD, "prediction_psi": Figure(3.0, 500)}

    assert after(way, start(way), moved, moved, moved).phase is Phase.PROMOTING


def test_nothing_to_say_pauses_then_aborts() -> None:
    """Too few requests pause the rollout, enough of them let it go on, and a lasting lack ends it."""
    way = plan(
        strategy={"canary": {"steps": [{"set_weight": 10}, {"analysis": "guard"}]}},
        analysis={"guard": {"count": 2, "inconclusive_limit": 2}},
    )
    first = start(way)

    assert (first.phase, after(way, first, FEW).phase) == (Phase.CANARY, Phase.PAUSED)
    assert after(way, first, FEW, GOOD).is_same_place(after(way, first, FEW)), "one pause, not one for each look"
    assert after(way, first, FEW, GOOD, FEW, GOOD).phase is Phase.PROMOTING
    ended = after(way, first, FEW, FEW, FEW)
    assert (ended.phase, ended.weight) == (Phase.ABORTED, 0)
    assert ended.why == "nothing could be said in 3 looks: error_rate: 99 of 100 samples"
    assert resume(way, after(way, first, FEW, FEW), "ada").inconclusive == 0


def test_a_pause_without_end_waits_for_a_person() -> None:
    """Time does not end it; somebody who resumes or promotes does."""
    way = plan(strategy={"canary": {"steps": [{"set_weight": 5}, {"pause": {}}, {"set_weight": 100}]}})
    state = advance(way, start(way), 1e9)

    assert (state.phase, state.waits, state.weight) == (Phase.PAUSED, True, 5)
    assert resume(way, state, "ada").phase is Phase.PROMOTING
    assert promoted(promote(way, state, "ada"), "done").phase is Phase.STABLE


def test_the_better_of_two_wins() -> None:
    """A/B: nothing happens while the interval holds zero; a certain winner is promoted, a certain loser taken back."""
    way = plan(Strategy.AB, strategy={"ab": {"weight": 30}})
    alike = {**GOOD, "accuracy": Figure(0.80, 5000, 0.80, 5000, 0.16, 0.16)}
    better = {**GOOD, "accuracy": Figure(0.85, 5000, 0.80, 5000, 0.13, 0.16)}
    worse = {**GOOD, "accuracy": Figure(0.75, 5000, 0.80, 5000, 0.19, 0.16)}
    first = start(way)

    assert (first.phase, first.weight) == (Phase.CANARY, 30)
    assert after(way, first, alike, GOOD, alike).is_same_place(first)
    assert after(way, first, better).phase is Phase.PROMOTING
    assert after(way, first, worse).phase is Phase.ABORTED
    assert "accuracy is 0.75, the baseline's is 0.8: worse by" in after(way, first, worse).why
    late = advance(way, first, 14 * 86_400.0)
    assert (late.phase, late.waits, late.weight) == (Phase.PAUSED, True, 30)
    assert resume(way, late, "ada").elapsed_s == 0.0


FIGURES = st.sampled_from((GOOD, BAD, NOTHING, FEW))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(Strategy), st.lists(st.tuples(st.sampled_from(("time", "look", "resume")), FIGURES), max_size=40)
)
def test_invariants(strategy: Strategy, events: Sequence[tuple[str, dict[str, Figure]]]) -> None:
    """Whatever happens: weights only rise until they are taken back, an end is an end, and a version is promoted only
    after as many good looks as its analyses ask for.
    """
    way = plan(strategy, analysis={"guard": {"inconclusive_limit": 3}})
    state, good = start(way), 0
    first = next(place for place, step in enumerate(way.steps) if step.kind in (StepKind.WEIGHT, StepKind.COMPARE))
    for event, figures in events:
        before = state
        if event == "time":
            state = advance(way, state, 400.0)
        elif event == "look":
            state = looked(way, state, figures)
            good += figures is GOOD
        elif not state.phase.is_over and state.phase is not Phase.PROMOTING:
            state = resume(way, state, "ada")
        if before.phase.is_over or before.phase is Phase.PROMOTING:
            assert state.is_same_place(before)
        elif figures is BAD and event == "look":
            assert state.phase is Phase.ABORTED
        assert (state.weight == 0) == (state.phase is Phase.ABORTED or state.step < first)
        assert state.weight >= before.weight or state.phase is Phase.ABORTED
    if state.phase is Phase.PROMOTING:
        analyses = sum(step.kind is StepKind.ANALYSIS for step in way.steps)
        assert good >= 3 * analyses


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 2000), st.sampled_from((NOTHING, FEW))), max_size=60))
def test_no_data_is_never_success(times: Sequence[tuple[float, dict[str, Figure]]]) -> None:
    """However much time passes and however often is looked: without data a version never gets past its first analysis."""
    way = plan()
    state = start(way)
    for seconds, figures in times:
        state = looked(way, advance(way, state, seconds), figures)

    assert state.phase in (Phase.PAUSED, Phase.CANARY, Phase.ABORTED)
    assert state.step <= 2


def test_states_and_plans_are_records() -> None:
    """What is stored comes back as it was."""
    way = plan(Strategy.AB)
    state = dataclasses.replace(start(way), failures={"latency_p99_ms": 1}, elapsed_s=1.5)

    assert Plan.from_dict(way.to_dict()) == way
    assert State.from_dict(state.to_dict()) == state
    assert abort(state, "no").phase.is_over


@pytest.mark.parametrize(
    ("figure", "verdict", "why"),
    [
        (Figure(250.0, 500, 240.0, 500), Verdict.FAILED, "latency_p99_ms is 250, above 200"),
        (Figure(60.0, 500, 15.0, 500), Verdict.FAILED, "latency_p99_ms is 60, the baseline's is 15"),
        (Figure(9.0, 500, 0.2, 500), Verdict.SUCCESS, ""),
        (Figure(60.0, 500, 15.0, 99), Verdict.INCONCLUSIVE, "latency_p99_ms: 99 of 100 samples of the baseline"),
        (Figure(None, 500), Verdict.INCONCLUSIVE, "latency_p99_ms: 500 of 100 samples"),
        (Figure(float("nan"), 500, 15.0, 500), Verdict.FAILED, "latency_p99_ms is nan, above 200"),
    ],
)
def test_verdicts(figure: Figure, verdict: Verdict, why: str) -> None:
    """Against the bound, against the baseline beyond the machine's noise, and without enough of either."""
    rules = [rule for rule in plan().analysis(0).guards if rule.name == "latency_p99_ms"]
    reading = judge(rules, {"latency_p99_ms": figure})[0]

    assert (reading.verdict, reading.why, reading.samples) == (verdict, why, figure.samples)
