"""Gradient boosting with XGBoost (Chen and Guestrin, 2016).

The defaults are near the tuned defaults of Holzmüller, Grinsztajn and Steinwart (2024), appendix C.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.boosting.stages import HeldRows, WatchedFit, Watcher
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
        Latency.FAST, sample_weights=True, monotone=True, incremental=True, varies=True, boosted=True
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
        """Fit, watched; the library judges no rows by itself."""
        from xgboost.callback import TrainingCallback

        class Look(TrainingCallback):
            """Stops when it is enough; rounds after the best one are kept."""

            def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
                return watcher.enough(model, epoch + 1)

        watcher = Watcher(data.task, held, self.patience, _sums_of(held))
        estimator = self._estimator(data, params, seed, n_estimators=self.max_rounds, callbacks=[Look()])
        estimator.fit(data.matrix, data.target, sample_weight=data.weight, verbose=False)
        estimator.set_params(callbacks=None)  # what was looked at is no part of the model
        booster = estimator.get_booster()
        return watcher.watched(estimator, booster, int(booster.num_boosted_rounds()))

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

    def _estimator(self, data: FitData, params: Mapping[str, Any], seed: int, **further: Any) -> Any:
        from xgboost import XGBClassifier, XGBRegressor

        kind = XGBClassifier if data.task.is_classification else XGBRegressor
        return kind(
            **params,
            **further,
            monotone_constraints=data.monotone,
            tree_method="hist",
            random_state=seed_31(seed),
            n_jobs=1,
            verbosity=0,
        )


def _sums_of(held: HeldRows) -> Callable[[Any, int, int], Any]:
    """Sums of trees for held rows; every prediction of the library brings the start value, which counts once."""
    import xgboost

    rows = xgboost.DMatrix(held.matrix, nthread=1)
    start_value: list[Any] = []

    def predicted(booster: Any, start: int, end: int) -> Any:
        return booster.predict(rows, output_margin=True, iteration_range=(start, end)).astype(np.float64)

    def sums(booster: Any, start: int, end: int) -> Any:
        if start == 0:
            return predicted(booster, start, end)
        if not start_value:
            start_value.append(predicted(booster, 0, 1) + predicted(booster, 1, 2) - predicted(booster, 0, 2))
        return predicted(booster, start, end) - start_value[0]

    return sums
