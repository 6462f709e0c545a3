"""The choice: the simplest candidate that is as good as the best, keeps the constraints, and beats the naive answer."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence

from modelyard.core import Record
from modelyard.problem import metric_spec
from modelyard.problem.schema import Constraints
from modelyard.report import format_number
from modelyard.training.choosing.bias import CorrectedScore, picked_by_others
from modelyard.training.choosing.noise import Evidence, Gain
from modelyard.training.curves.records import WeightComparison
from modelyard.training.records import EXISTING, NAIVE, Candidate, CandidateRole, CandidateStatus

__all__ = ["LATENCY_SAFETY", "Choice", "allowed_of", "choose", "violations"]

LATENCY_SAFETY = 3.0
"""A 99th percentile under load is taken to be at most this many times the median measured alone."""


@dataclasses.dataclass(frozen=True)
class Choice(Record):
    """The name of the winner, why it won, its score without the luck of having been picked (None if not known), and what
    making the classes even did, if that was tried.
    """

    winner: str
    why: str
    corrected: CorrectedScore | None = None
    weights: WeightComparison | None = None


def choose(
    candidates: Sequence[Candidate],
    metric: str,
    constraints: Constraints,
    evidence: Evidence,
    *,
    simplest: bool = True,
    among: Collection[str] | None = None,
) -> Choice:
    """Choose the winner and say why.

    Of the complete candidates that keep the constraints, the best by its mean sets the mark. The simplest one whose
    distance to it is at most one standard error of that distance is taken (the one-standard-error rule of Breiman et
    al., 1984, section 3.4.3, with paired differences). The best must beat the naive baseline by more than
    the luckiest of as many candidates would by chance in one search of twenty, or the naive baseline wins.

    Parameters
    ----------
    candidates
        All of the run, baselines included: the naive one is among them, and at least one candidate is complete.
    metric
        The primary metric.
    constraints
        Limits from the project file.
    evidence
        What the out-of-fold predictions say about differences.
    simplest
        False to take the best one itself, however little it leads; then a blend, whose weights for a fold are learnt on the others,
        competes with what the others would have picked for that fold.
    among
        Names of those that may win; None for all that are complete.
    """
    words = _Words(metric, candidates)
    complete, allowed = _complete(candidates), allowed_of(candidates, constraints)
    if not allowed:
        return Choice(NAIVE, words.nothing_left(complete, constraints))
    sign = 1 if metric_spec(metric).greater_is_better else -1
    names = [item.name for item in allowed]
    allowed = [item for item in allowed if among is None or item.name in among]
    best = max(allowed, key=lambda item: (sign * (item.mean or 0.0), -item.complexity))

    def beats_naive(candidate: Candidate) -> bool:
        return not words.naive.is_complete or evidence.beats(candidate.name, NAIVE, names)

    if not beats_naive(best):
        bound = evidence.chance_bound(names, NAIVE)
        return Choice(NAIVE, words.noise(best, evidence.gain(best.name, NAIVE), bound, len(names)))
    winner = _simplest(best, allowed, sign, evidence, beats_naive) if simplest else best
    against = words.against_best(winner, best, allowed, evidence)
    if not simplest and (fair := _blend_by_like(best, allowed, sign)) is not None and beats_naive(fair[0]):
        winner, against = fair[0], words.by_like(best, fair[1], allowed)
    why = [words.wins(winner), against, words.against_baselines(winner)]
    return Choice(winner.name, " ".join([*why, *words.left_out(complete, constraints)]))


def allowed_of(candidates: Iterable[Candidate], constraints: Constraints) -> list[Candidate]:
    """Those that may win: no baselines, scored on all folds, within the constraints."""
    return [item for item in _complete(candidates) if not violations(item, constraints)]


def _complete(candidates: Iterable[Candidate]) -> list[Candidate]:
    return [item for item in candidates if item.role is CandidateRole.CANDIDATE and item.is_complete]


def violations(candidate: Candidate, constraints: Constraints) -> tuple[str, ...]:
    """The constraints that a candidate breaks, each with its numbers; what was not measured breaks nothing."""
    broken = []
    latency, size, rate = candidate.predict_ms, candidate.size_mb, candidate.rows_per_s
    if constraints.latency_p99_ms is not None and latency is not None:
        expected = latency * LATENCY_SAFETY
        if expected > constraints.latency_p99_ms:
            broken.append(
                f"about {format_number(expected)} ms per prediction, limit {format_number(constraints.latency_p99_ms)} ms"
            )
    if constraints.model_size_mb is not None and size is not None and size > constraints.model_size_mb:
        broken.append(f"{format_number(size)} MB, limit {format_number(constraints.model_size_mb)} MB")
    if constraints.throughput_per_s is not None and rate is not None and rate < constraints.throughput_per_s:
        broken.append(
            f"about {format_number(rate)} rows per second, at least {format_number(constraints.throughput_per_s)} needed"
        )
    return tuple(broken)


def _simplest(
    best: Candidate,
    allowed: Sequence[Candidate],
    sign: int,
    evidence: Evidence,
    beats_naive: Callable[[Candidate], bool],
) -> Candidate:
    """The first, simple ones first, that is within one standard error of the best; the best itself at the latest."""
    simpler = [item for item in allowed if item.complexity < best.complexity]
    for candidate in sorted(simpler, key=lambda item: (item.complexity, -sign * (item.mean or 0.0))):
        behind = evidence.gain(best.name, candidate.name)
        if behind.mean <= behind.standard_error and beats_naive(candidate):
            return candidate
    return best


def _blend_by_like(best: Candidate, allowed: Sequence[Candidate], sign: int) -> tuple[Candidate, float] | None:
    """The blend, if it is behind the best only because that was picked by the very folds that score it; and what the best single
    candidates are worth when each is picked by other folds.
    """
    blend = next((item for item in allowed if item.members), None)
    if blend is None or blend is best:
        return None
    picked = picked_by_others([item.fold_scores for item in allowed if not item.members], sign)
    return (blend, picked) if sign * ((blend.mean or 0.0) - picked) >= 0 else None


class _Words:
    """The sentences of the reason."""

    def __init__(self, metric: str, candidates: Sequence[Candidate]) -> None:
        self._title = metric_spec(metric).title
        self._greater = metric_spec(metric).greater_is_better
        self._candidates = candidates
        self.naive = next(item for item in candidates if item.name == NAIVE)

    def wins(self, winner: Candidate) -> str:
        return f"{winner.name} wins with {self._title} {_figure(winner)} over {len(winner.fold_scores)} folds."

    def against_best(self, winner: Candidate, best: Candidate, allowed: Sequence[Candidate], evidence: Evidence) -> str:
        if winner.name != best.name:
            ahead = evidence.gain(best.name, winner.name)
            return (
                f"The best score is {best.name}'s, {_figure(best)}; its lead of {format_number(ahead.mean)} is within "
                f"one standard error ({format_number(ahead.standard_error)}), so the simpler model is taken."
            )
        among = f"It is the best of {len(allowed)} candidates" if len(allowed) > 1 else "It is the only candidate"
        simpler = [item for item in allowed if item.complexity < best.complexity]
        if not simpler:
            return f"{among}, and none is simpler."
        nearest = (max if self._greater else min)(simpler, key=lambda item: item.mean or 0.0)
        ahead = evidence.gain(best.name, nearest.name)
        side = "more" if ahead.mean > ahead.standard_error else "less"
        return (
            f"{among}; the nearest simpler one, {nearest.name} ({_figure(nearest)}), is {format_number(ahead.mean)} "
            f"behind, {side} than one standard error ({format_number(ahead.standard_error)})."
        )

    def by_like(self, best: Candidate, picked: float, allowed: Sequence[Candidate]) -> str:
        return (
            f"Of the {len(allowed) - 1} single candidates {best.name} ({_figure(best)}) is best by the folds that picked it; picked for "
            f"each fold by the others, as the blend's weights are, the best is worth {format_number(picked)}."
        )

    def against_baselines(self, winner: Candidate) -> str:
        if not self.naive.is_complete:
            text = f"{self._title} is undefined for the naive baseline."
        else:
            text = f"It beats the naive baseline ({_figure(self.naive)}) beyond noise."
        existing = next((item for item in self._candidates if item.name == EXISTING), None)
        if existing is None:
            return text
        if existing.mean is None or winner.mean is None:
            return f"{text} Today's system could not be scored: {existing.error}."
        better = (winner.mean > existing.mean) == self._greater and winner.mean != existing.mean
        return f"{text} Today's system has {_figure(existing)}, which is {'worse' if better else 'not worse'}."

    def left_out(self, complete: Sequence[Candidate], constraints: Constraints) -> list[str]:
        broken = [
            f"{item.name} ({'; '.join(violations(item, constraints))})"
            for item in complete
            if violations(item, constraints)
        ]
        failed = [
            item.name for item in self._candidates if item.status is CandidateStatus.FAILED and item.name != EXISTING
        ]
        stopped = [item.name for item in self._candidates if item.status is CandidateStatus.INTERRUPTED]
        unfit: dict[str, list[str]] = {}
        for item in self._candidates:
            if item.status is CandidateStatus.LEFT_OUT:
                unfit.setdefault(item.error, []).append(item.name)
        given_up = [item.name for item in self._candidates if item.status is CandidateStatus.GIVEN_UP]
        fewer = sum(item.status is CandidateStatus.PARTIAL for item in self._candidates)
        sentences = []
        if broken:
            sentences.append(f"Ruled out by the constraints: {', '.join(broken)}.")
        if failed:
            sentences.append(f"Failed: {', '.join(failed)}.")
        if stopped:
            sentences.append(f"Not finished: {', '.join(stopped)}.")
        sentences += [f"Left out ({reason}): {', '.join(names)}." for reason, names in unfit.items()]
        if given_up:
            sentences.append(f"Given up after one fold, far behind: {', '.join(given_up)}.")
        if fewer:
            sentences.append(f"Tried on fewer rows alone, by successive halving: {fewer} times.")
        return sentences

    def noise(self, best: Candidate, over: Gain, bound: float, tried: int) -> str:
        told = f"The naive baseline wins with {self._title} {_figure(self.naive)}: no candidate beats it beyond noise."
        mark = f"The best of {tried}, {best.name}, has {_figure(best)}"
        if over.mean <= 0:
            return f"{told} {mark}, which is no better."
        return (
            f"{told} {mark}; its gain of {format_number(over.mean)} is not above "
            f"{format_number(bound * over.standard_error)}, which chance alone exceeds in one search of twenty."
        )

    def nothing_left(self, complete: Sequence[Candidate], constraints: Constraints) -> str:
        reason = "The naive baseline wins, since no candidate keeps the constraints."
        return " ".join([reason, *self.left_out(complete, constraints)])


def _figure(candidate: Candidate) -> str:
    """Mean ± standard deviation."""
    return f"{format_number(candidate.mean)} ± {format_number(candidate.sd)}"
