"""The validation curve: a planted parameter is found, chance is called chance, and few trials give nothing."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from modelyard.training import Candidate, CandidateRole, CandidateStatus
from modelyard.training.balancing.resampling import Resampling
from modelyard.training.curves.validation import validation_curve

LEAVES = (4, 8, 16, 32, 64, 128, 12, 48, 96)
BLANK = Candidate(
    name="",
    family="lightgbm",
    role=CandidateRole.CANDIDATE,
    params={},
    status=CandidateStatus.DONE,
    fold_scores=(0.8, 0.8),
    mean=0.8,
    sd=0.01,
    fit_seconds=1.0,
    predict_ms=0.1,
    complexity=3,
)


def trials(scores: Sequence[float]) -> tuple[Candidate, ...]:
    """The default and its tuned sisters, with other parameters moving by chance."""
    generator = np.random.default_rng(3)
    names = ["lightgbm", *(f"lightgbm-tuned-{index}" for index in range(1, len(scores)))]
    return tuple(
        dataclasses.replace(
            BLANK,
            name=name,
            mean=float(score),
            params={"num_leaves": leaves, "subsample": generator.uniform(0.6, 1), "fixed": 1, "kind": "gbdt"},
        )
        for name, leaves, score in zip(names, LEAVES, scores, strict=False)
    )


def test_a_planted_parameter_is_found() -> None:
    """A bend in the logarithm of a parameter, with its best inside, is named; trials are in order of its values."""
    scores = 0.8 - 0.01 * (np.log2(LEAVES) - 4) ** 2
    curve = validation_curve(trials(list(scores)), "roc_auc", seed=0)

    assert curve is not None
    assert curve.parameter == "num_leaves"
    assert [trial.value for trial in curve.trials] == sorted(LEAVES)
    assert curve.explained == pytest.approx(1.0)
    assert curve.chance < 0.05
    assert curve.answer == (
        "Of the tuned parameters num_leaves matters most: it explains 100 % of the differences of ROC AUC between 9 trials; "
        "the best trial has 16."
    )


def test_an_edge_is_told() -> None:
    """A best at the end of what was tried says so; smaller is better for a loss."""
    scores = [0.3 + 0.01 * float(np.log2(leaves)) for leaves in LEAVES]
    curve = validation_curve(trials(scores), "log_loss", seed=0)

    assert curve is not None
    assert curve.answer.endswith("the best trial has 4, at the edge of what was tried.")


def test_chance_is_called_chance() -> None:
    """Scores that follow nothing: at most one search in ten names a parameter."""
    generator = np.random.default_rng(0)
    curves = [validation_curve(trials(list(generator.random(9))), "roc_auc", seed=seed) for seed in range(60)]
    named = [curve for curve in curves if curve is not None and "matters most" in curve.answer]

    assert all(curve is not None for curve in curves)
    assert len(named) <= 6


def test_few_trials_give_nothing() -> None:
    """Five trials, no tuning, equal scores, or the same values: no curve."""
    many = trials([0.1 * index for index in range(9)])
    still = tuple(dataclasses.replace(item, params={"num_leaves": 4}) for item in many)

    assert validation_curve(many[:5], "roc_auc", seed=0) is None
    assert validation_curve([dataclasses.replace(item, name="lightgbm") for item in many], "roc_auc", seed=0) is None
    assert validation_curve(trials([0.5] * 9), "roc_auc", seed=0) is None
    assert validation_curve(still, "roc_auc", seed=0) is None


def test_words_and_what_only_resampling_changed_are_no_trials() -> None:
    """A parameter with a word among its values has no axis; a trial that was fitted again on even classes is left out."""
    scores = 0.8 - 0.01 * (np.log2(LEAVES) - 4) ** 2
    made = [
        dataclasses.replace(item, params={**item.params, "max_features": word})
        for item, word in zip(trials(list(scores)), (0.5, "sqrt") * 5, strict=False)
    ]
    even = dataclasses.replace(made[3], name=f"{made[3].name}-weighted", resampling=Resampling.WEIGHTS, mean=0.2)
    curve = validation_curve([*made, even], "roc_auc", seed=0)

    assert curve is not None
    assert curve.parameter == "num_leaves"
    assert len(curve.trials) == len(LEAVES)
