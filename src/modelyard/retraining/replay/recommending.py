"""Which policy pays: the one with the fewest retrainings among those that are no worse than the best."""

from collections.abc import Callable, Sequence

from modelyard.problem import metric_spec
from modelyard.retraining.replay.records import Gain, PolicyResult

__all__ = ["recommended"]

GainOver = Callable[[str, str], Gain | None]
"""From the first policy to the second, by name."""


def recommended(results: Sequence[PolicyResult], metric: str, gain: GainOver) -> tuple[str, str]:
    """The name of the policy, and one sentence with its evidence.

    A policy counts if its gain over never is beyond chance. Of those, the best is taken, or one that retrains less often and from
    which the best is not better beyond chance.
    """
    title = metric_spec(metric).title
    never = next(result for result in results if not result.policy.retrains)
    paying = [result for result in results if result.gain is not None and result.gain.is_sure]
    if not paying:
        return never.policy.name, _nothing_pays(never, results, title)
    best = max(paying, key=_gained)
    equal = [result for result in paying if result is best or not _is_better(gain, result, best)]
    chosen = min(equal, key=lambda result: (result.retrainings, -_gained(result)))
    return chosen.policy.name, _sentence(chosen, best, results, title)


def _gained(result: PolicyResult) -> float:
    return result.gain.value if result.gain is not None else 0.0


def _is_better(gain: GainOver, before: PolicyResult, after: PolicyResult) -> bool:
    found = gain(before.policy.name, after.policy.name)
    return found is not None and found.is_sure


def _nothing_pays(never: PolicyResult, results: Sequence[PolicyResult], title: str) -> str:
    others = [result for result in results if result is not never and result.gain is not None]
    if not others:
        return f"Policy {never.policy.name}: there was no other to compare it with."
    best = max(others, key=_gained)
    return (
        f"Policy {never.policy.name}: no policy gains {title} beyond chance; the best, {best.policy.name}, has {_words(best)} "
        f"with {_times(best.retrainings)}."
    )


def _sentence(chosen: PolicyResult, best: PolicyResult, results: Sequence[PolicyResult], title: str) -> str:
    said = f"Policy {chosen.policy.name}: {_words(chosen, title)} over never with {_times(chosen.retrainings)}"
    if chosen is not best:
        return f"{said}; {best.policy.name} has {best.gain.value if best.gain else 0:+.4f} with {best.retrainings}, no more beyond chance."
    others = [
        result for result in results if result is not chosen and result.policy.retrains and result.gain is not None
    ]
    if not others:
        return f"{said}."
    next_best = max(others, key=_gained)
    return f"{said}; {next_best.policy.name} has {_gained(next_best):+.4f} with {next_best.retrainings}."


def _words(result: PolicyResult, title: str = "") -> str:
    gain = result.gain
    if gain is None:
        return "no figure"
    return f"{gain.value:+.4f}{' ' + title if title else ''} (95% interval {gain.low:+.4f} to {gain.high:+.4f})"


def _times(count: int) -> str:
    return f"{count:,} retraining" + ("" if count == 1 else "s")
