"""Whether it is time to retrain. Pure: facts come in, sentences go out."""

import datetime as dt
from collections.abc import Iterator

from modelyard.monitoring.causes.records import Cause
from modelyard.problem import metric_spec
from modelyard.problem.sections import Retraining, Triggers
from modelyard.report import format_number
from modelyard.retraining.triggers.facts import Facts, Judged
from modelyard.retraining.triggers.records import Due, Held, Pulled

__all__ = ["due"]

_MOST_NAMED = 3


def due(facts: Facts, plan: Retraining) -> Due:
    """What was pulled, and what holds it back.

    Parameters
    ----------
    facts
        As they are now.
    plan
        The triggers of the project file, and its cool-down.
    """
    pulled = tuple(_pulled(facts, plan.triggers))
    return Due(pulled, tuple(_held(facts, plan)) if pulled else ())


def _pulled(facts: Facts, triggers: Triggers) -> Iterator[Pulled]:
    since_s = (facts.now - facts.trained_at).total_seconds()
    if triggers.schedule_s is not None and since_s >= triggers.schedule_s:
        days = f"{since_s / 86_400:,.1f} days"
        yield Pulled("schedule", f"The last training was {days} ago; one every {triggers.schedule} is asked for.")
    if triggers.performance is not None and facts.judged is not None:
        lost = _lost(facts.judged, triggers.performance)
        if lost:
            yield Pulled("performance", lost)
    if triggers.drift and facts.judged is not None:
        curable = _curable(facts.judged)
        if curable:
            yield Pulled("drift", curable)
    wanted, new = triggers.new_labels, facts.new_rows
    if wanted is not None and new is not None and new >= wanted:
        yield Pulled("new_labels", f"{new:,} labelled rows are new since the last decision; {wanted:,} are enough.")


def _lost(judged: Judged, share: float) -> str:
    """The loss in words, if it is as large as that, and the reference lies outside of the interval; else empty."""
    value, low, high, reference = judged.value, judged.low, judged.high, judged.reference
    if value is None or low is None or high is None or not reference:
        return ""
    greater = metric_spec(judged.metric).greater_is_better
    loss = (reference - value if greater else value - reference) / abs(reference)
    is_chance = high >= reference if greater else low <= reference
    if loss < share or is_chance:
        return ""
    return (
        f"{metric_spec(judged.metric).title} has gone to {format_number(value)} ({format_number(low)} to {format_number(high)}), "
        f"{loss:.1%} worse than {format_number(reference)}; {share:.1%} is tolerated."
    )


def _curable(judged: Judged) -> str:
    """The drift in words, if retraining cures it; a prior shift is recalibrated, and a fault is mended. Else empty."""
    named = ", ".join(judged.drifted[:_MOST_NAMED])
    moved = f" {named} moved." if named else ""
    if judged.cause is Cause.CONCEPT:
        return f"The last monitoring found concept drift: {judged.because}{moved}".rstrip()
    if judged.cause is Cause.COVARIATE and judged.drifted and judged.pays:
        return f"The last monitoring found a covariate shift, and retraining gains beyond chance.{moved}"
    return ""


def _held(facts: Facts, plan: Retraining) -> Iterator[Held]:
    judged = facts.judged
    if judged is not None and judged.cause is Cause.PIPELINE:
        said = f"The monitoring of {_moment(judged.at)} named a broken pipeline: {judged.because}"
        yield Held("cause", f"{said} Mend it and run `modelyard monitor` again.")
    elif judged is not None and judged.broken:
        said = f"The data were broken in the monitoring of {_moment(judged.at)}: {judged.broken[0]}"
        yield Held("quality", f"{said} Mend it and run `modelyard monitor` again.")
    if facts.rollout:
        yield Held("rollout", f"A rollout is not over ({facts.rollout}).")
    if facts.waiting:
        yield Held("challenger", f"Version {facts.waiting[-1]} waits; approve, promote or reject it first.")
    if facts.begun:
        yield Held("case", f"A retraining with a table has not ended ({facts.begun}).")
    if facts.decided_at is not None and (facts.now - facts.decided_at).total_seconds() < plan.cooldown_s:
        until = facts.decided_at + dt.timedelta(seconds=plan.cooldown_s)
        yield Held(
            "cooldown",
            f"The last decision was at {_moment(facts.decided_at)}; the cool-down of {plan.cooldown} ends at {_moment(until)}.",
        )
    if facts.unchanged:
        yield Held("data", facts.unchanged)


def _moment(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
