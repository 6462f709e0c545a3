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
from modelyard.training.balancing.fitting import fit_balanced
from modelyard.training.balancing.resampling import Resampling
from modelyard.training.families.boosting.stages import HeldRows, WatchedFamily, WatchedFit, joint_rounds
from modelyard.training.families.family import Family, Fitted
from modelyard.training.model import predict_matrix, spread
from modelyard.training.search.matrices import load_training, load_watched, save_array

__all__ = ["FitUnit", "UnitResult", "finished", "held_out_predictions", "staged_predictions"]

Array = npt.NDArray[np.float64]

_TIMED_ROWS = 20
_TIMED_BATCH = 2_000
"""So many rows tell how long a prediction takes, where the answers for all are known already."""

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
        Boosting rounds, of a watched family those that were best for this fold; None for other families.
    one_row_ms
        Time for one encoded row, in milliseconds: the estimator's median, or what the family promises of the packaged model,
        which is arrays and no estimator, if that is less.
    row_s
        The estimator's seconds per row in a batch.
    size_mb
        The pickled estimator, in MB.
    notes
        Warnings of the library, each once.
    stages
        Numbers of rounds after which a watched family's answers are kept; empty for others.
    """

    fit_seconds: float
    rounds: int | None
    one_row_ms: float
    row_s: float
    size_mb: float
    notes: tuple[str, ...]
    stages: tuple[int, ...] = ()


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
    part
        Name of the rows to learn from; empty for all of the fold.
    resampling
        How classes are made even for learning; the answers are for the classes as they are.
    """

    folder: Path
    plan: str
    family: Family
    params: Mapping[str, Any]
    seed: int
    fold: int
    task: Task
    classes: int
    part: str = ""
    resampling: Resampling = Resampling.NONE

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
        if self.part:
            parts["part"] = self.part
        if self.resampling:
            parts["resampling"] = self.resampling.value
        return digest_json(parts)[:_KEY_LENGTH]

    def run(self) -> Mapping[str, Any]:
        """Fit and predict in one thread; the result's JSON is written last and marks the unit as finished."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = self._run()
        result = dataclasses.replace(result, notes=_distinct(caught))
        write_json_atomic(_result_file(self.folder, self.key), result.to_dict())
        return result.to_dict()

    def _run(self) -> UnitResult:
        """Fit, keep the predictions in a file, and measure."""
        data, present = load_training(self.folder, self.fold, self.family.style, self.task, self.part)
        held = load_watched(self.folder, self.fold, self.family.style, self.task, present)
        watched: WatchedFit | None = None
        start = time.perf_counter()
        if self.resampling:  # watched on uneven rows it would stop too early
            fitted = fit_balanced(self.family, data, self.params, self.resampling, seed=self.seed)
        elif isinstance(self.family, WatchedFamily) and held.known.any():
            watched = self.family.watch(data, self.params, held, seed=self.seed)
            fitted = Fitted(watched.estimator)
        else:
            fitted = self.family.fit(data, self.params, seed=self.seed)
        fit_seconds = time.perf_counter() - start
        predict = functools.partial(
            predict_matrix, fitted.estimator, task=self.task, classes=self.classes, present=present
        )
        asked = held.matrix if watched is None else held.matrix[:_TIMED_BATCH]
        start = time.perf_counter()
        predictions = predict(matrix=asked)
        row_s = (time.perf_counter() - start) / len(asked)
        rounds, stages = fitted.rounds, tuple[int, ...]()
        if watched is not None:
            rounds, stages, predictions = self._keep_stages(watched, held, present)
        save_array(_predictions_file(self.folder, self.key), predictions)
        trees = (rounds or 0) * (self.classes if self.task is Task.MULTICLASS else 1)
        one_row_ms = min(_median_ms(predict, held.matrix), self.family.promises.most_ms(trees))
        return UnitResult(fit_seconds, rounds, one_row_ms, row_s, _size_mb(fitted), (), stages)

    def _keep_stages(
        self, watched: WatchedFit, held: HeldRows, present: tuple[int, ...]
    ) -> tuple[int, tuple[int, ...], Array]:
        """Write the answers of all stages; the rounds that are best for this fold alone, all stages, the answers there."""
        answers = watched.answers
        if self.task is Task.MULTICLASS:
            if answers.ndim == 2:  # of two classes that the rows learnt from hold, the second one's
                answers = np.stack([1 - answers, answers], axis=-1)
            answers = spread(answers, self.classes, present)
        save_array(_stages_file(self.folder, self.key), answers.astype(np.float32))
        kept = answers[:, held.known]
        truth = held.target[held.known]
        if self.task.is_classification:
            truth = np.asarray(present, dtype=np.float64)[truth.astype(np.intp)]
        rounds, _ = joint_rounds(self.task, [watched.rounds], [kept], [truth])
        return rounds, watched.rounds, answers[watched.rounds.index(rounds)]


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


def staged_predictions(folder: Path, key: str) -> Array:
    """The held-out predictions of a finished unit after each of its stages, shape (stages, ...)."""
    return np.asarray(np.load(_stages_file(folder, key), allow_pickle=False), dtype=np.float64)


def _result_file(folder: Path, key: str) -> Path:
    return folder / "units" / f"{key}.json"


def _predictions_file(folder: Path, key: str) -> Path:
    return folder / "units" / f"{key}.npy"


def _stages_file(folder: Path, key: str) -> Path:
    return folder / "units" / f"{key}.stages.npy"


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
