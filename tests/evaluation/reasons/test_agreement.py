"""Agreement is measured, and disagreement is planted and found."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from modelyard.core import Actor, Severity
from modelyard.evaluation import Evaluation
from modelyard.evaluation.evaluate import evaluate
from modelyard.evaluation.reasons import MethodAgreement, ModelAgreement, Reasons, SecondOpinion
from modelyard.evaluation.reasons.agreement import compare_methods, compare_models
from modelyard.evaluation.reasons.findings import reasons_findings
from modelyard.evaluation.records import Contribution, RowExplanation
from modelyard.problem import Task
from modelyard.training.families.registry import FAMILIES
from modelyard.training.target import encode_target

if TYPE_CHECKING:
    from tests.evaluation.conftest import Live
    from tests.life import Life


def _explained(*amounts: float) -> RowExplanation:
    return RowExplanation(
        "1", 0.5, tuple(Contribution(name, "", size) for name, size in zip("abc", amounts, strict=True))
    )


def test_counts_of_shared_columns_and_signs() -> None:
    """Three of three columns, two of three directions; then one of one shared column by another order."""
    same = compare_methods(
        [_explained(3, 2, -1)], [SecondOpinion("1", ("b", "a", "c"), (0.2, 0.1, 0.05), 0.9)], None, ()
    )
    other = compare_methods(
        [_explained(3, 2, 1)], [SecondOpinion("1", ("x", "y", "a"), (0.2, 0.1, 0.05), 0.7)], None, ()
    )

    assert same is not None
    assert other is not None
    assert (same.rows, same.same_top, same.fit, same.top) == (1, 1.0, 0.9, 3)
    assert same.same_sign == pytest.approx(2 / 3)
    assert other.same_top == pytest.approx(1 / 3)
    assert (other.same_sign, other.importance) == (1.0, None)
    assert compare_methods([], [], None, ()) is None


def test_methods_agree_on_real_customers(churn_evaluation: Evaluation) -> None:
    """Nine rows; most columns named first are the same, nearly all with the same sign; shuffling ranks alike."""
    reasons = churn_evaluation.reasons
    assert reasons is not None
    assert reasons.methods is not None

    assert reasons.methods.rows == len(reasons.opinions) == len(churn_evaluation.explanations)
    assert [item.row_id for item in reasons.opinions] == [item.row_id for item in churn_evaluation.explanations]
    assert reasons.methods.same_top > 0.4
    assert reasons.methods.same_sign is not None
    assert reasons.methods.same_sign > 0.7
    assert "explanations-disagree" not in {finding.id for finding in churn_evaluation.findings}


def test_other_families_look_at_the_same_columns(live: "Live", churn_life: "Life", actor: Actor) -> None:
    """A tree beside a linear model on the same customers: both rely on contract and tenure."""
    frame = churn_life.split.train.frame.head(900)
    plan = {"families": ["linear", "decision_tree"], "folds": 2, "tuning_rounds": 0}
    life = live(frame, {"data": {"source": "t", "target": "Churn", "id": "customerID"}, "training": plan})
    found = evaluate(life.run, life.split, life.problem, actor=actor, reason=None)
    assert found.reasons is not None
    (other,) = found.reasons.models

    assert {other.family, life.run.record.candidate(life.run.record.winner).family} == {"linear", "decision_tree"}
    assert 0 < other.correlation <= 1
    assert other.shared >= 2
    assert other.predictions > 0.6


def test_a_model_that_looks_elsewhere_is_named(churn_life: "Life") -> None:
    """A model from rows in which the columns that count were shuffled looks at others; from one class none can be had."""
    generator = np.random.default_rng(0)
    frame = churn_life.split.train.frame
    truth = encode_target(frame["Churn"], Task.BINARY, churn_life.run.record.classes)
    model = churn_life.run.model("development")
    record = churn_life.run.record
    winner = record.candidate(record.winner)
    rival = dataclasses.replace(winner, name="tree", family="decision_tree", rounds=None)
    rival = dataclasses.replace(rival, params=FAMILIES["decision_tree"].defaults(Task.BINARY))
    run = dataclasses.replace(record, candidates=(*record.candidates, rival))
    lost = ("Contract", "tenure", "InternetService", "MonthlyCharges", "TotalCharges")
    shuffled = frame.with_columns(frame[name][generator.permutation(frame.height)] for name in lost)
    same = compare_models(model, run, (frame, truth), churn_life.split.validation.frame, FAMILIES, seed=0)
    apart = compare_models(model, run, (shuffled, truth), churn_life.split.validation.frame, FAMILIES, seed=0)

    assert same[0].as_good
    assert same[0].shared > apart[0].shared
    assert same[0].predictions > apart[0].predictions
    one_class = (frame.filter(pl.Series(truth == 0)), truth[truth == 0])
    assert compare_models(model, run, one_class, churn_life.split.validation.frame, FAMILIES, seed=0) == ()


def test_disagreement_is_a_finding() -> None:
    """Methods that share nothing though the lines fit, and a model as good that looks elsewhere; else silence."""
    apart = MethodAgreement(9, 0.2, 0.9, 0.8, 0.9)
    loose = dataclasses.replace(apart, fit=0.3)
    shuffled = dataclasses.replace(apart, same_top=0.9, importance=0.1)
    elsewhere = ModelAgreement("xgboost", "xgboost", 0.2, 1, 5, 0.9, as_good=True)
    worse = dataclasses.replace(elsewhere, as_good=False)

    def ids(reasons: Reasons) -> list[str]:
        return [finding.id for finding in reasons_findings(reasons, Task.BINARY)]

    assert ids(Reasons(methods=apart)) == ["explanations-disagree"]
    assert ids(Reasons(methods=loose)) == []
    assert ids(Reasons(methods=shuffled)) == ["explanations-disagree"]
    assert ids(Reasons(models=(elsewhere, worse))) == ["models-disagree"]
    (finding,) = reasons_findings(Reasons(methods=apart), Task.BINARY)
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith("Contributions and LIME share 20% of the 3 columns")
