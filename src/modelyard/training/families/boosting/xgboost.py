"""Gradient boosting with XGBoost (Chen and Guestrin, 2016).

The defaults are near the tuned defaults of Holzmüller, Grinsztajn and Steinwart (2024), appendix C.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.boosting.stages import HeldRows, WatchedFit, linked, reached
from modelyard.training.families.family import Dimension, FitData, Fitted, seed_31
from modelyard.training.families.promises import Latency, Promises

__all__ = ["XGBoost"]

_UPDATE_SHARE = 10
"""As for LightGBM."""


@dataclasses.dataclass(frozen=True)
class XGBoost:
    """Depth-wise boosted trees on histograms.

    Parameters
    ----------
    max_rounds, patience, fallback_rounds
        As in :class:`~modelyard.training.families.boosting.lightgbm.LightGBM`.
    """

    max_rounds: int = 2_000
    patience: int = 50
    fallback_rounds: int = 100
    name: str = "xgboost"
    style: EncodingStyle = EncodingStyle.TREE
    complexity: int = 3
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(
        Latency.FAST, sample_weights=True, monotone=True, incremental=True, varies=True
    )

    def defaults(self, task: Task) -> Mapping[str, Any]:
        """Trees of moderate depth, rows and features subsampled."""
        is_classes = task.is_classification
        return {
            "learning_rate": 0.08 if is_classes else 0.05,
            "max_depth": 6 if is_classes else 8,
            "min_child_weight": 1.0 if is_classes else 2.0,
            "subsample": 0.65 if is_classes else 0.7,
            "colsample_bylevel": 0.9,
            "reg_lambda": 0.01,
        }

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """The parameters that matter most, within TabArena's bounds, without the slowest corners."""
        return {
            "learning_rate": Dimension(0.02, 0.15, log=True),
            "max_depth": Dimension(2, 9, whole=True),
            "min_child_weight": Dimension(1e-2, 20.0, log=True),
            "subsample": Dimension(0.6, 1.0),
            "colsample_bylevel": Dimension(0.5, 1.0),
            "reg_lambda": Dimension(1e-3, 10.0, log=True),
        }

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Shallow trees, nearly additive."""
        return (
            {
                "learning_rate": 0.08,
                "max_depth": 3,
                "min_child_weight": 1.0,
                "subsample": 0.8,
                "colsample_bylevel": 0.8,
                "reg_lambda": 1.0,
            },
        )

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Fit; deterministic in one thread."""
        if rounds is None:
            rounds = self._best_rounds(data, params, seed)
        estimator = self._estimator(data, params, seed, n_estimators=rounds)
        return Fitted(estimator.fit(data.matrix, data.target, sample_weight=data.weight, verbose=False), rounds)

    def watch(self, data: FitData, params: Mapping[str, Any], held: HeldRows, *, seed: int) -> WatchedFit:
        """Fit, watched; the sums of trees are taken up stage by stage, each of which brings the start value again."""
        import xgboost

        estimator = self._estimator(
            data, params, seed, n_estimators=self.max_rounds, early_stopping_rounds=self.patience
        )
        estimator.fit(
            data.matrix,
            data.target,
            sample_weight=data.weight,
            eval_set=[(held.matrix[held.known], held.target[held.known])],
            verbose=False,
        )
        booster, rows, start, answers = estimator.get_booster(), xgboost.DMatrix(held.matrix, nthread=1), 0, []
        stages = reached(int(booster.num_boosted_rounds()))

        def sums(first: int, last: int) -> Any:
            return booster.predict(rows, output_margin=True, iteration_range=(first, last)).astype(np.float64)

        start_value = sums(0, 1) + sums(1, 2) - sums(0, 2) if stages[-1] > 1 else 0.0
        margins: Any = start_value
        for stage in stages:
            margins = margins + sums(start, stage) - start_value
            answers.append(linked(data.task, np.asarray(margins)))
            start = stage
        return WatchedFit(estimator, stages, np.stack(answers))

    def update(self, estimator: Any, data: FitData, params: Mapping[str, Any], *, seed: int) -> Fitted:
        """Trees that correct those of ``estimator``, learnt from the new rows."""
        before = estimator.get_booster()
        added = self._best_rounds(data, params, seed, after=before)
        fresh = self._estimator(data, params, seed, n_estimators=added)
        fresh.fit(data.matrix, data.target, sample_weight=data.weight, verbose=False, xgb_model=before)
        return Fitted(fresh, added)

    def _best_rounds(self, data: FitData, params: Mapping[str, Any], seed: int, after: Any = None) -> int:
        """Where the loss on the stopping rows is least, learning from the others; rounds to be added to ``after``."""
        known = 0 if after is None else int(after.num_boosted_rounds())
        if not data.stop.any():
            return self.fallback_rounds if after is None else max(1, self.fallback_rounds // _UPDATE_SHARE)
        learnt, held = data.rows(~data.stop), data.rows(data.stop)
        estimator = self._estimator(
            data, params, seed, n_estimators=self.max_rounds, early_stopping_rounds=self.patience
        )
        estimator.fit(
            learnt.matrix,
            learnt.target,
            sample_weight=learnt.weight,
            eval_set=[(held.matrix, held.target)],
            sample_weight_eval_set=None if held.weight is None else [held.weight],
            verbose=False,
            xgb_model=after,
        )
        return max(1, int(estimator.best_iteration) + 1 - known)

    def _estimator(self, data: FitData, params: Mapping[str, Any], seed: int, **rounds: int) -> Any:
        from xgboost import XGBClassifier, XGBRegressor

        kind = XGBClassifier if data.task.is_classification else XGBRegressor
        return kind(
            **params,
            **rounds,
            monotone_constraints=data.monotone,
            tree_method="hist",
            random_state=seed_31(seed),
            n_jobs=1,
            verbosity=0,
        )
