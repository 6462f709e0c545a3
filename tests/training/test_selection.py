"""The choice follows its rule, and says so with numbers."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.problem.schema import Constraints
from modelyard.training.choosing.noise import Evidence
from modelyard.training.choosing.rule import Choice, choose, violations
from modelyard.training.folds import FoldPlan, RowKeys, plan_folds
from modelyard.training.metrics import score
from modelyard.training.records import Candidate, CandidateRole, CandidateStatus

Array = npt.NDArray[np.float64]
ROWS = 1_000
GENERATOR = np.random.default_rng(0)
TRUTH = GENERATOR.normal(size=ROWS)
KEYS = RowKeys("random", np.zeros(ROWS, dtype=np.int64), np.empty(0, dtype=np.int64))
PLAN: FoldPlan = plan_folds(KEYS, 5, 0)
NOISE = GENERATOR.normal(size=(6, ROWS))


def candidate(name: str, answers: Array, complexity: int = 1, **changes: Any) -> Candidate:
    """A candidate scored by RMSE on the folds."""
    scores = [score("rmse", TRUTH[fold.held], answers[fold.held]) for fold in PLAN.folds]
    made = Candidate(
        name=name,
        family=name,
        role=CandidateRole.BASELINE if name in ("naive", "existing") else CandidateRole.CANDIDATE,
        params={},
        status=CandidateStatus.DONE,
        fold_scores=tuple(scores),
        mean=float(np.mean(scores)),
        sd=float(np.std(scores, ddof=1)),
        fit_seconds=1.0,
        predict_ms=0.5,
        complexity=complexity,
        size_mb=1.0,
        rows_per_s=1e5,
    )
    return dataclasses.replace(made, **changes)


ANSWERS = {
    "naive": np.zeros(ROWS),
    "linear": TRUTH + 0.5 * NOISE[0],
    "forest": TRUTH + 0.5 * NOISE[0] + 0.01 * NOISE[1],
    "boosting": TRUTH + 0.3 * NOISE[2],
    "equal": TRUTH + 0.3 * (0.98 * NOISE[2] + 0.199 * NOISE[0]),
    "lucky": 0.05 * NOISE[5] + 0.001 * TRUTH,
    "blind": 0.05 * NOISE[4],
}
COMPLEXITY = {"naive": 0, "linear": 1, "forest": 2, "boosting": 3, "equal": 2, "blind": 3}


def made(*names: str, **changes: Any) -> list[Candidate]:
    """The naive baseline and the named candidates."""
    return [
        candidate(name, ANSWERS[name], COMPLEXITY[name], **(changes if name != "naive" else {}))
        for name in ("naive", *names)
    ]


def chosen(candidates: list[Candidate], **constraints: float) -> Choice:
    """The choice by RMSE."""
    evidence = Evidence("rmse", TRUTH, PLAN, KEYS, ANSWERS.__getitem__, seed=0)
    return choose(candidates, "rmse", Constraints.model_validate(constraints), evidence)


def test_a_step_up_that_pays_is_taken() -> None:
    """The complex candidate wins if its lead is larger than one standard error."""
    choice = chosen(made("linear", "boosting"))

    assert choice.winner == "boosting"
    assert choice.why.startswith("boosting wins with RMSE 0.30")
    assert "best of 2 candidates; the nearest simpler one, linear (0.5" in choice.why
    assert "It beats the naive baseline (0.9769 ± 0.0501) beyond noise" in choice.why


def test_a_step_up_that_does_not_pay_is_not() -> None:
    """Of two that are equal within one standard error the simpler wins, though its score is a little worse."""
    candidates = made("linear", "equal", "boosting")
    choice = chosen(candidates)

    assert candidates[3].mean is not None
    assert candidates[2].mean is not None
    assert candidates[3].mean < candidates[2].mean
    assert choice.winner == "equal"
    assert "so the simpler model is taken" in choice.why


def by_folds(name: str, scores: list[float], members: tuple[str, ...] = ()) -> Candidate:
    """A candidate that is as good as boosting, with fold scores of its own."""
    shares = dict.fromkeys(members, 1 / max(1, len(members)))
    mean, sd = float(np.mean(scores)), float(np.std(scores, ddof=1))
    alike = made("boosting")[1]
    return dataclasses.replace(alike, name=name, fold_scores=tuple(scores), mean=mean, sd=sd, members=shares)


def chosen_best(*candidates: Candidate) -> Choice:
    """The choice where the best itself is asked for."""
    answers = {**ANSWERS, **{item.name: ANSWERS["boosting"] for item in candidates}}
    evidence = Evidence("rmse", TRUTH, PLAN, KEYS, answers.__getitem__, seed=0)
    return choose([made()[0], *candidates], "rmse", Constraints(), evidence, simplest=False)


def test_a_blend_competes_with_what_the_other_folds_would_pick() -> None:
    """Each of two is lucky on folds of its own; the one that leads was picked by its luck, the blend's weights were not."""
    one = by_folds("one", [0.20, 0.20, 0.34, 0.34, 0.40])
    two = by_folds("two", [0.34, 0.34, 0.20, 0.20, 0.41])
    blend = by_folds("blend", [0.30, 0.30, 0.30, 0.30, 0.30], ("one", "two"))
    choice = chosen_best(one, two, blend)

    assert (one.mean or 0) < (blend.mean or 0)
    assert choice.winner == "blend"
    assert "Of the 2 single candidates one (0.2960 ± 0.0910) is best by the folds that picked it" in choice.why
    assert "picked for each fold by the others, as the blend's weights are, the best is worth 0.3520." in choice.why


def test_a_single_candidate_that_leads_by_more_than_luck_wins_over_a_blend() -> None:
    """All folds would pick it for each other."""
    one, two = by_folds("one", [0.28] * 5), by_folds("two", [0.34, 0.34, 0.25, 0.34, 0.34])
    choice = chosen_best(one, two, by_folds("blend", [0.29] * 5, ("one", "two")))

    assert choice.winner == "one"
    assert "It is the best of 3 candidates" in choice.why


def test_a_lucky_candidate_does_not_win() -> None:
    """A gain that chance explains is told with the gain that would have counted."""
    lucky = candidate("lucky", ANSWERS["lucky"], 3)
    choice = chosen([made()[0], lucky])

    assert choice.winner == "naive"
    assert "its gain of 0.0" in choice.why
    assert "which chance alone exceeds in one search of twenty" in choice.why


def test_nothing_beyond_noise_leaves_the_naive_answer() -> None:
    """A candidate that knows nothing does not win, and the reason has both figures."""
    choice = chosen(made("blind"))

    assert choice.winner == "naive"
    assert "no candidate beats it beyond noise" in choice.why
    assert choice.why.endswith("The best of 1, blind, has 0.9799 ± 0.0506, which is no better.")


@pytest.mark.parametrize(
    ("constraints", "measured", "reason"),
    [
        ({"latency_p99_ms": 5.0}, {"predict_ms": 2.0}, "about 6 ms per prediction, limit 5 ms"),
        ({"model_size_mb": 10.0}, {"size_mb": 12.5}, "12.5 MB, limit 10 MB"),
        ({"throughput_per_s": 1e6}, {"rows_per_s": 2e5}, "about 200,000 rows per second, at least 1,000,000 needed"),
    ],
)
def test_constraints_come_before_scores(constraints: dict[str, float], measured: dict[str, float], reason: str) -> None:
    """The best candidate is ruled out with its numbers, and the next one wins."""
    linear, boosting = made("linear")[1], made("boosting", **measured)[1]
    free = dataclasses.replace(linear, predict_ms=0.1, size_mb=0.1, rows_per_s=1e7)
    choice = chosen([made()[0], free, boosting], **constraints)

    assert choice.winner == "linear"
    assert f"Ruled out by the constraints: boosting ({reason})" in choice.why
    assert violations(boosting, Constraints.model_validate(constraints)) == (reason,)


def test_constraints_that_nobody_keeps_leave_the_naive_answer() -> None:
    """If all are too slow, the naive baseline wins for that reason."""
    choice = chosen(made("linear", predict_ms=100.0), latency_p99_ms=5.0)

    assert choice.winner == "naive"
    assert "no candidate keeps the constraints" in choice.why
    assert "linear (about 300 ms" in choice.why


def test_failed_and_unfinished_candidates_do_not_compete() -> None:
    """They are named, and the best of the others wins."""
    failed = dataclasses.replace(made("boosting")[1], status=CandidateStatus.FAILED, mean=None, error="fold 1: no")
    stopped = dataclasses.replace(made("equal")[1], status=CandidateStatus.INTERRUPTED, mean=None)
    choice = chosen([*made("linear"), failed, stopped])

    assert choice.winner == "linear"
    assert choice.why.endswith("Failed: boosting. Not finished: equal.")


def test_todays_system_is_mentioned() -> None:
    """The reason says what today's system scores, and which is better."""
    existing = candidate("existing", TRUTH + 0.9 * NOISE[5], 0)
    choice = chosen([*made("linear"), existing])

    assert "Today's system has 0.9" in choice.why
    assert "which is worse" in choice.why
