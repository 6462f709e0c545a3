"""Contributions over many rows name the columns that count, and the way they push."""

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from modelyard.data.schema import Column, ColumnKind
from modelyard.evaluation.reasons.summary import ordered_values, rank_correlation, summarise

if TYPE_CHECKING:
    from tests.evaluation.conftest import Fit, Sample


@pytest.mark.parametrize("family", ["lightgbm", "xgboost", "linear", "decision_tree", "random_forest", "extra_trees"])
def test_directions_of_churn(family: str, fit: "Fit", churn: "Sample") -> None:
    """Every family finds that long tenure keeps customers and that monthly contracts lose them; nothing is lost in sums."""
    model = fit(family, churn.rows(slice(0, 900)))
    found = summarise(model, churn.frame[900:], churn.frame[:900], seed=0)
    assert found is not None
    effects = {effect.feature: effect for effect in found.effects}

    assert effects["tenure"].trend is not None
    assert effects["tenure"].trend < -0.5
    assert effects["tenure"].words == "higher values lower it"
    assert effects["Contract"].words.startswith("Month-to-month raises it most")
    assert found.gap is not None
    assert found.gap < 1e-4
    assert sum(effect.share for effect in found.effects) == pytest.approx(1.0)
    sizes = [effect.size for effect in found.effects]
    assert sizes == sorted(sizes, reverse=True)


def test_contribution_by_value(fit: "Fit", churn: "Sample") -> None:
    """A linear model's contributions lie on a straight line in a number; categories have one mean for each value."""
    model = fit("linear", churn.rows(slice(0, 900)))
    found = summarise(model, churn.frame[900:], churn.frame[:900], seed=0)
    assert found is not None
    by_column = {item.feature: item for item in found.dependence}
    tenure, contract = by_column["tenure"], by_column["Contract"]

    assert (found.method, found.scale, found.rows) == ("exact for linear models", "log-odds", 300)
    assert abs(np.corrcoef(tenure.values, tenure.amounts)[0, 1]) > 1 - 1e-9
    assert set(contract.levels) == {"Month-to-month", "One year", "Two year"}
    assert sum(contract.rows) == 300
    assert contract.rows[0] == max(contract.rows)


def test_unknown_families_are_sampled(fit: "Fit", charges: "Sample") -> None:
    """The same ranking as the exact one, with its method and its scale said."""
    model = fit("linear", charges.rows(slice(0, 900)))
    unknown = dataclasses.replace(model, family="something else")
    exact = summarise(model, charges.frame[900:], charges.frame[:900], seed=0)
    sampled = summarise(unknown, charges.frame[900:], charges.frame[:900], seed=0)
    assert exact is not None
    assert sampled is not None

    assert (sampled.method, sampled.scale) == ("sampled", "value")
    assert [effect.feature for effect in sampled.effects[:3]] == [effect.feature for effect in exact.effects[:3]]
    assert sampled.gap is not None
    assert sampled.gap < 1e-6


def test_several_classes_have_no_direction(fit: "Fit", plans: "Sample") -> None:
    """Each row explains the class decided for it, so that only sizes are said."""
    model = fit("lightgbm", plans.rows(slice(0, 900)))
    found = summarise(model, plans.frame[900:], plans.frame[:900], seed=0)
    assert found is not None

    assert {effect.trend for effect in found.effects} == {None}
    assert found.dependence == ()
    assert found.gap is None
    assert summarise(model, plans.frame[:0], plans.frame[:900], seed=0) is None


def test_what_has_an_order() -> None:
    """Numbers, dates and yes or no have one; missing values stay missing."""
    dates = pl.Series([dt.date(1970, 1, 3), None])
    named = pl.Series(["Yes", "No", None])
    for kind, values, expected in (
        (ColumnKind.NUMERIC, pl.Series([1, None]), [1.0, np.nan]),
        (ColumnKind.DATE, dates, [2.0, np.nan]),
        (ColumnKind.BOOLEAN, named, [1.0, 0.0, np.nan]),
        (ColumnKind.BOOLEAN, pl.Series([True, False]), [1.0, 0.0]),
    ):
        found = ordered_values(Column("x", kind, "", nullable=True), values)
        assert found is not None
        np.testing.assert_array_equal(found, expected)
    assert ordered_values(Column("x", ColumnKind.CATEGORY, "", nullable=True), named) is None
    assert rank_correlation(np.array([1.0, 1.0]), np.array([1.0, 2.0])) == 0.0
