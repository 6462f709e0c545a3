"""The winner fitted on all rows of a table: its members as units of work, put together to one model."""

import dataclasses
import functools
import io
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed, digest_json, write_atomic
from modelyard.features import EncodingStyle
from modelyard.features.encoder import TableEncoder
from modelyard.problem import Task
from modelyard.training.balancing.fitting import fit_balanced
from modelyard.training.balancing.resampling import Resampling
from modelyard.training.baselines import ConstantEstimator
from modelyard.training.blending import BlendEstimator, Member
from modelyard.training.blending.encoders import EncoderUnion
from modelyard.training.families.family import Family, FitData
from modelyard.training.model import FittedModel, Learning
from modelyard.training.records import Candidate
from modelyard.training.search.matrices import save_array

__all__ = ["Refit", "RefitPart", "RefitUnit", "fit_alone", "fit_constant"]

Array = npt.NDArray[np.float64]

_KEY_LENGTH = 20


@dataclasses.dataclass(frozen=True)
class RefitPart:
    """A candidate that is to be fitted again: with its rounds, as a member of that weight, with a seed of its own or the refit's."""

    candidate: Candidate
    family: Family
    weight: float = 1.0
    seed: int | None = None


@dataclasses.dataclass(frozen=True)
class RefitUnit:
    """Fit one configuration on all rows of a table that was encoded before; the estimator is left in a file.

    Parameters
    ----------
    folder
        Of this refit: matrices are read there, the estimator is written.
    family, params, rounds, seed
        What to fit.
    task
        What is predicted.
    monotone
        As in :class:`~modelyard.training.families.family.FitData`.
    resampling
        As in :class:`~modelyard.training.search.units.FitUnit`.
    """

    folder: Path
    family: Family
    params: Mapping[str, Any]
    rounds: int | None
    seed: int
    task: Task
    monotone: tuple[int, ...] | None = None
    resampling: Resampling = Resampling.NONE

    @functools.cached_property
    def key(self) -> str:
        """Digest of all that determines the estimator within its folder."""
        parts = {
            "folder": str(self.folder),
            "family": repr(self.family),
            "params": dict(self.params),
            "rounds": self.rounds,
            "seed": self.seed,
            "monotone": self.monotone,
            "resampling": self.resampling.value,
        }
        return digest_json(parts)[:_KEY_LENGTH]

    @property
    def file(self) -> Path:
        """Where the estimator lies once it is fitted."""
        return self.folder / f"{self.key}.joblib"

    def run(self) -> Mapping[str, Any]:
        """Fit in one thread; what the library has to say is in the candidate's notes already, from the folds."""
        import joblib
        from threadpoolctl import threadpool_limits

        matrix = np.load(_matrix_file(self.folder, self.family.style), mmap_mode="r", allow_pickle=False)
        target = np.load(_target_file(self.folder), allow_pickle=False)
        weights = _weight_file(self.folder)
        weight = np.load(weights, allow_pickle=False) if weights.exists() else None
        data = FitData(self.task, matrix, target, np.zeros(len(matrix), dtype=bool), weight, self.monotone)
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.resampling:
                fitted = fit_balanced(
                    self.family, data, self.params, self.resampling, seed=self.seed, rounds=self.rounds
                )
            else:
                fitted = self.family.fit(data, self.params, seed=self.seed, rounds=self.rounds)
        buffer = io.BytesIO()
        joblib.dump(fitted.estimator, buffer)
        write_atomic(self.file, buffer.getvalue())
        return {}


class Refit:
    """One model from all rows of a table.

    Parameters
    ----------
    folder
        For its files; its own.
    learning
        What is learnt, and from which columns.
    winner
        The candidate that the model is to be; its calibration is kept.
    parts
        What it is made of: itself, or a blend's members.
    seed
        Root of the seeds.
    """

    def __init__(
        self, folder: Path, learning: Learning, winner: Candidate, parts: Sequence[RefitPart], *, seed: int
    ) -> None:
        self._folder = folder
        self._learning = learning
        self._winner = winner
        self._parts = tuple(parts)
        self._seed = seed

    def units(self, frame: pl.DataFrame, truth: Array) -> list[RefitUnit]:
        """Encode the table in each style that is needed; the units to run before :meth:`model`."""
        task, dense = self._learning.task, truth
        self._codes: tuple[int, ...] = ()
        if task.is_classification:
            present, codes = np.unique(truth, return_inverse=True)
            self._codes, dense = tuple(int(code) for code in present), codes.astype(np.float64)
        save_array(_target_file(self._folder), dense)
        weight = self._learning.weights(frame)
        if weight is not None:
            save_array(_weight_file(self._folder), weight)
        self._encoders: dict[EncodingStyle, TableEncoder] = {}
        for style in dict.fromkeys(part.family.style for part in self._parts):
            self._encoders[style] = encoder = self._learning.encoder(style)
            save_array(_matrix_file(self._folder, style), encoder.fit_transform(frame, truth))
        self._units = [
            RefitUnit(
                self._folder,
                part.family,
                part.candidate.params,
                part.candidate.rounds,
                derive_seed(self._seed if part.seed is None else part.seed, "fit", part.family.name),
                task,
                self._learning.directions(self._encoders[part.family.style]),
                part.candidate.resampling,
            )
            for part in self._parts
        ]
        return self._units

    def model(self) -> FittedModel:
        """The fitted members as one model; the units have run."""
        import joblib

        estimators = [joblib.load(unit.file) for unit in self._units]
        if len(self._parts) == 1 and self._winner.calibration is None:
            (encoder,) = self._encoders.values()
            return self._fitted(encoder, estimators[0])
        union = EncoderUnion(self._encoders)
        members = [
            Member(part.candidate.name, estimator, *union.span(part.family.style), part.weight)
            for part, estimator in zip(self._parts, estimators, strict=True)
        ]
        return self._fitted(union, BlendEstimator(members, self._winner.calibration))

    def _fitted(self, encoder: TableEncoder | EncoderUnion, estimator: Any) -> FittedModel:
        learning = self._learning
        return FittedModel(encoder, estimator, self._winner.family, learning.task, learning.classes, self._codes)


def fit_alone(
    learning: Learning, frame: pl.DataFrame, truth: Array, candidate: Candidate, family: Family, *, seed: int
) -> FittedModel:
    """One candidate of one family on all rows of a table, in this process and without its calibration."""
    bare = dataclasses.replace(candidate, calibration=None)
    with tempfile.TemporaryDirectory() as folder:
        refit = Refit(Path(folder), learning, bare, [RefitPart(bare, family)], seed=seed)
        for unit in refit.units(frame, truth):
            unit.run()
        return refit.model()


def fit_constant(learning: Learning, frame: pl.DataFrame, truth: Array, naive: Candidate) -> FittedModel:
    """The naive baseline, learnt on all rows of a table."""
    encoder = learning.encoder(EncodingStyle.TREE)
    encoder.fit(frame, truth)
    constant = ConstantEstimator.learn(truth, learning.task, len(learning.classes), str(naive.params["prediction"]))
    present = np.unique(truth) if learning.task.is_classification else np.empty(0)
    codes = tuple(int(code) for code in present)
    return FittedModel(encoder, constant, naive.family, learning.task, learning.classes, codes)


def _matrix_file(folder: Path, style: EncodingStyle) -> Path:
    return folder / f"{style.value}.npy"


def _weight_file(folder: Path) -> Path:
    return folder / "weight.npy"


def _target_file(folder: Path) -> Path:
    return folder / "target.npy"
