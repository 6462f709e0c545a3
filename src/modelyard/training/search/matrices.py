"""Encoded matrices on disk, one set per fold, which worker processes map into memory instead of receiving copies."""

import dataclasses
import shutil
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.core.files import atomic_file
from modelyard.features import EncodingStyle
from modelyard.features.selection import Selection
from modelyard.problem import Task
from modelyard.training.curves.subsets import arrival, take
from modelyard.training.families.boosting.stages import HeldRows
from modelyard.training.families.family import FitData
from modelyard.training.folds import FoldPlan, RowKeys, inner_holdout
from modelyard.training.model import Learning

__all__ = ["FoldMatrices", "load_held", "load_training", "load_watched", "save_array"]

Array = npt.NDArray[np.float64]

_ONE_ROW_REPEATS = 30


def save_array(path: Path, array: npt.NDArray[np.generic]) -> None:
    """Write one ``.npy`` file, whole or not at all; straight from the array, which may be as large as the memory allows."""
    with atomic_file(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)


@dataclasses.dataclass(frozen=True)
class EncodingSpeed:
    """What encoding costs: one row in milliseconds, seconds per row in batches, and per row that is learnt from."""

    one_row_ms: float
    row_s: float
    learnt_row_s: float = 0.0


class FoldMatrices:
    """Encoded rows of every fold; the encoder is fitted on the fold's training rows alone.

    Parameters
    ----------
    folder
        Where the files lie; see :func:`load_training` for who reads them.
    frame
        The training part.
    learning
        What the models are to learn, and from which columns.
    """

    def __init__(self, folder: Path, frame: pl.DataFrame, learning: Learning) -> None:
        self._folder = folder
        self._frame = frame
        self._learning = learning
        self._speed: dict[EncodingStyle, EncodingSpeed] = {}
        self._selections: dict[EncodingStyle, tuple[Selection | None, ...]] = {}
        self._parts: set[str] = set()

    def write_folds(self, plan: FoldPlan, keys: RowKeys, truth: Array, seed: int) -> None:
        """Write what all styles share: the target and the stopping rows of each fold's training rows."""
        self._plan, self._keys, self._seed = plan, keys, seed
        self._truth = truth
        weight = self._learning.weights(self._frame)
        for index, fold in enumerate(plan.folds):
            save_array(_file(self._folder, index, "target"), truth[fold.train])
            save_array(_file(self._folder, index, "held-target"), truth[fold.held])
            if weight is not None:
                save_array(_file(self._folder, index, "weight"), weight[fold.train])
            save_array(_file(self._folder, index, "stop"), inner_holdout(keys, fold.train, derive_seed(seed, index)))

    def divided(self, folder: Path, plan: FoldPlan, keys: RowKeys, truth: Array, seed: int) -> "FoldMatrices":
        """The same rows and columns for other folds, in a folder of their own."""
        other = FoldMatrices(folder, self._frame, self._learning)
        other.write_folds(plan, keys, truth, seed)
        return other

    def discard(self) -> None:
        """Remove all files."""
        shutil.rmtree(self._folder / "matrices", ignore_errors=True)

    def write_part(self, fold: int, part: str, rows: npt.NDArray[np.int64], stop: npt.NDArray[np.bool_]) -> None:
        """Name a part of a fold's training rows, by their positions among them, and the rows of it that stop boosting."""
        save_array(_file(self._folder, fold, f"{part}.rows"), rows)
        save_array(_file(self._folder, fold, f"{part}.stop"), stop)

    def require_part(self, share: float) -> str:
        """Write a share of each fold's training rows, unless this object has done so already; returns the part's name.

        The parts are nested and divided by the rule of the folds (see
        :func:`~modelyard.training.curves.subsets.arrival`): whoever learns from more rows learns from these too.
        """
        part = f"share-{share:.6f}"
        if part in self._parts:
            return part
        for index, fold in enumerate(self._plan.folds):
            rows = take(arrival(self._keys, fold, derive_seed(self._seed, "part", index)), share)
            stop = inner_holdout(self._keys, fold.train[rows], derive_seed(self._seed, "part stop", index))
            self.write_part(index, part, rows, stop)
        self._parts.add(part)
        return part

    def require(self, style: EncodingStyle) -> EncodingSpeed:
        """Write the matrices of a style unless this object has done so already; returns what encoding costs."""
        if style in self._speed:
            return self._speed[style]
        spent, rows, learning, learnt_rows = 0.0, 0, 0.0, 0
        chosen: list[Selection | None] = []
        for index, fold in enumerate(self._plan.folds):
            train, held = self._frame[fold.train], self._frame[fold.held]
            encoder, start = self._learning.encoder(style), time.perf_counter()
            learnt = encoder.fit_transform(train, self._truth[fold.train])
            save_array(_file(self._folder, index, f"{style.value}.train"), learnt)
            learning, learnt_rows = learning + time.perf_counter() - start, learnt_rows + len(train)
            chosen.append(encoder.selection_)
            monotone = self._learning.directions(encoder)
            if monotone is not None:
                save_array(_file(self._folder, index, f"{style.value}.monotone"), np.array(monotone))
            start = time.perf_counter()
            encoded = encoder.transform(held)
            spent, rows = spent + time.perf_counter() - start, rows + len(held)
            save_array(_file(self._folder, index, f"{style.value}.held"), encoded)
        one_row_ms = _one_row_ms(encoder, held)
        self._speed[style] = EncodingSpeed(one_row_ms, spent / max(rows, 1), learning / max(learnt_rows, 1))
        self._selections[style] = tuple(chosen)
        return self._speed[style]

    def selections(self, style: EncodingStyle) -> tuple[Selection | None, ...]:
        """Which columns each fold chose from its training rows; empty if no candidate of the style was tried."""
        return self._selections.get(style, ())


def load_training(
    folder: Path, fold: int, style: EncodingStyle, task: Task, part: str = ""
) -> tuple[FitData, tuple[int, ...]]:
    """The training rows of a fold, mapped into memory, and the codes of the classes that they hold.

    The target's codes are made dense, as XGBoost needs them: class ``present[code]`` of the run is ``code`` here.

    Parameters
    ----------
    part
        Name under which :meth:`FoldMatrices.write_part` wrote the rows wanted; empty for all.
    """
    matrix = np.load(_file(folder, fold, f"{style.value}.train"), mmap_mode="r", allow_pickle=False)
    target = np.load(_file(folder, fold, "target"), allow_pickle=False)
    stop = np.load(_file(folder, fold, f"{part}.stop" if part else "stop"), allow_pickle=False)
    weight = _optional(_file(folder, fold, "weight"))
    bounds = _optional(_file(folder, fold, f"{style.value}.monotone"))
    monotone = None if bounds is None else tuple(int(sign) for sign in bounds)
    if part:
        rows = np.load(_file(folder, fold, f"{part}.rows"), allow_pickle=False)
        matrix, target, weight = matrix[rows], target[rows], None if weight is None else weight[rows]
    if weight is not None:
        stop &= weight > 0  # rows that do not count could not judge
    if not task.is_classification:
        return FitData(task, matrix, target, stop, weight, monotone), ()
    present, dense = np.unique(target, return_inverse=True)
    # A class that only the stopping rows hold could be neither learnt nor judged.
    stop &= np.isin(dense, dense[~stop])
    return FitData(task, matrix, dense.astype(np.float64), stop, weight, monotone), tuple(int(code) for code in present)


def load_held(folder: Path, fold: int, style: EncodingStyle) -> Array:
    """The held-out rows of a fold, mapped into memory."""
    held: Array = np.load(_file(folder, fold, f"{style.value}.held"), mmap_mode="r", allow_pickle=False)
    return held


def load_watched(folder: Path, fold: int, style: EncodingStyle, task: Task, present: tuple[int, ...]) -> HeldRows:
    """The held-out rows of a fold with their target in the codes of :func:`load_training`."""
    matrix = load_held(folder, fold, style)
    target = np.load(_file(folder, fold, "held-target"), allow_pickle=False)
    if not task.is_classification:
        return HeldRows(matrix, target, np.ones(len(target), dtype=bool))
    dense = np.searchsorted(present, target).astype(np.float64)
    return HeldRows(matrix, dense, np.isin(target, present))


def _optional(path: Path) -> Array | None:
    """The array in a file that is written only where the project asks for it."""
    return np.load(path, allow_pickle=False) if path.exists() else None


def _file(folder: Path, fold: int, name: str) -> Path:
    return folder / "matrices" / f"fold-{fold}.{name}.npy"


def _one_row_ms(encoder: object, frame: pl.DataFrame) -> float:
    """Median time of encoding one row as serving does it, in milliseconds."""
    from modelyard.features import row_encoder

    encode = row_encoder(getattr(encoder, "encodings_", ()))
    row, spent = frame.row(0, named=True), []
    for _ in range(_ONE_ROW_REPEATS):
        start = time.perf_counter()
        encode(row)
        spent.append(time.perf_counter() - start)
    return float(np.median(spent)) * 1e3
