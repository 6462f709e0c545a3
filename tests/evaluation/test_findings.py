"""Each finding appears when its cause is there, with its number, and not otherwise."""

import dataclasses
from typing import Any

import pytest

from modelyard.core import Finding, Severity
from modelyard.evaluation import (
    Comparison,
    Evaluation,
    Importance,
    MetricValue,
    Money,
    SegmentScore,
    SystemScores,
)
from modelyard.evaluation.fairness import FairnessGap
from modelyard.evaluation.findings import evaluation_findings
from modelyard.problem import GuardrailResult

GOOD = Comparison("roc_auc", 0.5, 0.84, 0.34, 0.3, 0.38, 0.001, 1000, "better", "naive")


@pytest.fixture
def quiet(churn_evaluation: Evaluation) -> Evaluation:
    """An evaluation in which nothing is to be found."""
    return dataclasses.replace(
        churn_evaluation,
        validation=(SystemScores("winner", (MetricValue("roc_auc", 0.84, 0.82, 0.86, True),)),),
        comparisons=(GOOD,),
        reasons=None,
        fairness=(),
        guardrails=(GuardrailResult("roc_auc", ">= 0.80", 0.84, met=True),),
        segments=(),
        importance=(Importance("a", 0.1, 0.01), Importance("b", 0.1, 0.01), Importance("c", 0.1, 0.01)),
        curves={},
        money=None,
        weak_slices=None,
        robustness=None,
        confusion=((700, 100), (100, 300)),
    )


def found(evaluation: Evaluation, **changes: Any) -> list[Finding]:
    """The findings after some changes."""
    return list(evaluation_findings(dataclasses.replace(evaluation, **changes)))


def segment(value: str, score: float, rows: int = 200, **more: Any) -> SegmentScore:
    """A segment with a narrow interval."""
    return SegmentScore("region", value, rows, "roc_auc", score, score - 0.01, score + 0.01, **more)


def test_silence_when_all_is_well(quiet: Evaluation) -> None:
    """No finding without a cause."""
    assert found(quiet) == []


def test_guardrails(quiet: Evaluation) -> None:
    """A broken bound is an error with both numbers; one that the interval reaches beyond is a note."""
    (broken,) = found(quiet, guardrails=(GuardrailResult("roc_auc", ">= 0.90", 0.84, met=False),))
    (close,) = found(quiet, guardrails=(GuardrailResult("roc_auc", ">= 0.83", 0.84, met=True),))

    assert (broken.id, broken.severity) == ("guardrail-not-met", "error")
    assert broken.message == "ROC AUC is 0.8400 on validation; the project file asks for >= 0.90."
    assert (close.id, close.severity) == ("guardrail-uncertain", "info")


@pytest.mark.parametrize(
    ("against", "verdict", "id_", "severity"),
    [
        ("naive", "inconclusive", "not-better-than-naive", "error"),
        ("naive", "worse", "not-better-than-naive", "error"),
        ("existing system", "inconclusive", "not-better-than-existing", "warning"),
        ("existing system", "worse", "not-better-than-existing", "error"),
    ],
)
def test_baselines_must_be_beaten(quiet: Evaluation, against: str, verdict: str, id_: str, severity: str) -> None:
    """Beyond noise: against the naive answer always an error, against today's system by the verdict."""
    comparison = dataclasses.replace(GOOD, against=against, verdict=verdict)
    (finding,) = found(quiet, comparisons=(comparison,))

    assert (finding.id, finding.severity) == (id_, severity)
    assert finding.evidence["p_value"] == 0.001


def test_a_metric_that_hides_the_problem(quiet: Evaluation) -> None:
    """Accuracy where one class has 95 %, ROC AUC where it has 96 %; neither where classes are even."""
    rare, rarer = ((900, 50), (30, 20)), ((940, 20), (20, 20))
    accuracy = MetricValue("accuracy", 0.92, 0.91, 0.93, greater_is_better=True)
    scores = (SystemScores("winner", (accuracy, MetricValue("roc_auc", 0.84, 0.82, 0.86, greater_is_better=True))),)

    assert [item.id for item in found(quiet, metric="accuracy", validation=scores, confusion=rare)] == [
        "metric-hides-the-problem"
    ]
    assert "95.0%" in found(quiet, metric="accuracy", validation=scores, confusion=rare)[0].message
    assert [item.id for item in found(quiet, confusion=rarer)] == ["metric-hides-the-problem"]
    assert found(quiet, confusion=rare) == []
    assert found(quiet, metric="accuracy", validation=scores) == []


def test_money_that_is_not_shown_or_lost(quiet: Evaluation) -> None:
    """An interval around 0 is a warning, one below 0 an error."""
    money = Money("EUR", 10.0, -5.0, 25.0, "doing nothing", 10, "Saves …", 1.0, -0.5, 2.5)
    loss = dataclasses.replace(money, per_case=-2.0, per_case_low=-3.0, per_case_high=-1.0)

    assert [(item.id, item.severity) for item in found(quiet, money=money)] == [("gain-not-shown", "warning")]
    assert [(item.id, item.severity) for item in found(quiet, money=loss)] == [("costs-money", "error")]
    assert found(quiet, money=dataclasses.replace(money, per_case_low=0.1)) == []


def test_test_figures_below_validation(quiet: Evaluation) -> None:
    """Only a test figure that is worse than the whole validation interval is a gap."""
    worse = (SystemScores("winner", (MetricValue("roc_auc", 0.805, 0.801, 0.84, greater_is_better=True),)),)
    better = (SystemScores("winner", (MetricValue("roc_auc", 0.9, 0.88, 0.92, greater_is_better=True),)),)

    assert [item.id for item in found(quiet, test=worse)] == ["validation-test-gap"]
    assert found(quiet, test=better) == []


def test_probabilities_that_do_not_mean_what_they_say(quiet: Evaluation) -> None:
    """Three bins or more outside chance and an average miss of at least 0.03."""
    points = {
        "predicted": [0.1, 0.3, 0.6, 0.9],
        "observed": [0.02, 0.15, 0.4, 0.7],
        "low": [0.01, 0.1, 0.3, 0.6],
        "high": [0.05, 0.2, 0.5, 0.8],
        "rows": [100.0] * 4,
        "error": 0.16,
    }
    (finding,) = found(quiet, curves={"calibration": points})

    assert finding.id == "calibration-off"
    assert finding.evidence["bins_outside"] == 4
    assert finding.evidence["mean_predicted"] == pytest.approx(0.475)
    assert found(quiet, curves={"calibration": {**points, "error": 0.01}}) == []


def test_weak_segments(quiet: Evaluation) -> None:
    """Only a large segment whose whole interval is worse than the whole overall interval is clearly worse."""
    segments = (
        segment("north", 0.84),
        segment("south", 0.70),
        segment("east", 0.6, note="small: 30 rows, mostly chance"),
        segment("west", 0.815),
    )
    (finding,) = found(quiet, segments=segments)

    assert (finding.id, finding.subject, finding.evidence["value"]) == ("weak-segment", "region", "south")
    assert "0.7000 (0.6900 to 0.7100) where region is south (200 rows of validation)" in finding.message


def test_unequal_treatment_of_protected_groups(quiet: Evaluation) -> None:
    """The four-fifths rule, and a gap of more than ten points in the rates; small groups decide nothing."""
    common: dict[str, Any] = {"protected": True, "base_rate": 0.5}
    first = segment("a", 0.84, selection_rate=0.5, true_positive_rate=0.9, false_positive_rate=0.1, **common)
    second = segment("b", 0.84, selection_rate=0.3, true_positive_rate=0.7, false_positive_rate=0.15, **common)
    small = segment("c", 0.84, 30, selection_rate=0.0, true_positive_rate=0.0, false_positive_rate=0.9, **common)
    findings = found(quiet, segments=(first, second, small))
    undeclared = (first, dataclasses.replace(second, protected=False))

    assert [item.id for item in findings] == ["selection-rate-gap", "true-positive-rate-gap"]
    assert findings[0].evidence == {"lowest": 0.3, "lowest_value": "b", "highest": 0.5, "highest_value": "a"}
    assert found(quiet, segments=undeclared) == []


def test_a_column_that_explains_everything(quiet: Evaluation) -> None:
    """More than four fifths of the use of all columns is suspicious, unless it is the declared time."""
    importance = (Importance("duration", 0.9, 0.01), Importance("b", 0.05, 0.01), Importance("c", 0.0, 0.01))
    draft = dataclasses.replace(quiet, importance=importance)

    assert [(item.id, item.subject) for item in evaluation_findings(draft)] == [("dominant-column", "duration")]
    assert evaluation_findings(draft, time="duration") == ()


def test_a_perfect_figure(quiet: Evaluation) -> None:
    """A ranking without a fault is a warning."""
    scores = (SystemScores("winner", (MetricValue("roc_auc", 1.0, 1.0, 1.0, greater_is_better=True),)),)

    assert [item.id for item in found(quiet, validation=scores)] == ["too-good-to-be-true"]


def test_the_account(quiet: Evaluation) -> None:
    """Repeated openings, few units and unseen classes are told."""
    account = dataclasses.replace(quiet.account, independent_units=6, left_out=3)
    findings = found(quiet, openings=3, account=account)

    assert [item.id for item in findings] == ["few-independent-units", "unseen-class", "test-opened-again"]
    assert "opened 3 times" in findings[2].message


def test_a_gap_that_may_be_chance_is_a_note(churn_evaluation: Evaluation) -> None:
    """The same gap is a warning beyond chance, and a note that says so if groups at random are as far apart."""
    sure = tuple(dataclasses.replace(gap, p_value=0.01) for gap in churn_evaluation.fairness)
    chance = tuple(dataclasses.replace(gap, p_value=0.4) for gap in churn_evaluation.fairness)

    def gap_of(fairness: tuple[FairnessGap, ...]) -> Finding:
        found = evaluation_findings(dataclasses.replace(churn_evaluation, fairness=fairness))
        return next(item for item in found if item.id == "selection-rate-gap")

    assert gap_of(sure).severity is Severity.WARNING
    assert gap_of(chance).severity is Severity.INFO
    assert "it may be chance (0.40)" in gap_of(chance).message
