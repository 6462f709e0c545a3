"""One unit of work: a candidate on a fold. Runs in any process, and leaves its result where a resumed run finds it."""

import dataclasses
import functools
import json
import pickle
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.core import Record, digest_json, write_json_atomic
from modelyard.problem import Task
from modelyard.training.families.family import Family, Fitted
from modelyard.training.model import predict_matrix
from modelyard.training.search.matrices import load_held, load_training, save_array

__all__ = ["FitUnit", "UnitResult", "finished", "held_out_predictions"]

Array = npt.NDArray[np.float64]

_TIMED_ROWS = 20
_MEGABYTE = 1e6
_KEY_LENGTH = 20


@dataclasses.dataclass(frozen=True)
class UnitResult(Record):
    """What a unit found; its held-out predictions lie in a file beside it.

    Parameters
    ----------
    fit_seconds
        Fitting alone.
    rounds
        Boosting rounds; None for other families.
    one_row_ms
        The estimator's median time for one encoded row, in milliseconds.
    row_s
        The estimator's seconds per row in a batch.
    size_mb
        The pickled estimator, in MB.
    notes
        Warnings of the library, each once.
    """

    fit_seconds: float
    rounds: int | None
    one_row_ms: float
    row_s: float
    size_mb: float
    notes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class FitUnit:
    """Fit one configuration on one fold's training rows, and predict the rows held out.

    Parameters
    ----------
    folder
        The search's folder: matrices are read there, results written.
    plan
        Digest of all that is equal for the whole search: rows, columns, folds, target, versions.
    family, params, seed
        What to fit.
    fold
        Index of the fold.
    task, classes
        What is predicted, and how many classes there are.
    """

    folder: Path
    plan: str
    family: Family
    params: Mapping[str, Any]
    seed: int
    fold: int
    task: Task
    classes: int

    @functools.cached_property
    def key(self) -> str:
        """Digest of all that determines the result; equal units share one result."""
        parts = {
            "plan": self.plan,
            "family": repr(self.family),
            "params": dict(self.params),
            "seed": self.seed,
            "fold": self.fold,
        }
        return digest_json(parts)[:_KEY_LENGTH]

    def run(self) -> Mapping[str, Any]:
        """Fit and predict in one thread; the result's JSON is written last and marks the unit as finished."""
        from threadpoolctl import threadpool_limits

        data, present = load_training(self.folder, self.fold, self.family.style, self.task)
        held = load_held(self.folder, self.fold, self.family.style)
        with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            start = time.perf_counter()
            fitted = self.family.fit(data, self.params, seed=self.seed)
            fit_seconds = time.perf_counter() - start
            predict = functools.partial(
                predict_matrix, fitted.estimator, task=self.task, classes=self.classes, present=present
            )
            start = time.perf_counter()
            predictions = predict(matrix=held)
            row_s = (time.perf_counter() - start) / len(held)
            one_row_ms = _median_ms(predict, held)
        result = UnitResult(fit_seconds, fitted.rounds, one_row_ms, row_s, _size_mb(fitted), _distinct(caught))
        save_array(_predictions_file(self.folder, self.key), predictions)
        write_json_atomic(_result_file(self.folder, self.key), result.to_dict())
        return result.to_dict()


def finished(folder: Path, key: str) -> UnitResult | None:
    """The result of a unit that ran before, in this process or another; None if there is none."""
    path = _result_file(folder, key)
    if not path.exists():
        return None
    return UnitResult.from_dict(json.loads(path.read_text(encoding="utf-8")))


def held_out_predictions(folder: Path, key: str) -> Array:
    """The held-out predictions of a finished unit."""
    predictions: Array = np.load(_predictions_file(folder, key), allow_pickle=False)
    return predictions


def _result_file(folder: Path, key: str) -> Path:
    return folder / "units" / f"{key}.json"


def _predictions_file(folder: Path, key: str) -> Path:
    return folder / "units" / f"{key}.npy"


def _median_ms(predict: Any, held: Array) -> float:
    """Median time of predicting single rows, the first left out, since it pays for lazy set-up."""
    spent = []
    for index in range(min(_TIMED_ROWS, len(held))):
        row = np.array(held[index : index + 1])
        start = time.perf_counter()
        predict(matrix=row)
        spent.append(time.perf_counter() - start)
    return float(np.median(spent[1:] or spent)) * 1e3


def _size_mb(fitted: Fitted) -> float:
    return len(pickle.dumps(fitted.estimator, protocol=pickle.HIGHEST_PROTOCOL)) / _MEGABYTE


def _distinct(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    """First lines of warnings, each once."""
    lines = (f"{warning.category.__name__}: {str(warning.message).strip().splitlines()[0]}" for warning in caught)
    return tuple(dict.fromkeys(lines))
