"""Disturbed input turns the predictions of fragile models, and leaves those of steady ones alone."""

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from modelyard.evaluation import Disturbance, Evaluation, Robustness, evaluation_page
from modelyard.evaluation.findings import evaluation_findings
from modelyard.evaluation.weaknesses.robustness import disturb
from modelyard.report import render_markdown

if TYPE_CHECKING:
    from tests.evaluation.conftest import Fit, Sample
    from tests.life import Life


def by_kind(found: Robustness) -> dict[tuple[str, str], Disturbance]:
    """The disturbances by kind and column."""
    return {(item.kind, item.feature): item for item in found.disturbances}


def test_each_column_is_disturbed_in_its_ways(fit: "Fit", churn: "Sample") -> None:
    """Numbers by noise and extremes, categories by an unseen value, all by missing; the rows are a sample."""
    found = disturb(fit("lightgbm", churn), churn.frame, churn.frame, threshold=0.3, seed=0)
    kinds = {kind: {feature for other, feature in by_kind(found) if other == kind} for kind, _ in by_kind(found)}

    assert found.rows == 300
    assert kinds["missing"] == {column.name for column in churn.columns}
    assert kinds["unseen"] == {"Contract", "InternetService", "PaymentMethod"}
    assert kinds["extreme"] | {""} == kinds["noise"]
    assert kinds["extreme"] >= {"tenure", "MonthlyCharges"}
    assert all(0 <= (item.turned or 0.0) <= 1 and not item.note for item in found.disturbances)


def test_the_share_that_turns_is_that_of_the_model(fit: "Fit", churn: "Sample") -> None:
    """Without the contract, the share of other decisions and the mean change are those of predictions by hand."""
    model, part = fit("linear", churn), churn.frame.head(200)
    found = by_kind(disturb(model, part, churn.frame, threshold=0.3, seed=0))[("missing", "Contract")]
    before = model.predict(part)
    after = model.predict(part.with_columns(Contract=pl.lit(None, dtype=pl.String)))

    assert found.turned == pytest.approx(((before >= 0.3) != (after >= 0.3)).mean())
    assert found.change == pytest.approx(np.abs(before - after).mean())
    assert (found.change or 0) > 0.02


def test_what_the_model_does_not_use_turns_nothing(fit: "Fit", churn: "Sample") -> None:
    """A planted switch carries everything: without it all decisions turn, and noise in the others turns none."""
    generator = np.random.default_rng(0)
    truth = (generator.random(600) < 0.7).astype(float)
    frame = pl.DataFrame({"tenure": generator.random(600), "Contract": np.where(truth == 1, "on", "off")})
    columns = tuple(column for column in churn.columns if column.name in frame.columns)
    sample = dataclasses.replace(churn, frame=frame, truth=truth, columns=columns)
    found = by_kind(disturb(fit("linear", sample), frame, frame, threshold=0.5, seed=0))

    assert found[("noise", "tenure")].turned == 0
    assert found[("missing", "tenure")].turned == 0
    assert (found[("missing", "Contract")].turned or 0) > 0.25


def test_values_turn_when_they_move_far(fit: "Fit", charges: "Sample") -> None:
    """Without the internet service the price moves by far more than half the spread for most rows; noise moves none."""
    found = by_kind(disturb(fit("linear", charges), charges.frame, charges.frame, threshold=0.5, seed=0))

    assert (found[("missing", "InternetService")].turned or 0) > 0.4
    assert found[("noise", "tenure")].turned == 0
    assert (found[("extreme", "tenure")].change or 0) > 3 * (found[("noise", "tenure")].change or math.inf)


def test_several_classes_turn(fit: "Fit", plans: "Sample") -> None:
    """Another likeliest class is a turn; the change is the probability that moves."""
    found = by_kind(disturb(fit("lightgbm", plans), plans.frame, plans.frame, threshold=0.5, seed=0))

    assert (found[("missing", "tenure")].turned or 0) > 0.1
    assert 0 < (found[("missing", "tenure")].change or 0) < 1


def test_fragile_models_are_a_finding_and_steady_ones_are_not(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """A fifth of the decisions for one missing field, a tenth for noise; the page lists the worst first."""
    fragile = Robustness(
        300,
        (
            Disturbance("missing", "tenure", 0.21, 0.1),
            Disturbance("missing", "Contract", 0.35, 0.2),
            Disturbance("noise", "", 0.11, 0.05),
            Disturbance("missing", "own", None, None, note="refused: no"),
        ),
    )
    steady = Robustness(300, (Disturbance("missing", "tenure", 0.2, 0.1), Disturbance("noise", "", 0.1, 0.05)))
    told = dataclasses.replace(churn_evaluation, robustness=fragile)
    found = {
        item.id: item
        for item in evaluation_findings(told)
        if item.id in ("turned-by-a-missing-field", "turned-by-noise")
    }
    quiet = {item.id for item in evaluation_findings(dataclasses.replace(churn_evaluation, robustness=steady))}
    text = render_markdown(evaluation_page(told, churn_life.run.record, churn_life.problem, None))

    assert found["turned-by-a-missing-field"].message == (
        "A single missing field turns more than 20% of the decisions: 'Contract' 35%, 'tenure' 21%."
    )
    assert "turns 11% of the decisions" in found["turned-by-noise"].message
    assert not quiet & set(found)
    assert "the worst is `Contract`, field missing: it turns 35" in text
