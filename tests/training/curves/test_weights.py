"""Class weights against none: shifted probabilities are repaired first, and a moved threshold does what weights do."""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pytest

from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training.curves.weights import best_f1_threshold, calibrated
from modelyard.training.engine import train
from modelyard.training.families.family import Family
from modelyard.training.folds import RowKeys, plan_folds
from modelyard.training.metrics import score

MakeSplit = Callable[..., tuple[Split, Problem]]
Families = Mapping[str, Family]
PLAN = {"folds": 3, "tuning_rounds": 0, "workers": 1, "class_weights": True}


def rare(rows: int = 1_500) -> pl.DataFrame:
    """Two numbers, and one positive in twelve by a logistic law."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 2))
    chance = 1 / (1 + np.exp(3.6 - 1.5 * x[:, 0] - x[:, 1]))
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "churn": np.where(generator.random(rows) < chance, "yes", "no")})


@pytest.mark.parametrize("family", ["linear", "random_forest", "lightgbm", "xgboost"])
def test_weights_are_compared(workspace: Workspace, split_of: MakeSplit, quick_families: Families, family: str) -> None:
    """Weights spoil the probabilities until they are calibrated; the weighted model is no candidate."""
    split, problem = split_of(rare(), "churn", data={"positive": "yes"}, training={**PLAN, "families": [family]})
    record = train(split, problem, workspace, families=quick_families).record
    found = record.weights

    assert found is not None
    plain, weighted = found.remedies
    assert [plain.name, weighted.name] == [family, f"{family}-weighted"]
    assert weighted.name not in [item.name for item in record.candidates]
    assert found.rare_share == pytest.approx(0.08, abs=0.03)
    assert weighted.log_loss > plain.log_loss
    assert weighted.log_loss_calibrated < weighted.log_loss
    assert plain.f1_moved > plain.f1


def test_a_logistic_truth_needs_no_weights(workspace: Workspace, split_of: MakeSplit) -> None:
    """Where the model is right, weights gain nothing, and moving the threshold does as well."""
    plan = {**PLAN, "families": ["linear"]}
    split, problem = split_of(rare(3_000), "churn", data={"positive": "yes"}, training=plan)
    found = train(split, problem, workspace).record.weights

    assert found is not None
    assert found.answer.startswith("Class weights change nothing beyond noise: their gain in ")
    assert abs(found.gain) <= 2 * found.standard_error
    assert found.remedies[0].f1_moved == pytest.approx(found.remedies[1].f1_moved, abs=0.05)


def test_only_where_two_classes_are_uneven(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """Not for numbers, nor when forbidden, nor by itself after one candidate."""
    plan = {**PLAN, "families": ["linear"]}
    number = split_of(table, "amount", training=plan)
    quiet = split_of(rare(), "churn", data={"positive": "yes"}, training={**plan, "class_weights": False})
    alone = split_of(rare(), "churn", data={"positive": "yes"}, training={**plan, "class_weights": "auto"})

    assert [train(*pair, workspace).record.weights for pair in (number, quiet, alone)] == [None, None, None]


def test_calibration_is_learnt_elsewhere() -> None:
    """Probabilities shifted in log-odds come back, and their ranking within a fold stays."""
    generator = np.random.default_rng(1)
    odds = generator.normal(-2, 1.5, 4_000)
    truth = (generator.random(4_000) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    right, shifted = 1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(-odds - 2.5))
    plan = plan_folds(RowKeys("random", truth.astype(np.int64), np.empty(0, dtype=np.int64)), 4, 0)
    repaired = calibrated(shifted, truth, plan)
    held = plan.folds[0].held

    assert score("log_loss", truth, repaired) == pytest.approx(score("log_loss", truth, right), abs=0.003)
    assert np.array_equal(np.argsort(repaired[held]), np.argsort(shifted[held]))


def test_the_threshold_is_the_best_there_is() -> None:
    """No other cut between predictions has a greater F1, equal predictions included."""
    generator = np.random.default_rng(2)
    predictions = generator.integers(0, 20, 200) / 20
    truth = (generator.random(200) < predictions).astype(np.float64)
    best = best_f1_threshold(predictions, truth)

    assert score("f1", truth, predictions, threshold=best) == pytest.approx(
        max(score("f1", truth, predictions, threshold=float(cut)) for cut in np.unique(predictions))
    )
