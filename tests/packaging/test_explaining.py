"""Reasons add up to the score for every family, and equal those of the evaluation where both are exact."""

import dataclasses
import itertools
from typing import Any, Protocol

import numpy as np
import polars as pl
import pytest

from modelyard.core import StateError
from modelyard.evaluation.explanations import attribute
from modelyard.packaging import GoldenRow, GoldenSet, Scorer
from modelyard.packaging.explaining import Explainer
from modelyard.packaging.explaining.exact import scale_of
from modelyard.packaging.golden import as_requests
from modelyard.problem import Task
from modelyard.training.model import FittedModel

EXACT = {"linear", "lightgbm", "xgboost", "additive", "forest", "oblivious"}
OF_BOTH = ("linear", "lightgbm", "xgboost", "additive", "catboost", "tree")
NAMES = {"additive": "ebm", "tree": "decision_tree"}


class Fitted(Protocol):
    """What the fixture ``fitted`` gives."""

    model: FittedModel
    scorer: Scorer
    held_out: pl.DataFrame


def explainer_of(fitted: Fitted) -> tuple[Explainer, list[dict[str, Any]], pl.DataFrame]:
    """An explainer whose background is 40 held-out rows, and other rows as requests and as a table."""
    names = [column.name for column in fitted.model.encoder.columns_]
    background, rows = fitted.held_out[:40].select(names), fitted.held_out[40:46].select(names)
    scorer = fitted.scorer
    golden = GoldenSet(1.0, tuple(GoldenRow("validation", row, ()) for row in as_requests(background)))
    explainer = Explainer(scorer.plan, scorer._predictor, golden, encode=scorer._matrix, score=scorer.score_rows)
    return explainer, as_requests(rows), rows


def test_reasons_add_up_for_every_family(fitted: Fitted) -> None:
    """Baseline and amounts give the raw score, from which the link makes the score; equal rows get equal reasons."""
    explainer, rows, _ = explainer_of(fitted)
    scores = fitted.scorer.score_rows(rows)
    found = explainer.explain(rows)
    raw = np.array([reasons.raw_score for reasons in found])
    sums = [reasons.baseline + sum(item.amount for item in reasons.contributions) for reasons in found]
    single = scores.max(axis=1) if scores.ndim == 2 else scores
    linked = 1 / (1 + np.exp(-raw)) if found[0].scale == "log-odds" else raw

    assert np.allclose(sums, raw, rtol=1e-9, atol=1e-12)
    assert found[0].scale in (["value"] if fitted.scorer.task is Task.REGRESSION else ["log-odds", "probability"])
    assert {reasons.method for reasons in found} == {"exact" if explainer.is_exact else "sampled"}
    assert explainer.is_exact == _is_exact(fitted.scorer)
    if scores.ndim == 1 or found[0].scale == "probability":
        assert np.allclose(linked, single, rtol=1e-5, atol=1e-5)
    assert explainer.explain(rows[:1])[0] == found[0]


def _is_exact(scorer: Scorer) -> bool:
    """Of blends, only means of values: here members' contributions to classes are on different scales."""
    kind = scorer.plan.predictor
    return kind in EXACT or (kind == "blend" and scorer.task is Task.REGRESSION)


@pytest.mark.parametrize(
    ("table", "family"), [*itertools.product(["churn", "contract", "bike"], OF_BOTH), ("bike", "blend")]
)
def test_exact_reasons_are_those_of_the_evaluation(table: str, family: str, fit_family: Any) -> None:
    """Column by column the amounts, baseline and raw score of serving are those that the evaluation reports."""
    fitted = fit_family(table, family)
    explainer, requests, rows = explainer_of(fitted)
    model = dataclasses.replace(fitted.model, family=NAMES.get(family, family))
    scores = fitted.scorer.score_rows(requests)
    outputs = scores.argmax(axis=1) if scores.ndim == 2 else np.zeros(len(rows), dtype=np.intp)
    names = [column.name for column in model.encoder.columns_]
    expected = attribute(model, rows, fitted.held_out[:40].select(names), outputs=outputs, seed=0)
    found = explainer.explain(requests)

    assert expected.exact
    for place, reasons in enumerate(found):
        amounts = {item.column: item.amount for item in reasons.contributions}
        wanted = dict(zip(names, expected.amounts[place].tolist(), strict=True))
        assert {name: amounts.get(name, 0.0) for name in names} == pytest.approx(wanted, rel=1e-5, abs=1e-5)
        assert reasons.baseline == pytest.approx(expected.base[place], rel=1e-5, abs=1e-5)
        assert reasons.raw_score == pytest.approx(expected.margin[place], rel=1e-5, abs=1e-5)


def test_sums_that_explain_nothing_are_known() -> None:
    """Overflown sums and those that another link would be needed for are told from good ones."""
    half = np.array([[0.5]])

    assert scale_of(np.array([[np.inf]]), half) == ""
    assert scale_of(np.array([[1.0]]), half) == ""
    assert scale_of(np.array([[0.0]]), half) == "link"
    assert scale_of(half, half) == "identity"
    assert scale_of(np.log([[0.2, 0.3, 0.5]]), np.array([[0.2, 0.3, 0.5]])) == "link"


def test_too_many_rows_are_refused_in_one_sentence(fit_family: Any) -> None:
    """Beyond the bound the error says how many may be asked for."""
    explainer, rows, _ = explainer_of(fit_family("churn", "forest"))

    with pytest.raises(StateError, match="cannot be explained at once") as caught:
        explainer.explain(rows[:1] * (explainer.most_rows + 1))

    assert f"at most {explainer.most_rows} rows" in caught.value.sentence


def test_a_forest_that_takes_too_long_is_sampled(fit_family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one row takes more steps than are affordable, the reasons are sampled, and say so."""
    explainer, rows, _ = explainer_of(fit_family("churn", "tree"))
    large, _, _ = explainer_of(fit_family("churn", "tree"))
    monkeypatch.setattr("modelyard.packaging.explaining.exact._MOST_WORK", 10)

    assert {reasons.method for reasons in large.explain(rows[:1])} == {"sampled"}
    monkeypatch.undo()
    assert {reasons.method for reasons in explainer.explain(rows[:1])} == {"exact"}
