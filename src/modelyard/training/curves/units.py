"""One unit of a learning curve: the winner on a part of a fold's training rows."""

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.core import Record, digest_json, write_json_atomic
from modelyard.problem import MetricSpec, declare_metrics, metric_spec
from modelyard.training.balancing.fitting import even_weights, fit_balanced
from modelyard.training.balancing.resampling import Resampling, resampled
from modelyard.training.folds import FoldPlan
from modelyard.training.metrics import score
from modelyard.training.model import predict_matrix
from modelyard.training.search.cross_validation import CrossValidation
from modelyard.training.search.matrices import load_held, load_training, save_array
from modelyard.training.search.units import FitUnit, finished

__all__ = ["PartResult", "PartUnit", "finished_part", "gathered", "run_parts"]

_KEY_LENGTH = 20


@dataclasses.dataclass(frozen=True)
class PartResult(Record):
    """Rows learnt from, and the metric on them; None where it is undefined."""

    rows: int
    train: float | None


@dataclasses.dataclass(frozen=True)
class PartUnit:
    """Fit a configuration on a part of one fold's training rows, and predict the rows held out.

    Parameters
    ----------
    whole
        The unit that scored the configuration on all of the fold's training rows.
    part
        Name of the rows to learn from; empty for all, which takes the rounds that ``whole`` found.
    metric
        Measured on the rows learnt from.
    changed
        Parameters that differ from those of ``whole``.
    resampling
        How the rows learnt from are made even. Where rows are made or left out, rounds of boosting are found anew, on rows that
        are left as they are.
    """

    whole: FitUnit
    part: str
    metric: str
    changed: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    resampling: Resampling = Resampling.NONE
    spec: MetricSpec = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Take along what the metric is: a worker has read no project file."""
        object.__setattr__(self, "spec", metric_spec(self.metric))

    @functools.cached_property
    def key(self) -> str:
        """Digest of all that determines the result."""
        parts = {"whole": self.whole.key, "part": self.part, "metric": self.metric, "changed": dict(self.changed)}
        if self.resampling:
            parts["resampling"] = self.resampling.value
        return digest_json(parts)[:_KEY_LENGTH]

    @property
    def folder(self) -> Path:
        """The search's."""
        return self.whole.folder

    @property
    def predictions_file(self) -> Path:
        """Where the held-out predictions are left."""
        return self.folder / "units" / f"{self.key}.npy"

    def run(self) -> Mapping[str, Any]:
        """Fit and predict in one thread; the result's JSON is written last."""
        from threadpoolctl import threadpool_limits

        declare_metrics([self.spec] if self.spec.path else [])
        whole = self.whole
        data, present = load_training(whole.folder, whole.fold, whole.family.style, whole.task, self.part)
        rounds = self._rounds()
        if self.resampling is Resampling.WEIGHTS:
            data = dataclasses.replace(data, weight=even_weights(data.target, data.weight))
        elif self.resampling:
            boosts = rounds is not None
            data = resampled(data, self.resampling, keep_stop=boosts, seed=whole.seed)
            rounds = None
        with threadpool_limits(1):
            params = {**whole.params, **self.changed}
            if whole.resampling:
                fitted = fit_balanced(whole.family, data, params, whole.resampling, seed=whole.seed, rounds=rounds)
            else:
                fitted = whole.family.fit(data, params, seed=whole.seed, rounds=rounds)
            predict = functools.partial(
                predict_matrix, fitted.estimator, task=whole.task, classes=whole.classes, present=present
            )
            held = predict(matrix=load_held(whole.folder, whole.fold, whole.family.style))
            learnt = predict(matrix=data.matrix)
        truth = np.asarray(present, dtype=np.float64)[data.target.astype(np.int64)] if present else data.target
        figure = score(self.metric, truth, learnt)
        result = PartResult(len(truth), figure if np.isfinite(figure) else None)
        save_array(self.predictions_file, held)
        write_json_atomic(self.predictions_file.with_suffix(".json"), result.to_dict())
        return result.to_dict()

    def _rounds(self) -> int | None:
        """Those that the whole found; None for a part, and for a family that is not boosted."""
        known = None if self.part else finished(self.folder, self.whole.key)
        return known.rounds if known else None


def finished_part(unit: PartUnit) -> PartResult | None:
    """The result of a unit that ran before; None if there is none."""
    path = unit.predictions_file.with_suffix(".json")
    if not path.exists():
        return None
    return PartResult.from_dict(json.loads(path.read_text(encoding="utf-8")))


def run_parts(validation: CrossValidation, units: Sequence[PartUnit], *, step: str) -> Mapping[str, PartResult]:
    """Results by key, of this run or an earlier one that was killed; without those that failed or were cut off."""
    known = {unit.key: found for unit in units if (found := finished_part(unit)) is not None}
    fresh = validation.complete([unit for unit in units if unit.key not in known], step=step)
    results = known | {key: PartResult.from_dict(result) for key, result in fresh.items()}
    return {key: result for key, result in results.items() if result.train is not None}


def gathered(units: Sequence[PartUnit], plan: FoldPlan, rows: int) -> npt.NDArray[np.float64]:
    """Held-out predictions of units, one a fold, in the order of rows; NaN where there is none."""
    return plan.gathered([np.load(unit.predictions_file, allow_pickle=False) for unit in units], rows)
