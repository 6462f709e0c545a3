"""How strange a row is: one measure or the mean of several, in usual deviations."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from modelyard.packaging.predictors.files import damaged, json_of
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix
from modelyard.packaging.predictors.unlabelled.measures import (
    BoundaryMeasure,
    DensityMeasure,
    DistanceMeasure,
    IsolationMeasure,
    Measure,
)

__all__ = ["AnomalyPart", "AnomalyPredictor"]

_FILE = "anomalies.json"
_MEASURES: dict[str, type[Measure]] = {
    measure.kind: measure for measure in (DistanceMeasure, IsolationMeasure, DensityMeasure, BoundaryMeasure)
}


@dataclasses.dataclass(frozen=True)
class AnomalyPart:
    """One measure, with the median and the deviation of what it says of usual rows."""

    measure: Measure
    middle: float
    spread: float


class AnomalyPredictor:
    """The mean of measures, each counted from its middle in deviations of usual rows.

    Parameters
    ----------
    parts
        One at least, of rows with the same features.
    """

    kind: ClassVar[str] = "anomalies"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE
    outputs: ClassVar[int] = 1

    def __init__(self, parts: Sequence[AnomalyPart]) -> None:
        self._parts = tuple(parts)
        widths = {part.measure.features for part in self._parts}
        sane = all(math.isfinite(part.middle) and 0 < part.spread < math.inf for part in self._parts)
        if len(widths) != 1 or not sane:
            raise damaged(_FILE, f"{len(self._parts)} measures of {sorted(widths)} features")

    @property
    def features(self) -> int | None:
        """Number of features of a row."""
        return self._parts[0].measure.features

    def predict_row(self, features: list[float]) -> list[float]:
        """The score of one row."""
        outputs: list[float] = self.predict_matrix(np.array([features]))[0].tolist()
        return outputs

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Scores of many rows, shape (rows, 1)."""
        scored = [(part.measure.raw(matrix) - part.middle) / part.spread for part in self._parts]
        return np.asarray(np.mean(scored, axis=0)).reshape(-1, 1)

    def to_files(self) -> dict[str, bytes]:
        """One JSON file that names the measures, and their files under their numbers."""
        parts = [{"kind": part.measure.kind, "middle": part.middle, "spread": part.spread} for part in self._parts]
        files = {_FILE: json.dumps({"parts": parts}, allow_nan=False).encode()}
        for number, part in enumerate(self._parts):
            files |= {f"{number}-{name}": data for name, data in part.measure.to_files().items()}
        return files

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        try:
            parts = [
                AnomalyPart(
                    _MEASURES[part["kind"]].from_files(_files_of(number, files)),
                    float(part["middle"]),
                    float(part["spread"]),
                )
                for number, part in enumerate(json_of(files, _FILE)["parts"])
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(_FILE, repr(error)) from error
        return cls(parts)


def _files_of(number: int, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a measure, under the names that it gave them."""
    start = f"{number}-"
    return {name.removeprefix(start): data for name, data in files.items() if name.startswith(start)}
