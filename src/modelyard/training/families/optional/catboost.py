"""Gradient boosting with CatBoost (Prokhorenkova et al., 2018), without its ordered statistics of categories.

The defaults are the tuned defaults of Holzmüller, Grinsztajn and Steinwart (2024), appendix C, with trees of seven levels
for values too, where theirs have nine: a level twice the time.
"""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.boosting.stages import HeldRows, WatchedFit, linked, reached
from modelyard.training.families.family import Dimension, FitData, Fitted, seed_31
from modelyard.training.families.promises import Latency, Promises

__all__ = ["CatBoost"]

_STAGE = 10
"""Rounds between two answers that the library gives; all stages are multiples of it."""


@dataclasses.dataclass(frozen=True)
class CatBoost:
    """Boosted oblivious trees: all nodes of a level ask the same, which makes them smooth and quick to answer.

    Parameters
    ----------
    max_rounds, patience, fallback_rounds
        As in :class:`~modelyard.training.families.boosting.lightgbm.LightGBM`.
    """

    max_rounds: int = 1_000
    patience: int = 50
    fallback_rounds: int = 200
    name: str = "catboost"
    style: EncodingStyle = EncodingStyle.TREE
    complexity: int = 3
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(Latency.FAST, sample_weights=True, monotone=True, varies=True, boosted=True)

    def defaults(self, task: Task) -> Mapping[str, Any]:
        """Trees of seven levels, rows subsampled in each round, hardly a penalty."""
        is_classes = task.is_classification
        return {
            "learning_rate": 0.08 if is_classes else 0.09,
            "depth": 7,
            "l2_leaf_reg": 1e-5,
            "random_strength": 0.8 if is_classes else 0.0,
            "subsample": 0.9,
        }

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """The parameters that matter most, within TabArena's bounds, without the slowest corners."""
        return {
            "learning_rate": Dimension(0.02, 0.15, log=True),
            "depth": Dimension(3, 8, whole=True),
            "l2_leaf_reg": Dimension(1e-5, 10.0, log=True),
            "random_strength": Dimension(0.0, 2.0),
            "subsample": Dimension(0.6, 1.0),
        }

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """The library's own depth and penalty, at TabArena's rate; and shallow trees."""
        return (
            {"learning_rate": 0.05, "depth": 6, "l2_leaf_reg": 3.0, "random_strength": 1.0, "subsample": 0.8},
            {"learning_rate": 0.08, "depth": 4, "l2_leaf_reg": 3.0, "random_strength": 1.0, "subsample": 0.8},
        )

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Fit; deterministic in one thread, and leaves no file behind."""
        _import_quietly()
        if rounds is None:
            rounds = self._best_rounds(data, params, seed)
        estimator = _estimator(data, params, seed, iterations=rounds)
        return Fitted(estimator.fit(data.matrix, data.target, sample_weight=data.weight), rounds)

    def watch(self, data: FitData, params: Mapping[str, Any], held: HeldRows, *, seed: int) -> WatchedFit:
        """Fit, watched; the library gives the sums of trees after every ten rounds."""
        _import_quietly()
        from catboost import Pool

        estimator = _estimator(data, params, seed, iterations=self.max_rounds, early_stopping_rounds=self.patience)
        judge = Pool(held.matrix[held.known], held.target[held.known])
        estimator.fit(data.matrix, data.target, sample_weight=data.weight, eval_set=judge, use_best_model=False)
        stages = reached(int(estimator.tree_count_))
        staged = estimator.staged_predict(
            held.matrix, prediction_type="RawFormulaVal", eval_period=_STAGE, thread_count=1
        )
        ends = [*range(_STAGE, stages[-1], _STAGE), stages[-1]]
        kept = set(stages)
        answers = [
            linked(data.task, np.asarray(margins, dtype=np.float64))
            for end, margins in zip(ends, staged, strict=True)
            if end in kept
        ]
        return WatchedFit(estimator, stages, np.stack(answers))

    def _best_rounds(self, data: FitData, params: Mapping[str, Any], seed: int) -> int:
        """Where the loss on the stopping rows is least, learning from the others."""
        if not data.stop.any():
            return self.fallback_rounds
        from catboost import Pool

        learnt, held = data.rows(~data.stop), data.rows(data.stop)
        estimator = _estimator(data, params, seed, iterations=self.max_rounds, early_stopping_rounds=self.patience)
        judge = Pool(held.matrix, held.target, weight=held.weight)
        estimator.fit(learnt.matrix, learnt.target, sample_weight=learnt.weight, eval_set=judge)
        return int(estimator.get_best_iteration()) + 1


def _import_quietly() -> None:
    """matplotlib, which CatBoost imports for its charts, is not ours to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import catboost  # noqa: F401


def _estimator(data: FitData, params: Mapping[str, Any], seed: int, **rounds: int) -> Any:
    from catboost import CatBoostClassifier, CatBoostRegressor

    is_classes = data.task.is_classification
    classes = int(data.target.max()) + 1 if is_classes else 0
    return (CatBoostClassifier if is_classes else CatBoostRegressor)(
        **params,
        **rounds,
        loss_function="RMSE" if not is_classes else "Logloss" if classes == 2 else "MultiClass",
        bootstrap_type="Bernoulli",
        boosting_type="Plain",
        monotone_constraints=None if data.monotone is None else list(data.monotone),
        leaf_estimation_iterations=1,
        random_seed=seed_31(seed),
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )
