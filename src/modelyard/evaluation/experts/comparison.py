"""Who is right more often, the winner or the experts, on the rows that both answered."""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.data.labelling import Agreement, cohen_kappa
from modelyard.data.schema import category_text
from modelyard.evaluation.comparison import compare
from modelyard.evaluation.experts.answers import together
from modelyard.evaluation.experts.records import ExpertAnswers, ExpertComparison, ExpertScore
from modelyard.evaluation.intervals import bootstrap
from modelyard.evaluation.money import row_values
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.problem import MetricInput, Problem, Task, metric_spec
from modelyard.training.metrics import decide_labels

__all__ = ["ALL", "compare_with_experts"]

Array = npt.NDArray[np.float64]
ALL = "all experts"


def compare_with_experts(
    answers: ExpertAnswers,
    problem: Problem,
    rows: JudgedRows,
    classes: Sequence[str],
    *,
    confidence: float,
    seed: int,
) -> ExpertComparison:
    """The winner beside each expert, and beside all of them together, on the judged rows that they answered.

    Answers about rows that are not judged here, sealed ones among them, are counted and left alone. Classes are compared
    by what the winner's labels are chosen for, in money where there are prices, with McNemar's exact test (McNemar, 1947)
    beside the bootstrap; values by the mean absolute error.

    Parameters
    ----------
    answers
        Checked against the task.
    classes
        In the order of their codes.
    """
    name = problem.data.id or ""
    places = {row: at for at, row in enumerate(category_text(rows.frame[name]).to_list())}
    known = {
        expert: {row: said for row, said in given.items() if row in places} for expert, given in answers.answers.items()
    }
    known = {expert: given for expert, given in known.items() if given}
    asked = {ALL: together(known, problem.task), **known} if len(known) > 1 else known
    scores = []
    for expert, given in asked.items():
        at = np.array([places[row] for row in given], dtype=np.intp)
        both = _Asked(
            rows.truth[at],
            _as_prediction(given, problem.task, classes),
            rows.predictions[WINNER][at],
            rows.threshold,
            None if rows.units is None else rows.units[at],
        )
        if given:
            scores.append(_score(expert, both, problem, confidence=confidence, seed=derive_seed(seed, expert)))
    agreements = [] if problem.task is Task.REGRESSION else _agreements(known, places, rows, classes)
    return ExpertComparison(
        source=answers.source,
        digest=answers.digest,
        part=rows.part,
        answered=len({row for given in answers.answers.values() for row in given}),
        joined=len({row for given in known.values() for row in given}),
        scores=tuple(scores),
        agreements=tuple(agreements),
    )


@dataclasses.dataclass(frozen=True)
class _Asked:
    """The rows that one expert answered: the truth, both answers as predictions, and which rows are drawn together."""

    truth: Array
    said: Array
    winner: Array
    threshold: float
    units: npt.NDArray[Any] | None


def _score(expert: str, asked: _Asked, problem: Problem, *, confidence: float, seed: int) -> ExpertScore:
    """One expert against the winner."""
    found = compare(
        _metric(problem),
        asked.truth,
        asked.said,
        asked.winner,
        confidence=confidence,
        seed=seed,
        groups=asked.units,
        thresholds=(0.5, asked.threshold),
    )
    only_winner = only_expert = None
    p_value = found.p_value
    if problem.task is not Task.REGRESSION:
        right = decide_labels(asked.winner, asked.threshold) == asked.truth
        also = decide_labels(asked.said) == asked.truth
        only_winner, only_expert = int((right & ~also).sum()), int((also & ~right).sum())
        p_value = mcnemar(only_winner, only_expert)
    score = ExpertScore(
        expert=expert,
        rows=len(asked.truth),
        metric=found.metric,
        expert_figure=found.champion,
        winner_figure=found.challenger,
        difference=found.difference,
        low=found.low,
        high=found.high,
        verdict=found.verdict,
        only_winner=only_winner,
        only_expert=only_expert,
        p_value=p_value,
    )
    return _in_money(score, asked, problem, confidence=confidence, seed=seed)


def _metric(problem: Problem) -> str:
    """What labels are chosen for, so that nobody is held to what was not asked of the winner."""
    if problem.task is Task.REGRESSION:
        return "mae"
    if metric_spec(problem.primary_metric).input is MetricInput.LABEL:
        return problem.primary_metric
    return "f1" if problem.task is Task.BINARY and not problem.costs.has_matrix else "accuracy"


def _in_money(score: ExpertScore, asked: _Asked, problem: Problem, *, confidence: float, seed: int) -> ExpertScore:
    """The same with the worth of the winner's decisions beyond the expert's, which then decides."""
    winner = row_values(problem, asked.truth, asked.winner, asked.threshold)
    expert = row_values(problem, asked.truth, asked.said, 0.5)
    if winner is None or expert is None:
        return score
    gain = winner - expert

    def statistic(weights: Array) -> Array:
        return np.asarray((weights @ gain) / weights.sum(axis=1))[:, np.newaxis]

    value, low, high = bootstrap(statistic, len(gain), seed=seed, groups=asked.units).interval(0, confidence)
    low, high = (end if math.isfinite(end) else value for end in (low, high))
    verdict = "better" if low > 0 else "worse" if high < 0 else "inconclusive"
    return dataclasses.replace(
        score, verdict=verdict, gain=value, gain_low=low, gain_high=high, currency=problem.costs.currency
    )


def mcnemar(one: int, other: int) -> float:
    """McNemar's exact test: the chance of so uneven a division of the rows on which exactly one is right.

    >>> round(mcnemar(9, 1), 4), mcnemar(0, 0)
    (0.0215, 1.0)
    """
    from scipy.stats import binomtest

    return float(binomtest(one, one + other).pvalue) if one + other else 1.0


def _as_prediction(given: Mapping[str, str], task: Task, classes: Sequence[str]) -> Array:
    """Answers in the form of predictions: 0 or 1, a 1 in the column of the class, or values."""
    if task is Task.REGRESSION:
        return np.array([float(answer) for answer in given.values()])
    codes = np.array([classes.index(answer) for answer in given.values()], dtype=np.intp)
    return codes.astype(np.float64) if task is Task.BINARY else np.eye(len(classes))[codes]


def _agreements(
    known: Mapping[str, Mapping[str, str]], places: Mapping[str, int], rows: JudgedRows, classes: Sequence[str]
) -> list[Agreement]:
    """Kappa of each pair of experts, then of each with the winner."""
    decided = decide_labels(rows.predictions[WINNER], rows.threshold)
    winner = {row: classes[int(decided[at])] for row, at in places.items()}
    found = []
    for first, second in [*itertools.combinations(known, 2), *((expert, WINNER) for expert in known)]:
        theirs = winner if second == WINNER else known[second]
        both = [row for row in known[first] if row in theirs]
        found.append(cohen_kappa([known[first][row] for row in both], [theirs[row] for row in both], (first, second)))
    return found
