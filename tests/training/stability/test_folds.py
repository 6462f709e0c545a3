"""Folds that differ by chance are quiet; folds that differ by what is in them are named."""

import numpy as np
import numpy.typing as npt

from modelyard.training.choosing.noise import Evidence
from modelyard.training.folds import RowKeys, plan_folds
from modelyard.training.records import NAIVE, Candidate, CandidateRole, CandidateStatus
from modelyard.training.stability.folds import spread_by_fold
from modelyard.training.stability.records import FoldSpread

Array = npt.NDArray[np.float64]


def candidate(name: str, mean: float) -> Candidate:
    """A candidate with a mean."""
    done = CandidateStatus.DONE
    return Candidate(name, name, CandidateRole.CANDIDATE, {}, done, (), mean, 0.0, 0.0, None, 1)


def spread(seed: int, spoilt: float) -> FoldSpread:
    """Five folds of 80 rows with an AUC of 0.76; in the first one a share of the predictions is noise."""
    generator = np.random.default_rng(seed)
    truth = np.tile([0.0, 1.0], 200)
    keys = RowKeys("stratified", truth.astype(np.int64), np.empty(0, dtype=np.int64))
    plan = plan_folds(keys, 5, seed)
    answers: Array = truth + generator.normal(size=400)
    noisy = plan.folds[0].held[generator.random(len(plan.folds[0].held)) < spoilt]
    answers[noisy] = generator.normal(0.5, 1.1, size=len(noisy))
    evidence = Evidence("roc_auc", truth, plan, keys, lambda _: answers, seed=0)
    found = spread_by_fold(candidate("model", 0.76), candidate(NAIVE, 0.5), "roc_auc", evidence)
    assert found is not None
    return found


def test_equal_folds_are_quiet() -> None:
    """In sixty runs whose folds differ by chance alone at most two are called unstable."""
    found = [spread(seed, 0.0) for seed in range(60)]

    assert sum(item.unstable for item in found) <= 2
    assert all(item.sentence == "" for item in found if not item.unstable)


def test_a_fold_that_is_another_world_is_named() -> None:
    """Where one fold is noise, most runs say so, with the range of the scores."""
    found = [spread(seed, 1.0) for seed in range(12)]

    assert sum(item.unstable for item in found) >= 8
    named = next(item for item in found if item.unstable)
    assert named.sentence.startswith("model is unstable from fold to fold: ROC AUC lies between 0.")
    assert "further apart than the rows of a fold explain (chance" in named.sentence
