"""Gradient boosting with LightGBM (Ke et al., 2017).

The defaults are near the tuned defaults of Holzmüller, Grinsztajn and Steinwart (2024), appendix C, with fewer leaves, and
with half of the features for each tree, as all of AutoGluon's portfolio has it; the portfolio holds quick members of AutoGluon's portfolio learnt on TabArena (2025).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.boosting.stages import HeldRows, WatchedFit, Watcher
from modelyard.training.families.family import Dimension, FitData, Fitted, seed_31
from modelyard.training.families.promises import Latency, Promises

__all__ = ["LightGBM"]

_LEAST_FEATURES = 6
"""So many features a tree may look at, whatever share of a narrow table that is."""

_UPDATE_SHARE = 10
"""An update without stopping rows adds a tenth of the rounds that a fit without them takes."""


@dataclasses.dataclass(frozen=True)
class LightGBM:
    """Leaf-wise boosted trees on histograms.

    Parameters
    ----------
    max_rounds
        Rounds at most.
    patience
        Rounds without improvement on the stopping rows after which it stops.
    fallback_rounds
        Rounds where there are no stopping rows.
    """

    max_rounds: int = 2_000
    patience: int = 50
    fallback_rounds: int = 100
    name: str = "lightgbm"
    style: EncodingStyle = EncodingStyle.TREE
    complexity: int = 3
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(
        Latency.FAST, sample_weights=True, monotone=True, incremental=True, varies=True, boosted=True
    )

    def defaults(self, task: Task) -> Mapping[str, Any]:
        """Moderate trees, slow learning; rows are subsampled in each round, and features for each tree."""
        is_classes = task.is_classification
        return {
            "learning_rate": 0.04 if is_classes else 0.05,
            "num_leaves": 31 if is_classes else 63,
            "min_child_samples": 40 if is_classes else 20,
            "subsample": 0.75 if is_classes else 0.7,
            "colsample_bytree": 0.5,
            "reg_lambda": 1e-3,
        }

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """The parameters that matter most, within TabArena's bounds, without the slowest corners."""
        return {
            "learning_rate": Dimension(0.02, 0.1, log=True),
            "num_leaves": Dimension(4, 128, whole=True, log=True),
            "min_child_samples": Dimension(3, 100, whole=True, log=True),
            "subsample": Dimension(0.6, 1.0),
            "colsample_bytree": Dimension(0.3, 1.0),
            "reg_lambda": Dimension(1e-3, 10.0, log=True),
        }

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Nearly additive small trees; and a well-regularised middle."""
        return (
            {
                "learning_rate": 0.05,
                "num_leaves": 5,
                "min_child_samples": 12,
                "subsample": 0.85,
                "colsample_bytree": 0.73,
                "reg_lambda": 0.3,
            },
            {
                "learning_rate": 0.0433,
                "num_leaves": 19,
                "min_child_samples": 18,
                "subsample": 0.93,
                "colsample_bytree": 0.66,
                "reg_lambda": 1.27,
            },
        )

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Fit; deterministic in one thread."""
        if rounds is None:
            rounds = self._best_rounds(data, params, seed)
        estimator = self._estimator(data, params, seed, rounds)
        return Fitted(estimator.fit(data.matrix, data.target, sample_weight=data.weight), rounds)

    def watch(self, data: FitData, params: Mapping[str, Any], held: HeldRows, *, seed: int) -> WatchedFit:
        """Fit, watched; the library judges no rows by itself."""
        from lightgbm import EarlyStopException

        def sums(booster: Any, start: int, end: int) -> Any:
            taken = {"start_iteration": start, "num_iteration": end - start}
            return booster.predict(held.matrix, raw_score=True, num_threads=1, **taken)

        def look(env: Any) -> None:
            if watcher.enough(env.model, env.iteration + 1):
                raise EarlyStopException(env.iteration, [])  # rounds after the best one are kept

        watcher = Watcher(data.task, held, self.patience, sums)
        estimator = self._estimator(data, params, seed, self.max_rounds)
        estimator.fit(data.matrix, data.target, sample_weight=data.weight, callbacks=[look])
        return watcher.watched(estimator, estimator.booster_, int(estimator.booster_.current_iteration()))

    def update(self, estimator: Any, data: FitData, params: Mapping[str, Any], *, seed: int) -> Fitted:
        """Trees that correct those of ``estimator``, learnt from the new rows."""
        added = self._best_rounds(data, params, seed, after=estimator)
        fresh = self._estimator(data, params, seed, added)
        return Fitted(fresh.fit(data.matrix, data.target, sample_weight=data.weight, init_model=estimator), added)

    def _best_rounds(self, data: FitData, params: Mapping[str, Any], seed: int, after: Any = None) -> int:
        """Where the loss on the stopping rows is least, learning from the others; rounds to be added to ``after``."""
        from lightgbm import early_stopping

        known = 0 if after is None else int(after.booster_.current_iteration())
        if not data.stop.any():
            return self.fallback_rounds if after is None else max(1, self.fallback_rounds // _UPDATE_SHARE)
        learnt, held = data.rows(~data.stop), data.rows(data.stop)
        estimator = self._estimator(data, params, seed, self.max_rounds)
        estimator.fit(
            learnt.matrix,
            learnt.target,
            sample_weight=learnt.weight,
            eval_X=held.matrix,
            eval_y=held.target,
            eval_sample_weight=None if held.weight is None else [held.weight],
            callbacks=[early_stopping(self.patience, verbose=False)],
            init_model=after,
        )
        return max(1, int(estimator.best_iteration_) - known)

    def _estimator(self, data: FitData, params: Mapping[str, Any], seed: int, rounds: int) -> Any:
        from lightgbm import LGBMClassifier, LGBMRegressor

        # The methods that bound less, intermediate and advanced, have let predictions fall (LightGBM's issues 5358, 6155).
        bounds = {"monotone_constraints": data.monotone, "monotone_constraints_method": "basic"}
        kind = LGBMClassifier if data.task.is_classification else LGBMRegressor
        share = max(params.get("colsample_bytree", 1.0), min(1.0, _LEAST_FEATURES / data.matrix.shape[1]))
        return kind(
            **{**params, "colsample_bytree": share},
            **(bounds if data.monotone else {}),
            n_estimators=rounds,
            subsample_freq=1,
            random_state=seed_31(seed),
            deterministic=True,
            force_col_wise=True,
            n_jobs=1,
            verbosity=-1,
        )
