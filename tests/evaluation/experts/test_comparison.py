"""The winner is held against experts on the rows that are judged, and on no other."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from modelyard.core import Actor, DataError, Severity
from modelyard.evaluation import evaluation_page
from modelyard.evaluation.evaluate import evaluate
from modelyard.evaluation.experts import ExpertAnswers
from modelyard.evaluation.experts.comparison import ALL, compare_with_experts, mcnemar
from modelyard.evaluation.experts.findings import expert_findings
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.problem import Problem, Task
from modelyard.problem.schema import Costs, Metrics
from modelyard.report import render_markdown

if TYPE_CHECKING:
    from tests.life import Life

PROBLEM = Problem.model_validate(
    {"data": {"source": "t", "target": "y", "id": "id", "positive": "yes"}, "task": "binary"}
)
PROBLEM = PROBLEM.model_copy(update={"metrics": Metrics(primary="accuracy")})
CLASSES = ("no", "yes")


def _judged(rows: int = 300, right: float = 0.7) -> JudgedRows:
    """Rows of which the winner decides a share rightly."""
    generator = np.random.default_rng(0)
    truth = (generator.random(rows) < 0.5).astype(np.float64)
    score = np.where(generator.random(rows) < right, truth, 1 - truth)
    frame = pl.DataFrame({"id": np.arange(rows), "y": np.where(truth == 1, "yes", "no")})
    return JudgedRows("validation", frame, truth, {WINNER: score * 0.8 + 0.1}, threshold=0.4)


def _expert(rows: JudgedRows, right: float, seed: int, step: int = 1) -> dict[str, str]:
    generator = np.random.default_rng(seed)
    said = np.where(generator.random(len(rows.truth)) < right, rows.truth, 1 - rows.truth)
    return {str(at): CLASSES[int(said[at])] for at in range(0, len(said), step)}


def test_a_better_expert_is_better() -> None:
    """Accuracy on common rows, its paired interval, the rows that only one got right, and McNemar's chance."""
    rows = _judged()
    answers = ExpertAnswers("a.csv", "d", {"ada": _expert(rows, 0.95, 1, step=2)})
    found = compare_with_experts(answers, PROBLEM, rows, CLASSES, confidence=0.95, seed=0)
    (score,) = found.scores
    at = np.arange(0, 300, 2)
    winner = (rows.predictions[WINNER][at] >= 0.4) == rows.truth[at]
    expert = np.array([answers.answers["ada"][str(place)] == rows.frame["y"][int(place)] for place in at])

    assert (score.expert, score.rows, score.verdict) == ("ada", 150, "worse")
    assert score.winner_figure == pytest.approx(winner.mean())
    assert score.expert_figure == pytest.approx(expert.mean())
    assert score.difference == pytest.approx(winner.mean() - expert.mean())
    assert (score.only_winner, score.only_expert) == ((winner & ~expert).sum(), (expert & ~winner).sum())
    assert score.high < 0
    assert score.p_value < 0.001
    assert [finding.id for finding in expert_findings(found)] == ["experts-are-better"]
    assert (found.answered, found.joined) == (150, 150)


def test_several_experts_are_compared_together_and_with_one_another() -> None:
    """The majority stands first; kappa of each pair, and of each with the winner; guesses disagree."""
    rows = _judged()
    answers = {name: _expert(rows, 0.8, seed) for seed, name in enumerate(("ada", "ben", "eve"), start=1)}
    found = compare_with_experts(ExpertAnswers("a.csv", "d", answers), PROBLEM, rows, CLASSES, confidence=0.95, seed=0)
    guesses = {name: _expert(rows, 0.5, seed) for seed, name in enumerate(("ada", "ben"), start=5)}
    apart = compare_with_experts(ExpertAnswers("a.csv", "d", guesses), PROBLEM, rows, CLASSES, confidence=0.95, seed=0)

    assert [score.expert for score in found.scores] == [ALL, "ada", "ben", "eve"]
    assert found.scores[0].expert_figure is not None
    assert found.scores[1].expert_figure is not None
    assert found.scores[0].expert_figure > found.scores[1].expert_figure
    assert [(item.first, item.second) for item in found.agreements] == [
        ("ada", "ben"),
        ("ada", "eve"),
        ("ben", "eve"),
        ("ada", WINNER),
        ("ben", WINNER),
        ("eve", WINNER),
    ]
    assert found.agreements[0].kappa == pytest.approx(0.36, abs=0.12)
    assert [finding.id for finding in expert_findings(apart)] == ["experts-disagree"]


def test_money_decides_where_there_is_a_price() -> None:
    """A winner that acts on every doubt is wrong more often than a cautious expert, and worth more; F1 without prices."""
    rows = _judged(400, right=1.0)
    winner = np.where(np.arange(400) % 3 == 0, 0.9, rows.predictions[WINNER])
    bold = dataclasses.replace(rows, predictions={WINNER: winner})
    said = {str(at): "yes" if rows.truth[at] == 1 and at % 2 else "no" for at in range(400)}
    answers = ExpertAnswers("a.csv", "d", {"ada": said})
    priced = PROBLEM.model_copy(update={"costs": Costs(true_positive=100, false_positive=-5, currency="EUR")})
    (score,) = compare_with_experts(answers, priced, bold, CLASSES, confidence=0.95, seed=0).scores
    label = (winner >= 0.4).astype(float)
    expert = np.array([float(said[str(at)] == "yes") for at in range(400)])
    worth = [np.where(acted == 1, np.where(rows.truth == 1, 100.0, -5.0), 0.0).mean() for acted in (label, expert)]
    plain = PROBLEM.model_copy(update={"metrics": Metrics()})

    assert score.gain == pytest.approx(worth[0] - worth[1])
    assert (score.verdict, score.currency) == ("better", "EUR")
    assert score.gain_low is not None
    assert score.gain_low > 0
    assert compare_with_experts(answers, plain, bold, CLASSES, confidence=0.95, seed=0).scores[0].metric == "f1"


def test_rows_that_are_not_judged_are_left_alone() -> None:
    """Answers about other rows are counted; of three joined rows hardly anything can be told."""
    rows = _judged()
    answers = ExpertAnswers("a.csv", "d", {"ada": {"1": "yes", "2": "no", "3": "no", "sealed-1": "yes"}})
    found = compare_with_experts(answers, PROBLEM, rows, CLASSES, confidence=0.95, seed=0)
    none = compare_with_experts(
        ExpertAnswers("a.csv", "d", {"ada": {"sealed-1": "yes"}}), PROBLEM, rows, CLASSES, confidence=0.95, seed=0
    )

    assert (found.answered, found.joined) == (4, 3)
    assert [(item.id, item.severity) for item in expert_findings(found)] == [("few-expert-answers", Severity.INFO)]
    assert (none.joined, none.scores, none.agreements) == (0, (), ())


def test_classes_and_values_are_compared_in_their_own_measure() -> None:
    """Several classes by accuracy, values by the mean absolute error, of which less is better."""
    generator = np.random.default_rng(0)
    frame = pl.DataFrame({"id": [f"r{at}" for at in range(100)]})
    truth = generator.integers(0, 3, 100).astype(np.float64)
    several = JudgedRows("validation", frame, truth, {WINNER: np.eye(3)[truth.astype(int)]})
    said = {f"r{at}": "abc"[(int(truth[at]) + (at % 4 == 0)) % 3] for at in range(100)}
    classes = compare_with_experts(
        ExpertAnswers("a", "d", {"ada": said}),
        PROBLEM.model_copy(update={"task": Task.MULTICLASS}),
        several,
        tuple("abc"),
        confidence=0.95,
        seed=0,
    )
    values = dataclasses.replace(several, predictions={WINNER: truth + 1.0})
    numbers = compare_with_experts(
        ExpertAnswers("a", "d", {"ada": {f"r{at}": str(truth[at] + 3) for at in range(100)}}),
        PROBLEM.model_copy(update={"task": Task.REGRESSION}),
        values,
        (),
        confidence=0.95,
        seed=0,
    )

    assert (classes.scores[0].expert_figure, classes.scores[0].winner_figure) == (0.75, 1.0)
    assert (classes.scores[0].only_winner, classes.scores[0].only_expert) == (25, 0)
    assert numbers.scores[0].metric == "mae"
    assert numbers.scores[0].difference == pytest.approx(2.0)
    assert numbers.scores[0].verdict == "better"
    assert numbers.agreements == ()


def test_mcnemar_is_the_sign_test() -> None:
    """Twice the smaller tail of a fair coin's throws, at most 1."""
    assert mcnemar(3, 12) == pytest.approx(2 * binom.cdf(3, 15, 0.5))
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(0, 0) == 1.0


def test_an_evaluation_with_experts(churn_life: "Life", actor: Actor) -> None:
    """Validation rows are joined without opening the test part; the page has a section; a stranger's class is refused."""
    rows = churn_life.split.validation.frame
    answers = {"ada": dict(zip(rows["customerID"], rows["Churn"], strict=True)), "ben": {"nobody": "No"}}
    asked = ExpertAnswers("answers.csv", "d", answers)
    before = churn_life.split.test.openings()
    found = evaluate(churn_life.run, churn_life.split, churn_life.problem, actor=actor, reason=None, experts=asked)
    text = render_markdown(evaluation_page(found, churn_life.run.record, churn_life.problem, None))
    assert found.experts is not None

    assert churn_life.split.test.openings() == before
    assert found.experts.part == "validation"
    assert (found.experts.answered, found.experts.joined) == (rows.height + 1, rows.height)
    assert found.experts.scores[0].expert_figure == 1.0
    assert "experts-are-better" in {finding.id for finding in found.findings}
    assert "Against ada, the winner is worse, -" in text
    assert "worth more, EUR a case" in text
    strange = ExpertAnswers("answers.csv", "d", {"ada": {"7": "Perhaps"}})
    with pytest.raises(DataError, match="Perhaps"):
        evaluate(churn_life.run, churn_life.split, churn_life.problem, actor=actor, reason="x", experts=strange)
    assert churn_life.split.test.openings() == before
