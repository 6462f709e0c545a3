"""Training rows made even: SMOTE and under-sampling, by imbalanced-learn."""

import dataclasses
import enum
import importlib.util

import numpy as np
import numpy.typing as npt

from modelyard.core import DataError, MissingExtraError
from modelyard.training.families.family import FitData, seed_31

__all__ = ["RESAMPLINGS", "WORDS", "Resampling", "can_resample", "require_resampling", "resampled"]

Array = npt.NDArray[np.float64]

_NEIGHBOURS = 5


class Resampling(enum.StrEnum):
    """How training rows of classes are made even; the value is what a candidate's name says of it."""

    NONE = ""
    WEIGHTS = "weighted"
    SMOTE = "smote"
    UNDER = "under-sampled"


RESAMPLINGS = {"weights": Resampling.WEIGHTS, "smote": Resampling.SMOTE, "under": Resampling.UNDER}
"""By the words of the project file."""

WORDS = {Resampling.WEIGHTS: "class weights", Resampling.SMOTE: "SMOTE", Resampling.UNDER: "under-sampling"}
"""As sentences say it."""


def can_resample() -> bool:
    """True if imbalanced-learn is installed."""
    return importlib.util.find_spec("imblearn") is not None


def require_resampling(wanted: str) -> None:
    """Refuse, if imbalanced-learn is not installed.

    Parameters
    ----------
    wanted
        What the project file says: ``training.imbalance: true``.

    Raises
    ------
    MissingExtraError
        With the line that installs it.
    """
    if not can_resample():
        raise MissingExtraError("imbalanced-learn", extra="imbalance", needed_for=wanted)


def resampled(data: FitData, how: Resampling, *, keep_stop: bool, seed: int) -> FitData:
    """Training rows with as many of one class as of any other.

    ``smote`` adds rows to every class but the most frequent one, between a row and one of the five nearest of its class
    (Chawla et al., 2002). They are sought among standardised features with gaps filled by medians; the rows that were there
    keep their gaps, and features that hold whole numbers alone, such as codes, stay whole. ``under-sampled`` leaves out rows
    by chance until every class has as many as the rarest.

    Parameters
    ----------
    data
        Rows of two classes or more.
    keep_stop
        Leave the rows that stop boosting as they are, and out of all this: they must judge on what is really there.
    seed
        Of the draws.

    Raises
    ------
    DataError
        If a class has fewer than two rows to resample from.
    """
    kept = data.stop if keep_stop else np.zeros(len(data.target), dtype=np.bool_)
    matrix, target = data.matrix[~kept], data.target[~kept]
    counts = np.bincount(target.astype(np.intp), minlength=2)
    if counts.min() < 2:
        raise DataError(
            "a class has too few rows to resample from",
            where="training.imbalance, training.resampling",
            got=" and ".join(str(count) for count in sorted(counts.tolist())),
            cure="Collect more rows of it, or resample nothing",
        )
    if how is Resampling.SMOTE:
        matrix, target = _smote(matrix, target, counts, seed_31(seed))
    else:
        rows = _fewer(target, seed_31(seed))
        matrix, target = matrix[rows], target[rows]
    stop = np.concatenate([np.zeros(len(target), dtype=np.bool_), np.ones(int(kept.sum()), dtype=np.bool_)])
    return dataclasses.replace(
        data,
        matrix=np.concatenate([matrix, data.matrix[kept]]),
        target=np.concatenate([target, data.target[kept]]),
        stop=stop,
    )


def _smote(matrix: Array, target: Array, counts: npt.NDArray[np.int64], seed: int) -> tuple[Array, Array]:
    """The rows as they are, and after them the new ones, class by class: each has its own number of neighbours."""
    from imblearn.over_sampling import SMOTE

    known = np.isfinite(matrix)
    has_any = known.any(axis=0)
    centre = np.where(has_any, np.nanmedian(np.where(has_any, matrix, 0.0), axis=0), 0.0)
    filled = np.where(known, matrix, centre)
    scale = filled.std(axis=0)
    scale[scale == 0] = 1.0
    whole = np.where(known, matrix == np.round(matrix), True).all(axis=0)
    standard = (filled - centre) / scale
    parts, targets = [matrix], [target]
    rare = [code for code, count in enumerate(counts.tolist()) if count < counts.max()]
    for place, code in enumerate(rare):
        sampler = SMOTE(
            sampling_strategy={float(code): int(counts.max())},
            k_neighbors=min(_NEIGHBOURS, int(counts[code]) - 1),
            random_state=seed + place,
        )
        even, _ = sampler.fit_resample(standard, target)
        made = even[len(matrix) :] * scale + centre
        parts.append(np.where(whole, np.round(made), made))
        targets.append(np.full(len(made), float(code)))
    return np.concatenate(parts), np.concatenate(targets)


def _fewer(target: Array, seed: int) -> npt.NDArray[np.int64]:
    """Positions of the rows that stay, in their order."""
    from imblearn.under_sampling import RandomUnderSampler

    sampler = RandomUnderSampler(random_state=seed)
    sampler.fit_resample(np.zeros((len(target), 1)), target)
    rows: npt.NDArray[np.int64] = np.sort(sampler.sample_indices_)
    return rows
