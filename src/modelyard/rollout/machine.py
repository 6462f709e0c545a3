"""The state machine: SHADOW → CANARY(step) → PAUSED → PROMOTING → STABLE | ABORTED. Pure: time and figures come in.

Success goes on, failure takes every request back at once, and where nothing can be said the rollout pauses until enough
could be said, and is aborted if that lasts. The guards are at work in every step, in pauses too.
"""

import dataclasses
from collections.abc import Sequence

from modelyard.rollout.guards import said
from modelyard.rollout.records import GOLDEN, Phase, Plan, Reading, State, StepKind, Verdict

__all__ = ["PAUSE_OVER", "abort", "advance", "is_due", "look", "promote", "promoted", "resume", "start"]

PAUSE_OVER = "the pause is over"
"""Why a step follows a pause whose time ran out; a person's resuming has other words."""

_WHOLE = 100


def start(plan: Plan) -> State:
    """The first state."""
    return _entered(plan, State(Phase.CANARY), 0, "started")


def advance(plan: Plan, state: State, seconds: float) -> State:
    """``seconds`` have passed."""
    if state.phase.is_over or state.phase is Phase.PROMOTING:
        return state
    elapsed_s, since_look_s = state.elapsed_s + seconds, state.since_look_s + seconds
    state = dataclasses.replace(state, elapsed_s=elapsed_s, since_look_s=since_look_s)
    step = plan.steps[state.step]
    is_through = step.duration_s is not None and elapsed_s >= step.duration_s and not state.waits
    if is_through and step.kind is StepKind.PAUSE:
        return _entered(plan, state, state.step + 1, PAUSE_OVER)
    if is_through and step.kind is StepKind.COMPARE:
        why = "the time is over, and neither version is certainly better; say --promote, --abort or --resume"
        return dataclasses.replace(state, phase=Phase.PAUSED, waits=True, why=why)
    return state


def is_due(plan: Plan, state: State) -> bool:
    """True if it is time for a look."""
    is_at_work = not state.phase.is_over and state.phase is not Phase.PROMOTING
    return is_at_work and state.since_look_s >= plan.analysis(state.step).interval_s


def look(plan: Plan, state: State, readings: Sequence[Reading]) -> State:
    """A look was taken, and this is what the guards said."""
    if state.phase.is_over or state.phase is Phase.PROMOTING:
        return state
    deciding = _deciding(plan, state, readings)
    state = dataclasses.replace(state, since_look_s=0.0, failures=_failures(state, deciding))
    broken = _broken(plan, state, deciding)
    if broken:
        return abort(state, said(broken, Verdict.FAILED))
    kind = plan.steps[state.step].kind
    if kind is StepKind.PAUSE or state.waits:
        return state
    if kind is StepKind.COMPARE:
        return _compared(plan, state, deciding)
    verdict = _worst(deciding)
    if verdict is Verdict.SUCCESS:
        return _succeeded(plan, state, min((reading.samples for reading in _counted(deciding)), default=0))
    return _undecided(plan, state, said(deciding, verdict))


def resume(plan: Plan, state: State, why: str) -> State:
    """A person says: go on. A pause ends; looks that said nothing are forgotten."""
    kind = plan.steps[state.step].kind
    if kind is StepKind.PAUSE:
        return _entered(plan, state, state.step + 1, why)
    phase = Phase.SHADOW if kind is StepKind.SHADOW else Phase.CANARY
    elapsed_s = 0.0 if state.waits else state.elapsed_s
    return dataclasses.replace(state, phase=phase, waits=False, inconclusive=0, elapsed_s=elapsed_s, why=why)


def abort(state: State, why: str) -> State:
    """No request goes to the new version any more."""
    return dataclasses.replace(state, phase=Phase.ABORTED, weight=0, waits=False, why=why)


def promote(plan: Plan, state: State, why: str) -> State:
    """Every request goes to the new version, and it takes the champion's place next."""
    return _entered(plan, state, len(plan.steps), why)


def promoted(state: State, why: str) -> State:
    """The new version is in production."""
    return dataclasses.replace(state, phase=Phase.STABLE, weight=_WHOLE, waits=False, why=why)


def _entered(plan: Plan, state: State, index: int, why: str) -> State:
    """At the beginning of a step; weights are set on the way there."""
    weight = state.weight
    while index < len(plan.steps) and plan.steps[index].kind is StepKind.WEIGHT:
        weight = plan.steps[index].weight
        index += 1
    if index == len(plan.steps):
        return State(Phase.PROMOTING, index, _WHOLE, why)
    step = plan.steps[index]
    if step.kind is StepKind.COMPARE:
        weight = step.weight
    phase = {StepKind.SHADOW: Phase.SHADOW, StepKind.PAUSE: Phase.PAUSED}.get(step.kind, Phase.CANARY)
    return State(phase, index, weight, why, waits=phase is Phase.PAUSED and step.duration_s is None)


def _deciding(plan: Plan, state: State, readings: Sequence[Reading]) -> list[Reading]:
    """The readings of guards that decide something."""
    dry = {rule.name for rule in plan.analysis(state.step).guards if rule.dry_run}
    return [reading for reading in readings if reading.name not in dry]


def _failures(state: State, readings: Sequence[Reading]) -> dict[str, int]:
    """Failed looks of this step by figure, with those of this look."""
    failed = [reading.name for reading in readings if reading.verdict is Verdict.FAILED]
    return {**state.failures, **{name: state.failures.get(name, 0) + 1 for name in failed}}


def _broken(plan: Plan, state: State, readings: Sequence[Reading]) -> list[Reading]:
    """What has failed now, and more often than is tolerated."""
    limits = {rule.name: rule.failure_limit for rule in plan.analysis(state.step).guards}
    return [
        reading
        for reading in readings
        if reading.verdict is Verdict.FAILED and state.failures[reading.name] > limits.get(reading.name, 0)
    ]


def _worst(readings: Sequence[Reading]) -> Verdict:
    """Of no readings at all nothing can be said; a failure that is tolerated is no success either."""
    verdicts = {reading.verdict for reading in readings}
    if Verdict.FAILED in verdicts:
        return Verdict.FAILED
    return Verdict.SUCCESS if verdicts == {Verdict.SUCCESS} else Verdict.INCONCLUSIVE


def _counted(readings: Sequence[Reading]) -> list[Reading]:
    """The readings that rest on requests; the replay of golden rows does not."""
    return [reading for reading in readings if reading.name != GOLDEN]


def _succeeded(plan: Plan, state: State, samples: int) -> State:
    """One look more in which everything held."""
    step = plan.steps[state.step]
    state = dataclasses.replace(state, passed=state.passed + 1, samples=state.samples + samples)
    if step.kind is StepKind.SHADOW:
        is_through = state.elapsed_s >= (step.duration_s or 0.0) and state.samples >= step.samples
    else:
        is_through = state.passed >= plan.analysis(state.step).count
    return _entered(plan, state, state.step + 1, "every guard held") if is_through else state


def _undecided(plan: Plan, state: State, why: str) -> State:
    """Nothing can be said: pause until the step is through, in which good looks go on to count, and abort if that lasts.

    A shadow whose time is not over simply goes on.
    """
    step = plan.steps[state.step]
    if step.kind is StepKind.SHADOW and state.elapsed_s < (step.duration_s or 0.0):
        return state
    state = dataclasses.replace(state, inconclusive=state.inconclusive + 1)
    limit = plan.analysis(state.step).inconclusive_limit
    if state.inconclusive > limit:
        return abort(state, f"nothing could be said in {state.inconclusive} looks: {why}")
    return dataclasses.replace(state, phase=Phase.PAUSED, why=why)


def _compared(plan: Plan, state: State, readings: Sequence[Reading]) -> State:
    """The first of two versions to be certainly better wins; until then both go on."""
    verdict = _worst(readings)
    if verdict is Verdict.SUCCESS and any(reading.is_better for reading in readings):
        return _entered(plan, state, state.step + 1, "it is better than the champion, by the sequential test")
    return state
