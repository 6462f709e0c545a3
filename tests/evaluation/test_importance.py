"""Shuffling finds the columns that matter, and only those."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelyard.core import ProgressEvent
from modelyard.data.schema import Column, ColumnKind
from modelyard.evaluation.importance import permutation_importance

if TYPE_CHECKING:
    from tests.evaluation.conftest import Fit, Sample


def test_noise_is_worth_nothing_and_a_copy_of_the_target_everything(fit: "Fit", charges: "Sample") -> None:
    """A column near the target comes first; a random column loses nothing beyond chance."""
    generator = np.random.default_rng(0)
    frame = charges.frame.with_columns(
        nearly=pl.Series(charges.truth + generator.normal(0, 1, len(charges.truth))),
        noise=pl.Series(generator.normal(0, 1, len(charges.truth))),
    )
    added = tuple(Column(name, ColumnKind.NUMERIC, "Float64", nullable=False) for name in ("nearly", "noise"))
    sample = dataclasses.replace(charges, frame=frame, columns=(*charges.columns, *added))
    model = fit("linear", sample.rows(slice(0, 800)))
    found = permutation_importance(model, frame[800:], sample.truth[800:], metric="mae", seed=0)
    drops = {item.feature: item for item in found}

    assert found[0].feature == "nearly"
    assert found[0].drop > 5
    assert abs(drops["noise"].drop) < 0.05
    assert [item.drop for item in found] == sorted((item.drop for item in found), reverse=True)


def test_a_drop_is_a_loss_whatever_the_direction_of_the_metric(fit: "Fit", churn: "Sample") -> None:
    """ROC AUC falls and log loss rises when the contract is shuffled: both are drops above 0; progress is told."""
    model = fit("lightgbm", churn.rows(slice(0, 900)))
    events: list[ProgressEvent] = []
    for metric in ("roc_auc", "log_loss"):
        found = permutation_importance(
            model, churn.frame[900:], churn.truth[900:], metric=metric, seed=0, progress=events.append
        )
        assert {item.feature: item.drop for item in found}["Contract"] > 0.005

    assert [event.done for event in events] == [1, 2, 3, 4, 5, 6] * 2


def test_equal_seeds_give_equal_importance(fit: "Fit", churn: "Sample") -> None:
    """Shuffles follow the seed."""
    model = fit("linear", churn.rows(slice(0, 900)))
    first, second, other = (
        permutation_importance(model, churn.frame[900:], churn.truth[900:], metric="roc_auc", seed=seed)
        for seed in (3, 3, 4)
    )

    assert first == second != other


def test_rows_of_one_class_have_no_importance(fit: "Fit", churn: "Sample") -> None:
    """Where the metric is undefined nothing is claimed."""
    model = fit("linear", churn.rows(slice(0, 900)))
    negatives = churn.frame[900:].filter(pl.col("Churn") == "No")

    assert permutation_importance(model, negatives, np.zeros(negatives.height), metric="roc_auc", seed=0) == ()
