"""Class weights against none: shifted probabilities are repaired first, and a moved threshold does what weights do."""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pytest

from modelyard.core import MissingExtraError
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training.curves.remedy import best_f1_threshold, calibrated
from modelyard.training.engine import train
from modelyard.training.families.family import Family
from modelyard.training.folds import RowKeys, plan_folds
from modelyard.training.metrics import score

MakeSplit = Callable[..., tuple[Split, Problem]]
Families = Mapping[str, Family]
PLAN = {"folds": 3, "tuning_rounds": 0, "workers": 1, "unit_minutes": None, "imbalance": True}


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
    plain, weighted, *others = found.remedies
    assert [plain.name, weighted.name] == [family, f"{family}-weighted"]
    assert [item.name for item in others] == [f"{family}-smote", f"{family}-under-sampled"]
    assert {item.name for item in found.remedies[1:]}.isdisjoint(item.name for item in record.candidates)
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
    assert found.answer.startswith(
        "Class weights, SMOTE and under-sampling change nothing beyond noise: gain in ROC AUC"
    )
    assert found.gain == max(item.gain for item in found.remedies[1:])
    for item in found.remedies[1:]:
        assert abs(item.gain) <= 2.5 * item.standard_error
        assert found.remedies[0].f1_moved == pytest.approx(item.f1_moved, abs=0.05)


def test_every_way_spoils_probabilities_and_calibration_mends_them(workspace: Workspace, split_of: MakeSplit) -> None:
    """Eight in a hundred are positive: the winner says so, all the others say four times as many."""
    plan = {**PLAN, "families": ["linear"]}
    split, problem = split_of(rare(3_000), "churn", data={"positive": "yes"}, training=plan)
    found = train(split, problem, workspace).record.weights

    assert found is not None
    plain, *tried = found.remedies
    assert plain.mean_prediction == pytest.approx(found.rare_share, abs=0.01)
    for item in tried:
        assert item.mean_prediction is not None
        assert item.mean_prediction > 3 * found.rare_share
        assert item.log_loss > plain.log_loss + 0.05
        assert item.log_loss_calibrated == pytest.approx(plain.log_loss_calibrated, abs=0.01)
    assert "They spoil the probabilities: " in found.answer


def test_the_older_key_says_the_same() -> None:
    """``class_weights`` is read as ``imbalance``; both at once are refused."""
    data = {"source": "t", "target": "churn"}
    old = Problem.model_validate({"data": data, "training": {"class_weights": False}})

    assert old.training.imbalance is False
    assert Problem.model_validate(old.model_dump()) == old
    with pytest.raises(ValueError, match="class_weights"):
        Problem.model_validate({"data": data, "training": {"class_weights": False, "imbalance": True}})


def test_a_family_without_weights_is_resampled(workspace: Workspace, split_of: MakeSplit) -> None:
    """Neighbours have no class weights; the other two ways need nothing of a family."""
    plan = {**PLAN, "families": ["nearest_neighbours"]}
    split, problem = split_of(rare(), "churn", data={"positive": "yes"}, training=plan)
    found = train(split, problem, workspace).record.weights

    assert found is not None
    assert [item.name for item in found.remedies] == [
        "nearest_neighbours",
        "nearest_neighbours-smote",
        "nearest_neighbours-under-sampled",
    ]


def test_smote_is_left_out_where_rare_rows_are_many(
    workspace: Workspace, split_of: MakeSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, not if it was asked for: its search for neighbours is slow then."""
    monkeypatch.setattr("modelyard.training.curves.weights._MOST_NEIGHBOURS", 50)
    plan = {"folds": 3, "tuning_rounds": 8, "workers": 1, "unit_minutes": None, "families": ["linear"]}
    split, problem = split_of(rare(), "churn", data={"positive": "yes"}, training=plan)
    found = train(split, problem, workspace).record.weights

    assert found is not None
    assert [item.name.rpartition("-")[2] for item in found.remedies[1:]] == ["weighted", "sampled"]


def test_what_was_asked_for_and_is_missing_is_refused_at_once(
    workspace: Workspace, split_of: MakeSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without imbalanced-learn: ``true`` is refused before anything is fitted, ``auto`` compares what there is."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    split, problem = split_of(rare(), "churn", data={"positive": "yes"}, training={**PLAN, "families": ["linear"]})
    with pytest.raises(MissingExtraError, match=r"pip install 'modelyard\[imbalance\]'"):
        train(split, problem, workspace)

    plan = {"folds": 3, "tuning_rounds": 8, "workers": 1, "unit_minutes": None, "families": ["linear"]}
    split, problem = split_of(rare(), "churn", data={"positive": "yes"}, training=plan)
    found = train(split, problem, workspace).record.weights

    assert found is not None
    assert len(found.remedies) == 2
    assert found.answer.startswith("Class weights change nothing")


def test_only_where_two_classes_are_uneven(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """Not for numbers, nor when forbidden, nor by itself after one candidate."""
    plan = {**PLAN, "families": ["linear"]}
    number = split_of(table, "amount", training=plan)
    quiet = split_of(rare(), "churn", data={"positive": "yes"}, training={**plan, "imbalance": False})
    alone = split_of(rare(), "churn", data={"positive": "yes"}, training={**plan, "imbalance": "auto"})

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
