"""Who is right more often, the winner or the experts, on the rows that both answered."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.data.labelling import Agreement, cohen_kappa
from modelyard.data.schema import category_text
from modelyard.evaluation.comparison import compare
from modelyard.evaluation.experts.answers import together
from modelyard.evaluation.experts.records import ExpertAnswers, ExpertComparison, ExpertScore
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.problem import Problem, Task
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
    by accuracy, with McNemar's exact test (McNemar, 1947) beside the bootstrap; values by the mean absolute error.

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
    scores = [
        _score(expert, given, places, problem.task, rows, classes, (confidence, derive_seed(seed, expert)))
        for expert, given in asked.items()
        if given
    ]
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


def _score(
    expert: str,
    given: Mapping[str, str],
    places: Mapping[str, int],
    task: Task,
    rows: JudgedRows,
    classes: Sequence[str],
    drawn: tuple[float, int],
) -> ExpertScore:
    """One expert against the winner; ``drawn`` is the confidence and the seed."""
    at = np.array([places[row] for row in given], dtype=np.intp)
    said, truth, winner = _as_prediction(given, task, classes), rows.truth[at], rows.predictions[WINNER][at]
    found = compare(
        "mae" if task is Task.REGRESSION else "accuracy",
        truth,
        said,
        winner,
        confidence=drawn[0],
        seed=drawn[1],
        groups=None if rows.units is None else rows.units[at],
        thresholds=(0.5, rows.threshold),
    )
    only_winner = only_expert = None
    p_value = found.p_value
    if task is not Task.REGRESSION:
        right, also = decide_labels(winner, rows.threshold) == truth, decide_labels(said) == truth
        only_winner, only_expert = int((right & ~also).sum()), int((also & ~right).sum())
        p_value = mcnemar(only_winner, only_expert)
    return ExpertScore(
        expert=expert,
        rows=len(at),
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
