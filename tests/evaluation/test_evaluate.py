"""The evaluation of real runs: figures of the right rows, baselines beside the winner, one look at the test part."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_wine

from modelyard.core import Actor, DataError, ProgressEvent
from modelyard.evaluation import Evaluation
from modelyard.evaluation.evaluate import evaluate
from modelyard.problem import Task, metrics_for
from modelyard.training.metrics import score

if TYPE_CHECKING:
    from tests.evaluation.conftest import Live
    from tests.life import Life


def test_validation_figures_are_those_of_the_development_model(
    churn_life: "Life", churn_evaluation: Evaluation
) -> None:
    """Every metric is there, and equals the metric of the development model's predictions at the threshold."""
    rows = churn_life.split.validation.frame
    truth = (rows["Churn"] == "Yes").cast(pl.Float64).to_numpy()
    prediction = churn_life.run.model("development").predict(rows)
    threshold = churn_evaluation.threshold
    winner = churn_evaluation.scores_of("winner")

    assert threshold is not None
    assert winner is not None
    assert [value.name for value in winner.metrics] == [spec.name for spec in metrics_for(Task.BINARY)]
    for value in winner.metrics:
        assert value.value == pytest.approx(score(value.name, truth, prediction, threshold=threshold.value))
        assert value.low is not None
        assert value.high is not None
        assert value.low < (value.value or 0.0) < value.high


def test_baselines_stand_beside_the_winner(churn_evaluation: Evaluation) -> None:
    """Naive first, winner last; a yes/no rule has no log loss; the winner beats both by the primary metric."""
    names = [scores.name for scores in churn_evaluation.validation]
    rule = churn_evaluation.scores_of("existing system")
    naive = churn_evaluation.scores_of("naive")

    assert names == ["naive", "existing system", "winner"]
    assert rule is not None
    assert naive is not None
    assert [value.name for value in rule.metrics if value.value is None] == ["log_loss", "brier"]
    assert (naive.metric("roc_auc"), rule.metric("unknown")) == (naive.metrics[0], None)
    assert naive.metrics[0].value == 0.5
    assert [(item.against, item.verdict) for item in churn_evaluation.comparisons] == [
        ("naive", "better"),
        ("existing system", "better"),
    ]


def test_without_a_reason_the_test_part_stays_sealed(churn_life: "Life", churn_evaluation: Evaluation) -> None:
    """Nothing is opened, and the evaluation says so."""
    assert churn_life.split.test.openings() == 0
    assert churn_evaluation.test == ()
    assert (churn_evaluation.measured_on, churn_evaluation.openings, churn_evaluation.confidence) == (
        "validation",
        0,
        0.95,
    )
    assert churn_evaluation.account.opened_at is None


def test_the_test_part_is_opened_once_and_accounted_for(live: "Live", data_folder: Path, actor: Actor) -> None:
    """With a reason the final model is scored on the sealed rows; a second opening widens the intervals."""
    frame = pl.read_parquet(data_folder / "telco_churn.parquet").sample(1500, seed=1)
    life = live(frame, {"data": {"source": "t", "target": "Churn", "id": "customerID"}})
    first = evaluate(life.run, life.split, life.problem, actor=actor, reason="final evaluation")
    again = evaluate(life.run, life.split, life.problem, actor=actor, reason="once more")
    rows = life.split.test.open("to check the figure", actor)
    truth = (rows["Churn"] == "Yes").cast(pl.Float64).to_numpy()
    expected = score("roc_auc", truth, life.run.model("final").predict(rows))
    one, two = first.test[-1].metrics[0], again.test[-1].metrics[0]
    opened = life.workspace.ledger.rows(action="test.opened")

    assert (first.measured_on, first.openings, first.confidence) == ("test", 1, 0.95)
    assert (again.openings, again.confidence) == (2, 0.975)
    assert one.value == two.value == pytest.approx(expected)
    assert (two.high or 0) - (two.low or 0) > (one.high or 0) - (one.low or 0)
    assert (first.account.opened_by, first.account.reason) == (actor.name, "final evaluation")
    assert first.test_opened_at == first.account.opened_at is not None
    assert first.account.test_digest == life.split.test.digest
    assert "test-opened-again" in [finding.id for finding in again.findings]
    assert "test-opened-again" not in [finding.id for finding in first.findings]
    assert len(opened) == 3


def test_threshold_and_explanations_never_see_the_test_part(live: "Live", data_folder: Path, actor: Actor) -> None:
    """They are the same whether the test part is opened or not."""
    frame = pl.read_parquet(data_folder / "telco_churn.parquet").sample(1000, seed=2)
    life = live(frame, {"data": {"source": "t", "target": "Churn", "id": "customerID"}})
    sealed = evaluate(life.run, life.split, life.problem, actor=actor, reason=None)
    opened = evaluate(life.run, life.split, life.problem, actor=actor, reason="final evaluation")

    assert sealed.threshold == opened.threshold
    assert sealed.importance == opened.importance
    assert sealed.explanations == opened.explanations
    assert sealed.errors == opened.errors
    assert sealed.weak_slices == opened.weak_slices
    assert sealed.robustness == opened.robustness
    assert sealed.validation == opened.validation
    assert sealed.confusion != opened.confusion


def test_money_segments_and_guardrails_of_the_question(churn_life: "Life", churn_evaluation: Evaluation) -> None:
    """The declared prices, columns and bounds are all answered."""
    money = churn_evaluation.money
    rows = churn_life.split.validation.frame.height

    assert money is not None
    assert money.against == "today's process"
    assert money.per_year == pytest.approx(money.per_case * 50_000)
    assert {item.column for item in churn_evaluation.segments} == {"Contract", "SeniorCitizen"}
    assert sum(item.rows for item in churn_evaluation.segments if item.column == "Contract") == rows
    assert [item.protected for item in churn_evaluation.segments] == [False] * 3 + [True] * 2
    assert [(item.metric, item.met) for item in churn_evaluation.guardrails] == [("roc_auc", True), ("log_loss", False)]
    assert sum(map(sum, churn_evaluation.confusion)) == rows
    assert [finding.subject for finding in churn_evaluation.findings if finding.id == "guardrail-not-met"] == [
        "log_loss"
    ]
    assert {item.feature for item in churn_evaluation.importance[:6]} >= {"tenure"}


def test_the_record_survives_json(churn_evaluation: Evaluation) -> None:
    """``to_dict`` and ``from_dict`` are inverse, and there is no NaN in between."""
    import json

    text = json.dumps(churn_evaluation.to_dict(), allow_nan=False)

    assert Evaluation.from_dict(json.loads(text)) == churn_evaluation


def test_records_of_earlier_versions_are_read(churn_evaluation: Evaluation) -> None:
    """What was not looked for in earlier versions is None."""
    later = {"errors", "weak_slices", "robustness"}
    earlier = {name: value for name, value in churn_evaluation.to_dict().items() if name not in later}
    read = Evaluation.from_dict(earlier)

    assert (read.errors, read.weak_slices, read.robustness) == (None, None, None)
    assert read.explanations == churn_evaluation.explanations


def test_progress_is_told(churn_life: "Life", actor: Actor) -> None:
    """Eight steps, counted up to the last."""
    events: list[ProgressEvent] = []
    evaluate(churn_life.run, churn_life.split, churn_life.problem, actor=actor, reason=None, progress=events.append)

    assert [event.done for event in events if event.step == "evaluation"] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert {event.total for event in events if event.step == "evaluation"} == {8}


def test_several_classes(live: "Live", actor: Actor) -> None:
    """Wine: three classes, far better than chance, a 3 by 3 confusion, money by wrong class, segments by importance."""
    data = load_wine()
    frame = pl.DataFrame({name: data.data[:, index] for index, name in enumerate(data.feature_names)})
    frame = frame.with_columns(cultivar=pl.Series([f"class {code}" for code in data.target]))
    question = {"data": {"source": "t", "target": "cultivar"}, "costs": {"per_error": -10, "volume_per_year": 100}}
    life = live(frame, question)
    result = evaluate(life.run, life.split, life.problem, actor=actor, reason="final evaluation")
    winner, naive = result.scores_of("winner"), result.scores_of("naive")

    assert winner is not None
    assert naive is not None
    assert result.threshold is None
    assert result.classes == ("class 0", "class 1", "class 2")
    assert np.array(result.confusion).shape == (3, 3)
    assert (winner.metric("accuracy") or naive.metrics[0]).value == pytest.approx(1.0, abs=0.1)
    assert naive.metrics[0].value == 0.5
    assert result.money is not None
    assert result.money.against == "giving everybody the same answer"
    assert result.money.per_case > 3
    assert len({item.column for item in result.segments}) == 3
    assert all(item.explained_class in result.classes for item in result.explanations)


def test_values_by_groups(live: "Live", data_folder: Path, actor: Actor) -> None:
    """Parkinson's patients: patients are drawn together, their small number is a finding, and the naive answer is hard to
    beat.
    """
    frame = pl.read_parquet(data_folder / "parkinsons_telemonitoring.parquet").drop("motor_UPDRS")
    life = live(
        frame, {"data": {"source": "t", "target": "total_UPDRS", "group": "subject"}, "metrics": {"primary": "mae"}}
    )
    result = evaluate(life.run, life.split, life.problem, actor=actor, reason="final evaluation")
    winner = result.scores_of("winner")
    subjects = life.split.test.open("to count patients", actor)["subject"].n_unique()

    assert winner is not None
    assert result.account.independent_units == subjects < 20
    assert "few-independent-units" in [finding.id for finding in result.findings]
    assert "not-better-than-naive" in [finding.id for finding in result.findings]
    assert (winner.metric("mae") or winner.metrics[0]).value > 6  # type: ignore[operator]
    assert (result.confusion, result.threshold, result.classes) == ((), None, ())
    assert result.explanations[0].scale == "value"


def test_a_shuffled_target_is_not_better_than_chance(live: "Live", data_folder: Path, actor: Actor) -> None:
    """The wrong-way check: nothing to learn gives an error finding, not a model."""
    frame = pl.read_parquet(data_folder / "telco_churn.parquet").sample(1200, seed=3)
    shuffled = frame.with_columns(frame["Churn"].shuffle(seed=5))
    life = live(shuffled, {"data": {"source": "t", "target": "Churn", "id": "customerID"}})
    result = evaluate(life.run, life.split, life.problem, actor=actor, reason="final evaluation")

    assert result.comparisons[0].verdict == "inconclusive"
    assert "not-better-than-naive" in [finding.id for finding in result.findings if finding.severity == "error"]


def test_without_a_validation_part_held_out_rows_of_training_serve(
    live: "Live", data_folder: Path, actor: Actor
) -> None:
    """Out-of-fold predictions take its place; an empty sealed part cannot be opened."""
    frame = pl.read_parquet(data_folder / "telco_churn.parquet").sample(800, seed=4)
    shares = {"train": 1.0, "validation": 0.0, "test": 0.0}
    life = live(frame, {"data": {"source": "t", "target": "Churn", "id": "customerID"}, "split": shares})
    result = evaluate(life.run, life.split, life.problem, actor=actor, reason=None)
    truth = (life.split.train.frame["Churn"] == "Yes").cast(pl.Float64).to_numpy()
    expected = score("roc_auc", truth, life.run.out_of_fold(life.run.record.winner))

    assert result.measured_on == "out of fold"
    assert result.validation[-1].metrics[0].value == pytest.approx(expected)
    with pytest.raises(DataError, match="the sealed part has no rows to open"):
        evaluate(life.run, life.split, life.problem, actor=actor, reason="final evaluation")


def test_rows_of_an_unknown_class_are_counted_not_scored(live: "Live", actor: Actor) -> None:
    """A class that only the sealed part holds cannot be scored; the rows are left out and named."""
    generator = np.random.default_rng(0)
    kind = generator.choice(["a", "b", "c"], 600)
    part = np.repeat(["train", "validation", "test"], [400, 100, 100])
    kind[-5:] = "d"
    frame = pl.DataFrame({"x": (kind == "a") + generator.normal(0, 0.3, 600), "part": part, "kind": kind})
    life = live(frame, {"data": {"source": "t", "target": "kind"}, "split": {"strategy": "column", "column": "part"}})
    result = evaluate(life.run, life.split, life.problem, actor=actor, reason="final evaluation")

    assert result.account.left_out == 5
    assert sum(map(sum, result.confusion)) == 95
    assert "unseen-class" in [finding.id for finding in result.findings]
