"""A score is corrected for having been picked: much where the candidates are noise, hardly where one is clearly best."""

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.training.choosing import CorrectedScore, corrected_score
from modelyard.training.folds import FoldPlan, RowKeys, plan_folds
from modelyard.training.metrics import score

Array = npt.NDArray[np.float64]


def corrected(truth: Array, predictions: dict[str, Array], metric: str, seed: int = 0) -> tuple[CorrectedScore, float]:
    """The best candidate's corrected score, and the score as it looked."""
    keys = RowKeys("stratified", truth.astype(np.int64), np.empty(0, dtype=np.int64))
    plan: FoldPlan = plan_folds(keys, 5, seed=seed)
    means = {
        name: float(np.mean([score(metric, truth[fold.held], values[fold.held]) for fold in plan.folds]))
        for name, values in predictions.items()
    }
    winner = max(means, key=means.__getitem__) if metric == "roc_auc" else min(means, key=means.__getitem__)
    found = corrected_score(winner, means, predictions, metric, truth, plan, keys, seed=seed)
    assert found is not None
    return found, means[winner]


def test_the_luckiest_of_twelve_coins_is_brought_back_to_a_half() -> None:
    """Over forty searches among noise the picked AUC is far above 0.5 on average, the corrected one is not."""
    generator = np.random.default_rng(1)
    looked, worth = [], []
    for seed in range(40):
        truth = generator.integers(0, 2, 150).astype(float)
        coins = {f"coin-{index}": generator.random(150) for index in range(12)}
        found, picked = corrected(truth, coins, "roc_auc", seed)
        looked.append(picked)
        worth.append(found.estimate)

    assert np.mean(looked) > 0.565
    assert np.mean(worth) == pytest.approx(0.5, abs=0.015)


def test_a_clear_winner_loses_nothing() -> None:
    """One good candidate among weak ones was not picked by luck."""
    generator = np.random.default_rng(2)
    signal = generator.normal(size=2_000)
    truth = (signal + generator.normal(size=2_000) > 0).astype(float)
    weak = {f"weak-{index}": generator.random(2_000) for index in range(8)}
    found, picked = corrected(truth, {**weak, "good": 1 / (1 + np.exp(-signal))}, "roc_auc")

    assert found.optimism < 0.002
    assert found.estimate == pytest.approx(picked, abs=0.002)
    assert found.low < found.estimate < found.high
    assert found.candidates == 9


def test_errors_are_corrected_upwards() -> None:
    """For a metric that falls the correction goes the other way."""
    generator = np.random.default_rng(3)
    truth = generator.integers(0, 2, 200).astype(float)
    noisy = {f"noise-{index}": np.clip(0.5 + generator.normal(0, 0.1, 200), 0.1, 0.9) for index in range(10)}
    found, picked = corrected(truth, noisy, "log_loss")

    assert found.estimate > picked
    assert found.optimism > 0


def test_one_candidate_was_not_picked() -> None:
    """There is nothing to correct."""
    truth = np.array([0.0, 1.0] * 20)
    keys = RowKeys("stratified", truth.astype(np.int64), np.empty(0, dtype=np.int64))
    plan = plan_folds(keys, 4, seed=0)

    assert corrected_score("a", {"a": 0.5}, {"a": truth}, "roc_auc", truth, plan, keys, seed=0) is None
